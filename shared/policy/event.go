package policy

import (
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// EventRule says which bus events without an order of their own order snapshots. In its patterns * matches any run of
// characters, also none; an empty pattern matches everything.
type EventRule struct {
	Source  string // never empty
	Type    string
	Subject string
	Targets []string
	Role    string // of the snapshots; "": the only one that the target keeps and no schedule fires
}

// eventRule reads one rule of events.
func (r *reader) eventRule(at place, known []string) EventRule {
	keys, ok := r.fields(at, "source", "type", "subject", "targets", "role")
	if !ok {
		return EventRule{}
	}
	if _, ok := keys.get("source"); !ok {
		r.missing(keys, "source", `name the source of the events, such as acs.oss, or "*" for all`)
	}
	return EventRule{
		Source:  r.optional(keys, "source", anyText, ""),
		Type:    r.optional(keys, "type", anyText, ""),
		Subject: r.optional(keys, "subject", anyText, ""),
		Targets: r.targetNames(keys, known),
		Role:    r.role(keys),
	}
}

// anyText accepts every text.
func anyText(string) bool { return true }

// targetNames reads the list of targets that a rule is about.
func (r *reader) targetNames(keys fields, known []string) []string {
	if _, ok := keys.get("targets"); !ok {
		r.missing(keys, "targets", "name the targets that the rule is about")
		return nil
	}
	return r.texts(keys, "targets", func(name string) bool { return slices.Contains(known, name) },
		"is not a target: name those of targets, each by itself")
}

// role reads the role of a rule.
func (r *reader) role(keys fields) string {
	return r.optional(keys, "role", snapshot.ValidRole, "is not a role: use 1 to 32 letters, digits, - and _, the first a letter")
}

// checkRole reports a rule whose callers have no role to take at one of its targets: the rule names one that the target
// does not keep, or names none where no single role is left to orders. Callers that can name a role in their orders may
// choose among several.
func (r *reader) checkRole(at place, role string, targets []string, takes, names bool, p Policy) {
	given := at.Get("role")
	for _, name := range targets {
		target, _ := p.Target(name)
		free := unscheduled(target)
		switch {
		case len(target.Keep) == 0:
		case role != "" && !keeps(target, role):
			r.fail(given, "is a role that %s does not keep: use one of %s", name, roles(target))
		case role != "" || given.Exists() || !takes || len(free) == 1:
		case len(free) == 0:
			r.fail(given, "is missing: a schedule fires every role that %s keeps (%s): "+
				"name one of them, or add a role for these orders to its keep", name, roles(target))
		case !names:
			r.fail(given, "is missing: %s keeps several roles that no schedule fires (%s): "+
				"name one of them, or give all but one a schedule", name, strings.Join(free, ", "))
		}
	}
}

// Orders returns the orders that a bus event makes by the rules of events, one a target, in the order of the file; nil
// if no rule matches. Where several rules name one target the first decides its role: the event is one, and so is the
// snapshot.
func (p Policy) Orders(e snapshot.BusEvent) []snapshot.Order {
	var orders []snapshot.Order
	for _, rule := range p.Events {
		if !rule.matches(e) {
			continue
		}
		for _, target := range rule.Targets {
			if slices.ContainsFunc(orders, func(o snapshot.Order) bool { return o.Target == target }) {
				continue
			}
			orders = append(orders, snapshot.Order{
				Target: target, Role: rule.Role, Reason: reason(e), Actor: e.Source,
				Sender: "event", Key: e.Key(), Time: e.Time,
			})
		}
	}
	return orders
}

func (rule EventRule) matches(e snapshot.BusEvent) bool {
	return match(rule.Source, e.Source) &&
		(rule.Type == "" || match(rule.Type, e.Type)) &&
		(rule.Subject == "" || match(rule.Subject, e.Subject))
}

// reason is the reason of an event's order, within the limit of [snapshot.ReasonMax] characters.
func reason(e snapshot.BusEvent) string {
	text := []rune(strings.Join(strings.Fields(e.Type+" "+e.Subject), " "))
	return string(text[:min(len(text), snapshot.ReasonMax)])
}

// match reports whether text fits pattern, where * stands for any run of characters and nothing else is special. It
// takes at most len(pattern) x len(text) steps, whatever the pattern.
func match(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return text == pattern
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}
