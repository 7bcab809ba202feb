package policy

import (
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// EventRule is one rule of events: which bus events without an order of their own order snapshots. In its patterns *
// matches any run of characters, also none; an empty pattern matches everything.
type EventRule struct {
	Source  string   `yaml:"source"` // never empty
	Type    string   `yaml:"type"`
	Subject string   `yaml:"subject"`
	Targets []string `yaml:"targets" check:"target"`
	// Role is that of the snapshots; empty: the only one that the target keeps and no schedule fires.
	Role string `yaml:"role" check:"role"`
}

// eventRule reads one rule of events.
func (r *reader) eventRule(at field) EventRule {
	var rule EventRule
	r.decode(at, &rule)
	r.need(at, "source", `name the source of the events, such as acs.oss, or "*" for all`)
	r.need(at, "targets", advice["targets"])
	return rule
}

// checkRole reports a rule whose callers have no role to take at one of its targets: the rule names one that the target
// does not keep, or names none where no single role is left to orders. Callers that can name a role in their orders may
// choose among several.
func (r *reader) checkRole(at field, role string, targets []string, takes, names bool, p Policy) {
	given := at.get("role")
	for _, name := range targets {
		target, _ := p.Target(name)
		free := unscheduled(target)
		switch {
		case len(target.Keep) == 0:
		case role != "" && !keeps(target, role):
			r.fail(given, "is a role that %s does not keep: use one of %s", name, strings.Join(roles(target), ", "))
		case role != "" || given.exists() || !takes || len(free) == 1:
		case len(free) == 0:
			r.fail(given, "is missing: a schedule fires every role that %s keeps (%s): "+
				"name one of them, or add a role for these orders to its keep", name, strings.Join(roles(target), ", "))
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
