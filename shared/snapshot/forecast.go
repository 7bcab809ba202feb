package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// sweepsMax bounds the sweeps of a forecast. Each writes, or is the last: a server has three slots.
const sweepsMax = 64

// settle returns the situation of one server after sweeps were repeated at the present clock until they write nothing,
// with everything in progress accomplished. stop is asked after each sweep for what it did, and ends the forecast early.
func (s *situation) settle(server string, stop func(regionPlan) bool) *situation {
	at := s.next(server, nil)
	for range sweepsMax {
		p := at.planned()
		wrote := len(p.deletions) > 0 || slices.ContainsFunc(p.dues, func(d *due) bool { return d.state == dueCreate })
		if !wrote {
			return at
		}
		gone := make(map[string]bool)
		for _, d := range p.deletions {
			gone[d.snapshot.ID] = true
		}
		taken := slices.DeleteFunc(slices.Clone(p.dues), func(d *due) bool { return d.state != dueCreate && d.state != dueReplace })
		at.snapshots = slices.DeleteFunc(at.snapshots, func(one Snapshot) bool { return gone[one.ID] })
		at = at.next(server, taken)
		if stop != nil && stop(p) {
			return at
		}
	}
	return at
}

// planned is plan without the question whether a blocked role is served later: a forecast answers it.
func (s *situation) planned() regionPlan {
	s.forecast = true
	return s.plan(false)
}

// next returns the situation that the next sweep finds on a server: everything in progress accomplished, the taken roles,
// too, and what holds for one run alone forgotten.
func (s *situation) next(server string, taken []*due) *situation {
	base := situation{
		now: s.now, policy: s.policy, disksKnown: s.disksKnown, disks: s.disks, asked: s.asked,
		kept: s.kept, disabled: s.disabled, periods: s.periods,
	}
	for _, target := range s.targets {
		if s.serverOf(target.DiskID) == server {
			base.targets = append(base.targets, target)
		}
	}
	for _, one := range s.snapshots {
		if s.serverOf(one.DiskID) != server {
			continue
		}
		if one.InProgress() {
			one.Status = Accomplished
		}
		base.snapshots = append(base.snapshots, one)
	}
	for _, d := range taken {
		order := d.order(s.now)
		token := order.token(d.target.RegionID, d.target.DiskID)
		base.snapshots = append(base.snapshots, Snapshot{
			ID: "a new " + d.role + " of " + d.target.Name + " for " + s.policy.local(d.time), Name: s.nameOf(d), RegionID: d.target.RegionID, DiskID: d.target.DiskID, Status: Accomplished,
			CreationTime: s.now, Tags: []Tag{{TagToken, token}, {TagMeta, meta{d.role, senderTimer, "forecast", ""}.String()}},
		})
	}
	return newSituation(base)
}

// comesFree reports whether later sweeps serve a due role, without anything else being done.
func (s *situation) comesFree(d *due) bool {
	if s.forecast {
		return false
	}
	served := false
	s.settle(s.serverOf(d.target.DiskID), func(p regionPlan) bool {
		served = slices.ContainsFunc(p.dues, func(other *due) bool {
			return other.target.Name == d.target.Name && other.role == d.role && (other.state == dueCreate || other.state == dueReplace)
		})
		return served
	})
	return served
}

// leavesSlot reports whether sweeps leave a slot of a target's server that no role due now takes.
func (s *situation) leavesSlot(target Target) bool {
	server := s.serverOf(target.DiskID)
	return s.settle(server, nil).free(server, false) > 0
}

// later returns what sweeps delete of a target's server once everything in progress is accomplished, the first first.
func (s *situation) later(target Target) []PlanItem {
	var items []PlanItem
	server := s.serverOf(target.DiskID)
	s.settle(server, func(p regionPlan) bool {
		for _, d := range p.deletions {
			if one, real := find(s.snapshots, d.snapshot.ID); real {
				items = append(items, PlanItem{SnapshotID: one.ID, SnapshotName: one.Name, CreationTime: one.created(),
					Action: ActionDelete, Reason: d.reason, Target: d.target.Name})
			}
		}
		return false
	})
	return items
}

// Outlook says when a role of a target is due next, and whether it, or an order for it, will find a slot.
type Outlook struct {
	Target string
	Role   string
	// Next is when a schedule makes the role due next; zero if none does.
	Next time.Time
	// Blocked says why the role, or an order for it, will find no slot; "" if it will find one.
	Blocked string
}

// outlook lets the time pass until each scheduled role of a target's server was due once more, and then asks for each
// role whether it finds a slot.
func (s *situation) outlook(target Target) []Outlook {
	server := s.serverOf(target.DiskID)
	var all []Outlook
	for _, other := range s.targets {
		if other.DiskID == "" || s.serverOf(other.DiskID) != server {
			continue
		}
		for _, slots := range other.Keep {
			one := Outlook{Target: other.Name, Role: slots.Role}
			if slots.Schedule != nil {
				one.Next = slots.Schedule.Next(s.now)
			}
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b Outlook) int {
		return cmp.Or(compareBool(a.Next.IsZero(), b.Next.IsZero()), a.Next.Compare(b.Next))
	})
	at := s.settle(server, nil)
	for i := range all {
		if all[i].Next.IsZero() {
			if at.free(server, false) <= 0 {
				all[i].Blocked = fmt.Sprintf("an order for role %s of %s will be blocked: %s occupy its slots", all[i].Role, all[i].Target, at.occupants(server))
			}
			continue
		}
		at.now = all[i].Next
		at.asked = nil
		at = at.settle(server, nil)
		for _, d := range at.planned().dues {
			if d.target.Name == all[i].Target && d.role == all[i].Role {
				all[i].Blocked = fmt.Sprintf("role %s of %s, due at %s, will be blocked: %s occupy its slots", d.role, d.target.Name,
					s.policy.local(all[i].Next), at.occupants(server))
			}
		}
	}
	return slices.DeleteFunc(all, func(one Outlook) bool { return one.Target != target.Name })
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
