package snapshot

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// targetOf returns the target of the policy that has a disk.
func (h *history) targetOf(disk string) (Target, bool) {
	for _, target := range h.policy.Targets {
		if target.DiskID == disk || target.DiskID == "" && disk == "d-"+target.InstanceID[2:] {
			return target, true
		}
	}
	return Target{}, false
}

// onDelete holds the rules of deletion against the true state at the moment of the call.
func (h *history) onDelete(victim Snapshot, token string) {
	h.trace("  %s deletes %s of %s, %s %s", h.now.event.id, victim.ID, victim.DiskID, victim.role(), victim.Status)
	h.deleted++
	target, targeted := h.targetOf(victim.DiskID)
	server := h.api.serverOf(victim.DiskID)
	var newest Snapshot
	sameRole := 0
	for _, one := range h.api.snapshots {
		if own, _ := one.Tag(TagToken); one.ours() && deletionToken(own, victim.ID) == token {
			h.Errorf("%s: deleted %s for an order that has its snapshot %s already", h.now.event.id, victim.ID, one.ID)
		}
		if one.DiskID != victim.DiskID || !one.Good() {
			continue
		}
		if one.role() == victim.role() {
			sameRole++
		}
		if newest.ID == "" || newestFirst(one.Snapshot, newest) < 0 {
			newest = one.Snapshot
		}
	}
	count, named := target.slots(victim.role())
	rules := map[string]bool{
		"foreign":                        !victim.ours(),
		"pinned":                         pinned(victim, h.clock.Now().Add(h.skew)) != "",
		"in progress or unknown":         victim.Status != Accomplished && victim.Status != Failed,
		"the newest good one":            victim.ID == newest.ID,
		"of a disk without slots":        !targeted || len(target.Keep) == 0,
		"of a disk that is gone":         server == "",
		"within its role's count":        victim.Good() && (!named || sameRole < count),
		"the second of its server":       h.now.deleted[server],
		"by an invocation that pins":     h.now.event.id == "pin",
		"by a dry run":                   h.now.event.order.DryRun,
		"for an event that is too old":   h.now.event.order.DryRun,
		"although its age is not known ": victim.CreationTime.IsZero(),
	}
	for what, broken := range rules {
		if broken {
			h.Errorf("%s: deleted %s, which is %s", h.now.event.id, victim.ID, what)
		}
	}
	h.now.deleted[server] = true
}

// onCreate holds quota and identity against the true state after a creation.
func (h *history) onCreate(made Snapshot) {
	h.trace("  %s takes %s of %s, %s", h.now.event.id, made.ID, made.DiskID, made.role())
	h.created++
	if n := h.onServer(h.api.serverOf(made.DiskID)); n > SlotsPerServer {
		h.Errorf("%d snapshots on one server", n)
	}
	if n := len(h.api.snapshots); n > min(SlotsPerAccount, SlotsPerServer*h.api.servers) {
		h.Errorf("%d snapshots in the account", n)
	}
	if !made.ours() || made.role() == "" || h.now.event.order.DryRun || h.now.event.id == "pin" {
		h.Errorf("%s took %+v", h.now.event.id, made)
	}
	token, _ := made.Tag(TagToken)
	for _, one := range h.api.snapshots {
		if other, _ := one.Tag(TagToken); other == token && one.ID != made.ID {
			h.Errorf("%s took %s beside %s", h.now.event.id, made.ID, one.ID)
		}
	}
}

// checkGood: a disk that has had a good snapshot has one.
func (h *history) checkGood() {
	for _, disk := range h.api.disks {
		switch some := len(h.api.good(disk.ID)) > 0; {
		case some:
			h.good[disk.ID] = true
		case h.good[disk.ID]:
			h.Errorf("%s has lost its last good snapshot", disk.ID)
		}
	}
}

// checkResults: a success names a snapshot, a failure an error, and one event has one token.
func (h *history) checkResults(p *process) {
	for _, got := range p.results {
		h.trace("%s: %s %q %s %v", p.event.id, got.Target, got.Outcome, got.SnapshotID, got.Error)
		switch got.Outcome {
		case OutcomeCreated, OutcomeReplayed, OutcomeJoined, OutcomeReused:
			if got.SnapshotID == "" || got.Error != nil && !p.event.tick.Sweep {
				h.Errorf("%s: %+v", p.event.id, got)
			}
		case OutcomePlanned:
			if !p.event.order.DryRun || got.Error != nil {
				h.Errorf("%s: %+v", p.event.id, got)
			}
		case OutcomeBlocked, OutcomeDeferred:
			if got.Error == nil {
				h.Errorf("%s: %+v", p.event.id, got)
			}
		default:
			if got.Error == nil && got.Warning == "" {
				h.Errorf("%s: %+v", p.event.id, got)
			}
		}
		key := p.event.id + " " + got.Target
		if token := h.tokens[key]; !p.event.tick.Sweep && got.ClientToken != cmp.Or(token, got.ClientToken) && got.ClientToken != "" {
			h.Errorf("%s has the tokens %s and %s", key, token, got.ClientToken)
		}
		h.tokens[key] = cmp.Or(h.tokens[key], got.ClientToken)
	}
}

// settle: once the faults have ended, sweeps bring every target to its policy. A run deletes at most one snapshot of a
// server, so it takes as many as there are snapshots too many: two, unless a server had more or a sweep had to take
// one, too.
func (h *history) settle() {
	h.calm, h.skew = true, 0
	h.idle = nil // a pace that a wrong clock has spoilt is a fault, too
	h.clock.advance(31 * time.Minute)
	most := h.excess() // how many too many there may be after a sweep
	for sweep := 1; sweep <= 6; sweep++ {
		p := h.deliver(happening{id: "last sweep " + strconv.Itoa(sweep), tick: Tick{Sweep: true, Time: h.clock.Now()}})
		h.run([]*process{p})
		for server, n := range most {
			most[server] = max(0, n-1)
		}
		for _, got := range p.results {
			if got.Outcome == OutcomeCreated || got.Outcome == OutcomeReplayed {
				target, _ := h.policy.Target(got.Target)
				most[h.api.serverOf(cmp.Or(target.DiskID, "d-"+cmp.Or(target.InstanceID, "i-")[2:]))]++
			}
			if err := got.Error; err != nil && err.Code != CodeBlocked && err.Code != CodeDiskGone && err.Code != CodeDiskNotFound {
				h.Errorf("sweep %d: %s: %v", sweep, got.Target, err)
			}
		}
		h.clock.advance(30 * time.Minute)
		h.checkGood()
		left := h.excess()
		for server, n := range left {
			if n > most[server] {
				h.Errorf("after %d sweeps, %d snapshots too many are left on %s, not %d", sweep, n, server, most[server])
			}
		}
		if sweep == 2 && len(left) > 0 {
			h.late++
		}
		if len(left) == 0 && sweep >= 2 {
			h.checkFresh(p.results)
			return
		}
	}
	h.Errorf("6 sweeps have not brought every target to its policy: %v", h.excess())
}

// excess counts the snapshots of each server that the policy has to let go: failed ones of ours, and good ones beyond
// their role's count that are neither pinned nor the newest.
func (h *history) excess() map[string]int {
	all := make(map[string]int)
	for _, target := range h.policy.Targets {
		disk := cmp.Or(target.DiskID, "d-"+cmp.Or(target.InstanceID, "i-")[2:])
		if h.api.disk(disk) == nil || len(target.Keep) == 0 {
			continue
		}
		mine := slices.DeleteFunc(h.api.state(), func(one Snapshot) bool { return one.DiskID != disk })
		newest := ""
		places := make(map[string]int)
		isPinned := func(one Snapshot) bool { return pinned(one, h.clock.Now()) != "" }
		for _, one := range mine {
			if one.Good() && newest == "" {
				newest = one.ID
			}
			if one.Good() && isPinned(one) {
				places[one.role()]++
			}
		}
		for _, one := range mine {
			count, named := target.slots(one.role())
			switch {
			case !one.ours() || isPinned(one):
			case one.Status == Failed:
				all[h.api.serverOf(disk)]++
			case one.Good() && named:
				if places[one.role()]++; places[one.role()] > count && one.ID != newest {
					all[h.api.serverOf(disk)]++
				}
			}
		}
	}
	return all
}

// checkFresh: in the end a target is fresh, or the last sweep said why not.
func (h *history) checkFresh(results []Result) {
	for _, got := range results {
		target, _ := h.policy.Target(got.Target)
		if target.MaxAge == 0 || got.Error != nil || got.Outcome == OutcomeCreated || got.Outcome == OutcomeJoined {
			continue
		}
		good := h.api.good(got.DiskID)
		if len(good) == 0 || h.clock.Now().Sub(good[0].CreationTime) >= target.MaxAge+time.Hour {
			h.Errorf("%s is stale, and the last sweep says %q", got.Target, got.Outcome)
		}
	}
}
