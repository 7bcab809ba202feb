package webhook

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// message is what a user of a chat sent.
type message struct {
	tenant, channel, actor string

	text     string
	key      string    // the business key of the message
	time     time.Time // of the message, if the sender vouches for it
	locale   language
	replyURL string // takes later answers, for as long as the sender allows; "" if there is none. It is a credential
}

// replyLanguage returns the language in which the user is answered: usual, where neither the text nor the locale names
// one.
func (m message) replyLanguage(usual language) language {
	chinese := strings.ContainsFunc(m.text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	if chinese || m.locale == zh || usual == zh && !english(m.text) {
		return zh
	}
	return en
}

// chat is a message with what it takes to answer it.
type chat struct {
	from   string // the sender
	policy policy.Policy
	core   Core
	now    time.Time
	message
	lang    language
	targets []string // that the user may see
}

// answer does what the user asks, if the policy allows it.
func (c chat) answer(ctx context.Context) reply {
	p := c.reply()
	if len(c.targets) == 0 {
		p.result, p.next = p.say(phrases.noRule), p.say(phrases.noRuleNext)
		p.lines = []string{p.say(phrases.you, plain(c.actor), plain(c.channel), plain(c.tenant))}
		return p
	}
	ctx = policy.WithCaller(ctx, policy.Caller{From: c.from, Actor: plain(c.actor)})
	asked := parseCommand(c.text)
	switch asked.verb {
	case verbTake:
		return c.take(ctx, asked)
	case verbList:
		return c.list(ctx, asked)
	case verbPlan:
		return c.plan(ctx, asked)
	case verbStatus:
		return c.status(ctx, asked)
	case verbKeep:
		return c.keep(ctx, asked)
	case verbTooLong:
		p.result, p.next = p.say(phrases.tooLong, textMax), p.say(phrases.nextHelp)
		return p
	default:
		lines := strings.Split(p.say(phrases.help, c.targets[0]), "\n")
		p.result, p.next, p.lines = lines[0], lines[1], lines[2:]
		return p
	}
}

// late returns the answer to a user for whose command time ran out.
func (c chat) late(err *snapshot.Error) reply {
	asked := parseCommand(c.text)
	if grant, _, ok := c.target(asked.object, policy.ActionTake); ok && asked.verb == verbTake {
		return c.taken(deferred(snapshot.Order{Target: grant.Target, Role: grant.Role}, err))
	}
	return c.reply().fail(err)
}

// reply returns an empty reply in the language of the user.
func (c chat) reply() reply { return reply{lang: c.lang} }

// target finds the target that a user named and asks the policy for an action on it. Capitals do not count. If
// nothing is granted, the reply says so.
func (c chat) target(name string, action policy.Action) (policy.Grant, reply, bool) {
	p := c.reply()
	i := slices.IndexFunc(c.targets, func(target string) bool { return strings.EqualFold(target, name) })
	if i < 0 {
		p.result, p.next = p.say(phrases.unknownTarget, plain(name)), p.say(phrases.seeTargets)
		if near := snapshot.Nearest(name, c.targets); near != "" {
			p.next = p.say(phrases.didYouMean, near)
		}
		return policy.Grant{}, p, false
	}
	grant, ok := c.may(c.targets[i], action)
	if !ok {
		p.result, p.next = p.say(phrases.denied, p.say(phrases.actions[action]),
			c.targets[i]), p.say(phrases.noRuleNext)
	}
	return grant, p, ok
}

// may asks the policy for an action of the user on a target.
func (c chat) may(target string, action policy.Action) (policy.Grant, bool) {
	return c.policy.Permit(policy.Question{
		From: c.from, Tenant: c.tenant, Channel: c.channel, Actor: c.actor, Target: target, Action: action,
	})
}

func (c chat) take(ctx context.Context, asked chatCommand) reply {
	grant, p, ok := c.target(asked.object, policy.ActionTake)
	if !ok {
		return p
	}
	result := c.core.TakeAll(ctx, []snapshot.Order{{
		Target: grant.Target, Role: grant.Role, DefaultRole: snapshot.RoleManual, Reason: asked.rest,
		Actor:  plain(c.actor),
		Sender: c.from, Tenant: c.tenant, Key: c.key, Time: c.time, Paced: true,
	}})[0]
	result.Target = cmp.Or(result.Target, grant.Target)
	p = c.taken(result)
	if p.done {
		return c.withPlan(ctx, p, result.Target)
	}
	return p
}

// slotsTime is how long the list or the plan behind an answer may take. It is worth no more than that.
const slotsTime = 500 * time.Millisecond

// withSlots adds "2 of 3" to the small print, if the API answers in time.
func (c chat) withSlots(ctx context.Context, p reply, target string) reply {
	ctx, cancel := context.WithTimeout(ctx, slotsTime)
	defer cancel()
	if listing, err := c.core.List(ctx, target); err == nil {
		p.slots = &listing.Slots
	}
	return p
}

// deletedMax is how many snapshots that the next sweeps delete an answer names.
const deletedMax = 2

// withPlan says what the next sweeps delete once the snapshot is accomplished, and adds "2 of 3" to the small print, if
// the API answers in time.
func (c chat) withPlan(ctx context.Context, p reply, target string) reply {
	ctx, cancel := context.WithTimeout(ctx, slotsTime)
	defer cancel()
	plan, err := c.core.Plan(ctx, target)
	if err != nil {
		return p
	}
	named := map[string]bool{}
	for _, item := range slices.Concat(plan.Items, plan.Later) {
		deleted := item.Action == snapshot.ActionDelete && !named[item.SnapshotID]
		if !deleted || len(named) == deletedMax || !c.sees(item) {
			continue
		}
		named[item.SnapshotID] = true
		line := p.say(phrases.willDelete, visible(item.SnapshotID), visible(item.SnapshotName))
		if _, may := c.may(item.Target, policy.ActionKeep); may {
			line += p.say(phrases.keepIt, visible(item.SnapshotID))
		} else {
			line += p.say(phrases.askPin)
		}
		p.lines = append(p.lines, line)
	}
	p.slots = &snapshot.SlotCount{Used: plan.Used, Of: plan.Of}
	return p
}

// sees reports whether a line of a plan may name its snapshot to the user. The plan of a target is that of its server,
// whose other disks may be of targets that the user may not see.
func (c chat) sees(item snapshot.PlanItem) bool { return slices.Contains(c.targets, item.Target) }

func (c chat) list(ctx context.Context, asked chatCommand) reply {
	name := asked.object
	if name == "" && len(c.targets) == 1 {
		name = c.targets[0]
	}
	if name == "" {
		p := c.reply()
		p.result, p.next = p.say(phrases.listNames, strings.Join(c.targets, ", ")), "list "+c.targets[0]
		return p
	}
	grant, p, ok := c.target(name, policy.ActionList)
	if !ok {
		return p
	}
	listing, err := c.core.List(ctx, grant.Target)
	if err != nil {
		return p.fail(snapshot.AsError(err))
	}
	p.result = p.say(phrases.listHead, grant.Target, listing.Slots.Used, listing.Slots.Of)
	p.next = p.say(phrases.nextHelp)
	p.list(listing.Listed)
	p.slots = &listing.Slots
	return p
}

func (c chat) plan(ctx context.Context, asked chatCommand) reply {
	grant, p, ok := c.target(asked.object, policy.ActionPlan)
	if !ok {
		return p
	}
	plan, err := c.core.Plan(ctx, grant.Target)
	if err != nil {
		return p.fail(snapshot.AsError(err))
	}
	p.result, p.next = p.say(phrases.planHead, grant.Target), p.say(phrases.nextHelp)
	p.lines = c.planLines(plan.Items)
	p.slots = &snapshot.SlotCount{Used: plan.Used, Of: plan.Of}
	return p
}

func (c chat) status(ctx context.Context, asked chatCommand) reply {
	if !validSnapshotID(asked.object) {
		return c.unknownSnapshot()
	}
	one, target, err := c.core.Find(ctx, asked.object)
	if err != nil {
		return c.failed(err)
	}
	if _, ok := c.may(target.Name, policy.ActionList); !ok {
		return c.unknownSnapshot() // a caller who may not see it must not learn that it exists
	}
	p := c.reply()
	p.result = p.say(phrases.statusHead, visible(one.ID), target.Name, p.status(one.Status), visible(one.Progress))
	p.next = p.say(phrases.nextNothing)
	if one.InProgress() {
		p.next = p.say(phrases.nextStatus, visible(one.ID))
	}
	p.list([]snapshot.Listed{one.Show(target.Name)})
	p.snapshotID = one.ID
	return c.withSlots(ctx, p, target.Name)
}

// keep pins a snapshot. The core finds its target, and asks before it does anything.
func (c chat) keep(ctx context.Context, asked chatCommand) reply {
	if !validSnapshotID(asked.object) {
		return c.unknownSnapshot()
	}
	pinned, err := c.core.Pin(ctx, asked.object, asked.rest, func(target snapshot.Target) error {
		if _, ok := c.may(target.Name, policy.ActionKeep); !ok {
			return &snapshot.Error{Code: snapshot.CodeNoSuchID, Kind: snapshot.KindUnknown} // as if it did not exist
		}
		return nil
	})
	if err != nil {
		return c.failed(err)
	}
	p := c.reply()
	p.done, p.next = true, p.say(phrases.nextNothing)
	p.result = p.say(phrases.kept, asked.object)
	if _, err := time.Parse(time.DateOnly, pinned.Keep); err == nil {
		p.result = p.say(phrases.keptUntil, asked.object, pinned.Keep)
	}
	if pinned.Warning != "" {
		p.lines = []string{p.say(phrases.pinWarning)}
		if p.lang == en { // the core has no other language
			p.lines = append(p.lines, visible(pinned.Warning))
		}
	}
	p.snapshotID = asked.object
	return c.withSlots(ctx, p, pinned.Target)
}

// failed returns the reply to a command about one snapshot that failed.
func (c chat) failed(err error) reply {
	if known := snapshot.AsError(err); known.Code != snapshot.CodeNoSuchID {
		return c.reply().fail(known)
	}
	return c.unknownSnapshot()
}

func (c chat) unknownSnapshot() reply {
	p := c.reply()
	p.result, p.next = p.say(phrases.unknownSnapshot), p.say(phrases.seeTargets)
	return p
}

// validSnapshotID reports whether text can be the ID of a snapshot: nothing in it means anything to a URL or a chat.
func validSnapshotID(text string) bool {
	return text != "" && len(text) <= 64 && alphanumeric(text, "-_")
}

// alphanumeric reports whether text holds nothing but ASCII letters, digits and the marks.
func alphanumeric(text, marks string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(marks, r))
	})
}
