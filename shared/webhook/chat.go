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

// ask is what a user sent.
type ask struct {
	tenant, channel, actor string

	text string
	key  string    // the business key of the message
	time time.Time // of the message, if the sender vouches for it
	lang language  // by the locale
	home language  // of the sender's users, where neither the text nor a locale names one
}

func (a ask) language() language {
	chinese := strings.ContainsFunc(a.text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	if chinese || a.lang == zh || a.home == zh && !english(a.text) {
		return zh
	}
	return en
}

// chat answers users of one sender.
type chat struct {
	from   string
	policy policy.Policy
	core   Core
	now    time.Time
}

// answer does what a user asks, if the policy allows it, and says what became of it.
func (c chat) answer(ctx context.Context, a ask) reply {
	p := reply{lang: a.language()}
	visibleTargets := c.policy.Visible(c.from, a.tenant, a.channel, a.actor)
	if len(visibleTargets) == 0 {
		p.result, p.next = say.noRule.in(p.lang), say.noRuleNext.in(p.lang)
		p.small = []string{say.you.in(p.lang, plain(a.actor), plain(a.channel), plain(a.tenant))}
		return p
	}
	v := visit{chat: c, ask: a, targets: visibleTargets, reply: p}
	ctx = policy.WithCaller(ctx, policy.Caller{From: v.from, Actor: plain(v.actor)})
	command := parseCommand(a.text)
	switch command.verb {
	case verbTake:
		return v.take(ctx, command)
	case verbList:
		return v.list(ctx, command)
	case verbPlan:
		return v.plan(ctx, command)
	case verbStatus:
		return v.status(ctx, command)
	case verbKeep:
		return v.keep(ctx, command)
	case verbTooLong:
		p.result, p.next = say.tooLong.in(p.lang, textMax), say.nextHelp.in(p.lang)
		return p
	default:
		lines := strings.Split(say.help.in(p.lang, visibleTargets[0]), "\n")
		p.result, p.next, p.lines = lines[0], lines[1], lines[2:]
		return p
	}
}

// visit is one message of a user who may see some targets.
type visit struct {
	chat
	ask
	targets []string
	reply   reply
}

// target finds the target that a user named and asks the policy for an action on it. Capitals do not count. If
// nothing is granted, the reply says so.
func (v visit) target(name string, action policy.Action) (policy.Grant, reply, bool) {
	p := v.reply
	i := slices.IndexFunc(v.targets, func(target string) bool { return strings.EqualFold(target, name) })
	if i < 0 {
		p.result, p.next = say.unknownTarget.in(p.lang, plain(name)), say.seeTargets.in(p.lang)
		if near := snapshot.Nearest(name, v.targets); near != "" {
			p.next = say.didYouMean.in(p.lang, near)
		}
		return policy.Grant{}, p, false
	}
	grant, ok := v.may(v.targets[i], action)
	if !ok {
		p.result, p.next = say.denied.in(p.lang, say.actions[action].in(p.lang), v.targets[i]), say.noRuleNext.in(p.lang)
	}
	return grant, p, ok
}

func (v visit) may(target string, action policy.Action) (policy.Grant, bool) {
	return v.policy.Permit(policy.Question{
		From: v.from, Tenant: v.tenant, Channel: v.channel, Actor: v.actor, Target: target, Action: action,
	})
}

func (v visit) take(ctx context.Context, c command) reply {
	grant, p, ok := v.target(c.object, policy.ActionTake)
	if !ok {
		return p
	}
	result := v.core.Take(ctx, snapshot.Order{
		Target: grant.Target, Role: grant.Role, DefaultRole: snapshot.RoleManual, Reason: c.rest, Actor: plain(v.actor),
		Sender: v.from, Tenant: v.tenant, Key: v.key, Time: v.ask.time, Paced: true,
	})
	result.Target = cmp.Or(result.Target, grant.Target)
	p = v.took(result)
	if p.done {
		return v.withPlan(ctx, p, result)
	}
	p.slots(result.Slots)
	return p
}

// slotsTime is how long the list or the plan behind an answer may take. It is worth no more than that.
const slotsTime = 500 * time.Millisecond

// withSlots adds "2 of 3" to the small print, if the API tells it in time.
func (v visit) withSlots(ctx context.Context, p reply, target string) reply {
	ctx, cancel := context.WithTimeout(ctx, slotsTime)
	defer cancel()
	if listing, err := v.core.List(ctx, target); err == nil {
		p.slots(&listing.Slots)
	}
	return p
}

// goesMax is how many snapshots that the next sweeps delete an answer names.
const goesMax = 2

// withPlan says what the next sweeps delete once the snapshot is accomplished, and adds "2 of 3" to the small print, if the
// API answers in time.
func (v visit) withPlan(ctx context.Context, p reply, result snapshot.Result) reply {
	ctx, cancel := context.WithTimeout(ctx, slotsTime)
	defer cancel()
	plan, err := v.core.Plan(ctx, result.Target)
	if err != nil {
		p.slots(result.Slots)
		return p
	}
	named := map[string]bool{}
	for _, item := range slices.Concat(plan.Items, plan.Later) {
		if item.Action != snapshot.ActionDelete || named[item.SnapshotID] || len(named) == goesMax || !v.sees(item) {
			continue
		}
		named[item.SnapshotID] = true
		line := say.goes.in(p.lang, visible(item.SnapshotID), visible(item.SnapshotName))
		if _, may := v.may(item.Target, policy.ActionKeep); may {
			line += say.keepIt.in(p.lang, visible(item.SnapshotID))
		} else {
			line += say.askPin.in(p.lang)
		}
		p.lines = append(p.lines, line)
	}
	p.slots(&snapshot.SlotCount{Used: plan.Used, Of: plan.Of})
	return p
}

// sees reports whether a line of a plan may name its snapshot to the user. The plan of a target is that of its server,
// whose other disks may be of targets that the user may not see.
func (v visit) sees(item snapshot.PlanItem) bool { return slices.Contains(v.targets, item.Target) }

func (v visit) list(ctx context.Context, c command) reply {
	p := v.reply
	name := c.object
	if name == "" && len(v.targets) == 1 {
		name = v.targets[0]
	}
	if name == "" {
		p.result = say.listNames.in(p.lang, strings.Join(v.targets, ", "))
		p.next = "list " + v.targets[0]
		return p
	}
	grant, p, ok := v.target(name, policy.ActionList)
	if !ok {
		return p
	}
	listing, err := v.core.List(ctx, grant.Target)
	if err != nil {
		return p.fail(snapshot.AsError(err))
	}
	p.result = say.listHead.in(p.lang, grant.Target, listing.Slots.Used, listing.Slots.Of)
	p.next = say.nextHelp.in(p.lang)
	p.lines = listLines(p.lang, listing.Listed)
	p.slots(&listing.Slots)
	return p
}

func (v visit) plan(ctx context.Context, c command) reply {
	grant, p, ok := v.target(c.object, policy.ActionPlan)
	if !ok {
		return p
	}
	plan, err := v.core.Plan(ctx, grant.Target)
	if err != nil {
		return p.fail(snapshot.AsError(err))
	}
	p.result, p.next = say.planHead.in(p.lang, grant.Target), say.nextHelp.in(p.lang)
	p.lines = v.planLines(plan.Items)
	p.slots(&snapshot.SlotCount{Used: plan.Used, Of: plan.Of})
	return p
}

func (v visit) status(ctx context.Context, c command) reply {
	p := v.reply
	if !validSnapshotID(c.object) {
		return v.unknownSnapshot()
	}
	one, target, err := v.core.Find(ctx, c.object)
	if err != nil && snapshot.AsError(err).Code != snapshot.CodeNoSuchID {
		return p.fail(snapshot.AsError(err))
	}
	if err != nil {
		return v.unknownSnapshot()
	}
	if _, ok := v.may(target.Name, policy.ActionList); !ok {
		return v.unknownSnapshot() // a caller who may not see it must not learn that it exists
	}
	p.result = say.statusHead.in(p.lang, visible(one.ID), target.Name, statusIn(p.lang, one.Status), visible(one.Progress))
	p.next = say.nextNothing.in(p.lang)
	if one.InProgress() {
		p.next = say.nextStatus.in(p.lang, visible(one.ID))
	}
	p.lines = listLines(p.lang, []snapshot.Listed{one.Show(target.Name)})
	p.smallPrint(one.ID, "", "")
	return v.withSlots(ctx, p, target.Name)
}

// keep pins a snapshot. The core finds its target, and asks before it does anything.
func (v visit) keep(ctx context.Context, c command) reply {
	p := v.reply
	if !validSnapshotID(c.object) {
		return v.unknownSnapshot()
	}
	hidden := &snapshot.Error{Code: snapshot.CodeNoSuchID, Kind: snapshot.KindUnknown}
	pinned, err := v.core.Pin(ctx, c.object, c.rest, func(target snapshot.Target) error {
		if _, ok := v.may(target.Name, policy.ActionKeep); !ok {
			return hidden
		}
		return nil
	})
	if err != nil && snapshot.AsError(err).Code == snapshot.CodeNoSuchID {
		return v.unknownSnapshot()
	}
	if err != nil {
		return p.fail(snapshot.AsError(err))
	}
	p.done, p.next = true, say.nextNothing.in(p.lang)
	p.result = say.kept.in(p.lang, c.object)
	if _, err := time.Parse(time.DateOnly, pinned.Keep); err == nil {
		p.result = say.keptUntil.in(p.lang, c.object, pinned.Keep)
	}
	if pinned.Warning != "" {
		p.lines = []string{say.pinWarning.in(p.lang)}
		if p.lang == en { // the core has no other language
			p.lines = append(p.lines, visible(pinned.Warning))
		}
	}
	p.smallPrint(c.object, "", "")
	return v.withSlots(ctx, p, pinned.Target)
}

func (v visit) unknownSnapshot() reply {
	p := v.reply
	p.result, p.next = say.unknownSnapshot.in(p.lang), say.seeTargets.in(p.lang)
	return p
}

// validSnapshotID reports whether text can be the ID of a snapshot: nothing in it means anything to a URL or a chat.
func validSnapshotID(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return false
		}
	}
	return text != "" && len(text) <= 64
}
