package policy

import (
	"fmt"
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

const (
	// slotsFree is how many slots of a server, and of an account, stay free for the next order.
	slotsFree = 1
	// serversCapped is the number of servers from which an account has fewer slots than its servers together.
	serversCapped = snapshot.SlotsPerAccount/snapshot.SlotsPerServer + 1
)

// ScheduleOnly reports whether nothing but the schedule may take at a target: no rule of allow with the action take, no
// pipeline's rule and no rule of events names it.
func (p Policy) ScheduleOnly(target string) bool { return len(p.takers(target)) == 0 }

// TakenBy reports whether a rule of allow or events may take a role at a target.
func (p Policy) TakenBy(target, role string) bool {
	at, _ := p.Target(target)
	return slices.ContainsFunc(p.takers(target), func(rule taker) bool {
		if rule.role != "" {
			return rule.role == role
		}
		return len(at.Keep) == 0 || slices.Contains(unscheduled(at), role)
	})
}

// taker is a rule that takes.
type taker struct {
	path string // allow[0]
	role string
}

// takers returns the rules that may take at a target, in the order of the file.
func (p Policy) takers(target string) []taker {
	var rules []taker
	for i, rule := range p.Allow {
		if slices.Contains(rule.Actions, ActionTake) && slices.Contains(rule.Targets, target) {
			rules = append(rules, taker{fmt.Sprintf("allow[%d]", i), rule.Role})
		}
	}
	for i, rule := range p.Events {
		if slices.Contains(rule.Targets, target) {
			rules = append(rules, taker{fmt.Sprintf("events[%d]", i), rule.Role})
		}
	}
	return rules
}

// checkSlots reports a policy that cannot fit into the slots of the API, 3 a server and 15 an account, or leaves none
// of them for the next order. Only the API knows which disks are of one server: each target counts as a server.
func (r *reader) checkSlots(at field, targets []entry, p Policy) {
	const perServer, perAccount = snapshot.SlotsPerServer, snapshot.SlotsPerAccount
	var account sum
	scheduleOnly := true
	for i, one := range targets {
		target := p.Targets[i]
		var slots sum
		for _, role := range target.Keep {
			slots.add(role.Role, role.Count)
		}
		account.add(target.Name, slots.total)
		scheduleOnly = scheduleOnly && p.ScheduleOnly(target.Name)
		obstacles := p.obstacles(target)
		switch {
		case slots.total > perServer:
			r.fail(one.get("keep"), "%s slots, a server has %d: keep %d, or %d if only the schedule takes there",
				slots, perServer, perServer-slotsFree, perServer)
		case slots.total == perServer && len(obstacles) > 0:
			r.fail(one.get("keep"), "%s slots leave none of a server's %d free for the next snapshot: keep %d%s, "+
				"or let only the schedule take there: %s",
				slots, perServer, perServer-slotsFree, smaller(target), strings.Join(obstacles, ", and "))
		}
	}
	most := perAccount
	if !scheduleOnly {
		most -= slotsFree
	}
	if len(p.Targets) >= serversCapped && account.total > most {
		r.fail(at, "%s slots, an account has %d: keep %d, or %d if only the schedule takes at every target",
			account, perAccount, perAccount-slotsFree, perAccount)
	}
}

// obstacles returns what must change so that only the schedule takes at a target.
func (p Policy) obstacles(target snapshot.Target) []string {
	var list []string
	if rules := p.takers(target.Name); len(rules) > 0 {
		paths := make([]string, len(rules))
		for i, rule := range rules {
			paths[i] = rule.path
		}
		list = append(list, "remove "+target.Name+" from "+strings.Join(paths, ", "))
	}
	if roles := unscheduled(target); len(roles) > 0 {
		list = append(list, "give a schedule to "+strings.Join(roles, ", "))
	}
	return list
}

// smaller suggests a line of keep with one slot fewer and the same roles; "" if there is none.
func smaller(target snapshot.Target) string {
	keep := slices.Clone(target.Keep)
	i := slices.IndexFunc(keep, func(s snapshot.Slots) bool { return s.Count > 1 })
	if i < 0 {
		return ""
	}
	keep[i].Count--
	pairs := make([]string, len(keep))
	for i, slots := range keep {
		pairs[i] = fmt.Sprintf("%s: %d", slots.Role, slots.Count)
	}
	return ", as in keep: {" + strings.Join(pairs, ", ") + "}"
}

// sum is an addition and its terms: daily 2 + weekly 1 = 3.
type sum struct {
	terms []string
	total int
}

func (s *sum) add(name string, count int) {
	if count > 0 {
		s.terms = append(s.terms, fmt.Sprintf("%s %d", name, count))
		s.total += count
	}
}

func (s sum) String() string { return fmt.Sprintf("%s = %d", strings.Join(s.terms, " + "), s.total) }
