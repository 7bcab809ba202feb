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

// ask is what a person said, or the button that was pressed.
type ask struct {
	tenant, channel, actor string

	text string
	key  string    // the business key of what was said
	time time.Time // when, if the sender vouches for it
	lang language  // by the locale
	home language  // of the sender's people, where neither the text nor a locale tells

	button    bool   // a button was pressed; text is empty then
	pressed   string // what it carried
	cancelled bool   // it was the one that cancels

	late string // the sender's URL for later answers, which works like a password: never to be logged
}

func (a ask) language() language {
	chinese := strings.ContainsFunc(a.text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	if chinese || a.lang == zh || a.home == zh && !english(a.text) {
		return zh
	}
	return en
}

// chat answers people of one sender.
type chat struct {
	from   string
	policy policy.Policy
	core   Core
	keys   []string // of confirmations
	now    time.Time
}

// answer does what a person asks, if the policy allows it, and says what became of it.
func (c chat) answer(ctx context.Context, a ask) reply {
	p := reply{lang: a.language()}
	visibleTargets := c.policy.Visible(c.from, a.tenant, a.channel, a.actor)
	if len(visibleTargets) == 0 {
		p.result, p.next = say.nobody.in(p.lang), say.nobodyNext.in(p.lang)
		p.small = []string{say.you.in(p.lang, plain(a.actor), plain(a.channel), plain(a.tenant))}
		p.aside = a.button
		return p
	}
	v := visit{chat: c, ask: a, targets: visibleTargets, reply: p}
	ctx = policy.WithCaller(ctx, policy.Caller{From: v.from, Actor: plain(v.actor)})
	if a.button {
		return v.press(ctx)
	}
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
	case verbConfirm:
		return v.confirm(ctx, command)
	case verbTooLong:
		p.result, p.next = say.tooLong.in(p.lang, textMax), say.nextHelp.in(p.lang)
		return p
	default:
		lines := strings.Split(say.help.in(p.lang, visibleTargets[0]), "\n")
		p.result, p.next, p.lines = lines[0], lines[1], lines[2:]
		return p
	}
}

// visit is one person with one ask, who may see some targets.
type visit struct {
	chat
	ask
	targets []string
	reply   reply
}

// target finds the target that a person named and asks the policy for an action on it. Capitals do not count. If
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
		p.result, p.next = say.denied.in(p.lang, say.actions[action].in(p.lang), v.targets[i]), say.nobodyNext.in(p.lang)
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
	order := v.order(grant)
	order.Key, order.Time, order.Reason = v.key, v.ask.time, c.rest
	return v.do(ctx, order)
}

// order is what all orders of a person have in common. Whatever deletes is asked for first.
func (v visit) order(grant policy.Grant) snapshot.Order {
	return snapshot.Order{
		Target: grant.Target, Role: cmp.Or(grant.Role, snapshot.RoleManual), Actor: plain(v.actor),
		Sender: v.from, Tenant: v.tenant, AskFirst: true, Paced: true,
	}
}

func (v visit) do(ctx context.Context, order snapshot.Order) reply {
	result := v.core.Take(ctx, order)
	result.Target = cmp.Or(result.Target, order.Target)
	if result.Outcome == snapshot.OutcomePlanned && result.Victim != nil {
		return v.question(order, result)
	}
	p := v.reply.took(result)
	if order.Victim != "" && result.Outcome == snapshot.OutcomeDeferred {
		p.pending, p.aside = true, true
		p.result, p.next = say.unfinished.in(p.lang, result.Target), say.nextConfirm.in(p.lang)
		if len(result.Deleted) > 0 && !v.button { // a code is no longer found: it told the snapshot that is gone
			p.next = say.nextFree.in(p.lang)
		}
	}
	if p.done && result.Slots == nil {
		return v.withSlots(ctx, p, order.Target)
	}
	p.slots(result.Slots)
	return p
}

// slotsTime is how long the count of a server's slots may take. It is worth no more than that.
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

// question is the plan, names the snapshot that must go, and offers to confirm that.
func (v visit) question(order snapshot.Order, result snapshot.Result) reply {
	p, victim := v.reply, *result.Victim
	if len(v.keys) == 0 || !validSnapshotID(victim.SnapshotID) {
		return p.fail(&snapshot.Error{Code: snapshot.CodeInternal, Kind: snapshot.KindInternal})
	}
	c := v.confirmation()
	c.target, c.victim, c.issued = order.Target, victim.SnapshotID, v.now.Truncate(confirmStep)
	p.offer = &offer{value: c.value(v.keys[0], buttonConfirm), cancel: c.value(v.keys[0], buttonCancel), code: c.code(v.keys[0])}
	p.result = say.ask.in(p.lang, order.Target, victim.SnapshotID, visible(victim.SnapshotName))
	p.next = say.askCode.in(p.lang, p.offer.code)
	p.lines = planLines(p.lang, result.Plan)
	p.smallPrint(victim.SnapshotID, result.RequestID, "")
	p.slots(result.Slots)
	return p
}

func (v visit) confirmation() confirmation {
	return confirmation{sender: v.from, tenant: v.tenant, actor: v.actor}
}

// press does what a button says. Somebody else's question stays as it is.
func (v visit) press(ctx context.Context) reply {
	button := buttonConfirm
	if v.cancelled {
		button = buttonCancel
	}
	p := v.stale()
	c, own := openValue(v.keys, button, v.pressed, v.confirmation())
	switch {
	case !own:
		p.aside = true
	case v.cancelled:
		p.result, p.next = say.cancelled.in(p.lang), say.nextNothing.in(p.lang)
	case c.goodAt(v.now):
		return v.confirmed(ctx, c)
	}
	return p
}

// confirm does what a code confirms: of the targets that this person may see, those for which the code can have been
// given are listed, and the snapshot that it is about is found among theirs.
func (v visit) confirm(ctx context.Context, command command) reply {
	code := normalCode(command.object)
	for _, name := range v.targets {
		who := v.confirmation()
		who.target = name
		candidates := who.askedWith(v.keys, code, v.now)
		if len(candidates) == 0 {
			continue
		}
		listing, err := v.core.List(ctx, name)
		if err != nil {
			return v.reply.fail(snapshot.AsError(err))
		}
		for _, c := range candidates {
			for _, one := range listing.Listed {
				if c.victim = one.SnapshotID; c.confirms(v.keys, code) {
					return v.confirmed(ctx, c)
				}
			}
		}
	}
	return v.stale()
}

func (v visit) stale() reply {
	p := v.reply
	p.result, p.next = say.confirmStale.in(p.lang), say.nextTake.in(p.lang)
	return p
}

// confirmed takes the snapshot, for which exactly the confirmed one may be deleted. The right to it is asked for again:
// five minutes are long.
func (v visit) confirmed(ctx context.Context, c confirmation) reply {
	grant, p, ok := v.target(c.target, policy.ActionTake)
	if !ok {
		return p
	}
	order := v.order(grant)
	order.Key, order.Time, order.Victim = c.orderKey(), c.issued, c.victim
	return v.do(ctx, order)
}

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
	p.lines = planLines(p.lang, plan.Items)
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
		return v.unknownSnapshot() // whether it exists is nobody else's business
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

// validSnapshotID tells whether text can be the ID of a snapshot: nothing in it means anything to a URL or a chat.
func validSnapshotID(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return false
		}
	}
	return text != "" && len(text) <= 64
}
