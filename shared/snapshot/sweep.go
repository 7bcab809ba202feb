package snapshot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// sweeping is one sweep of all targets.
type sweeping struct {
	*run
	deleter Deleter
	tick    Tick
	asked   []ask
	regions []*regionSweep // in the order of the policy
	account int            // snapshots of the regions that were listed
}

// regionSweep is the part of a sweep in one region.
type regionSweep struct {
	*sweeping
	id      string
	targets []string // names, in the order of the policy
	err     error    // the region could not be listed
	failed  error    // a deletion that is due could not be made; the rest goes on
	kept    map[string]string
	spent   map[string]bool
	usedUp  map[string]bool
	periods map[string]time.Duration
	deleted []deletion
	dues    []*due
	results map[*due]Result
}

// Sweep brings every target to what the policy says: it deletes failed and surplus snapshots, takes what is due and
// notifies. It is the only operation that deletes, at most one snapshot of a server. It looks at the state alone, so a
// missed, doubled, late or overlapping sweep does no harm.
//
// It returns one result for each due role of a target, and one for each target without a due role. A tick that is
// wrong (an unknown target or role, a role without a time) is one result with the error, and nothing is done.
func (s *Service) Sweep(ctx context.Context, deleter Deleter, tick Tick) []Result {
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	sw := &sweeping{run: r, deleter: deleter, tick: tick}
	if err := sw.check(); err != nil {
		return []Result{{Role: tick.Role, Error: AsError(err)}}
	}
	sw.divide()
	r.parallel(len(sw.regions), func(i int) { sw.regions[i].clean(ctx) })
	for _, g := range sw.regions {
		sw.account += len(sw.known(g.id))
	}
	sw.takeDue(ctx)
	sw.replaceInAccount(ctx)
	return sw.results(ctx)
}

// check refuses a tick that is wrong, and finds the targets where its role is due.
func (sw *sweeping) check() error {
	if len(sw.Policy.Targets) == 0 {
		return &Error{Code: CodeUnknownTarget, Kind: KindConfig,
			Message: "the policy has no targets: name at least one disk under targets in snapshots.yaml"}
	}
	role, minute := sw.tick.Role, sw.tick.Time.Truncate(time.Minute)
	if role == "" {
		if len(sw.tick.Targets) > 0 {
			return &Error{Code: CodeMalformed, Kind: KindMalformed, Message: "targets: name where a role is due: add a role, or leave targets out"}
		}
		return nil
	}
	switch {
	case sw.tick.Time.IsZero():
		return &Error{Code: CodeMalformed, Kind: KindMalformed,
			Message: "the tick names a role and has no time: let the timer send its own, or send {\"sweep\":true}"}
	case minute.Sub(sw.now()) > futureMax:
		return &Error{Code: CodeTooOld, Kind: KindInvalid, Message: "the tick is of " + minute.UTC().Format(time.RFC3339) +
			", which is in the future: correct the clock of the timer"}
	}
	for _, name := range sw.tick.Targets {
		target, known := sw.Policy.Target(name)
		if !known {
			return sw.unknownTarget(name)
		}
		if _, named := target.slots(role); !named && len(target.Keep) > 0 {
			return unknownRole(role, target)
		}
		sw.asked = append(sw.asked, ask{name, role, minute})
	}
	if len(sw.tick.Targets) > 0 {
		return nil
	}
	for _, target := range sw.Policy.Targets {
		if _, named := target.slots(role); named {
			sw.asked = append(sw.asked, ask{target.Name, role, minute})
		}
	}
	if len(sw.asked) == 0 {
		return &Error{Code: CodeUnknownRole, Kind: KindInvalid, Message: "role: no target keeps role " + Quote(role) +
			": name it under keep in snapshots.yaml, name targets without keep in the timer's payload, or correct the payload"}
	}
	return nil
}

// divide makes a part of the sweep for each region.
func (sw *sweeping) divide() {
	byID := make(map[string]*regionSweep)
	for _, target := range sw.Policy.Targets {
		id := sw.regionOf(target)
		g := byID[id]
		if g == nil {
			g = &regionSweep{sweeping: sw, id: id, kept: make(map[string]string), spent: make(map[string]bool),
				usedUp: make(map[string]bool), periods: make(map[string]time.Duration), results: make(map[*due]Result)}
			byID[id] = g
			sw.regions = append(sw.regions, g)
		}
		g.targets = append(g.targets, target.Name)
	}
}

// situation is what the sweep knows of its region.
func (g *regionSweep) situation() *situation {
	base := g.base(g.id)
	base.asked, base.kept, base.spent, base.usedUp = g.asked, g.kept, g.spent, g.usedUp
	base.periods = g.periods
	return newSituation(base)
}

// clean lists the region and makes its deletions.
func (g *regionSweep) clean(ctx context.Context) {
	var wrong Violations
	if checkRegion(&wrong, "region", g.id); wrong != nil {
		g.err = wrong
		return
	}
	if slices.ContainsFunc(g.targetsIn(g.id), func(t Target) bool { return t.DiskID == "" }) {
		if _, g.failed = g.listDisks(ctx, g.id, false, g.tries()); g.failed == nil {
			g.learnDisks()
		}
	}
	if _, g.err = g.list(ctx, g.id, time.Time{}, g.tries()); g.err != nil {
		return
	}
	for range 1 + len(g.known(g.id)) { // each deletes one snapshot, or is refused one
		s := g.situation()
		if len(s.plan(!s.disksKnown).deletions) == 0 {
			return
		}
		made, err := g.deleteOne(ctx)
		g.failed = cmp.Or(err, g.failed)
		if !made {
			return
		}
	}
}

func (g *regionSweep) tries() *retry { return &retry{limit: sweepTries} }

// learnDisks remembers the system disks of the targets that name a server.
func (g *regionSweep) learnDisks() {
	for _, target := range g.Policy.Targets {
		if target.DiskID == "" && g.regionOf(target) == g.id {
			if disk := g.systemDisk(g.id, target.InstanceID); disk != "" {
				g.Instance.rememberSystemDisk(g.id, target.InstanceID, disk)
			}
		}
	}
}

// takeDue takes the due roles of all regions, in the order in which they are served. Where an attempt turns out to be used
// up, the plan is made again: the slot and the disk that it was to take are free for the next one.
func (sw *sweeping) takeDue(ctx context.Context) {
	for again := true; again; {
		used := sw.usedUpCount()
		sw.takePlanned(ctx)
		again = sw.usedUpCount() > used
	}
}

// usedUpCount is the number of attempts that turned out to be used up in this run.
func (sw *sweeping) usedUpCount() int {
	n := 0
	for _, g := range sw.regions {
		n += len(g.usedUp)
	}
	return n
}

// takePlanned takes what a plan of each region names.
func (sw *sweeping) takePlanned(ctx context.Context) {
	type entry struct {
		*due
		region *regionSweep
	}
	var all []entry
	for _, g := range sw.regions {
		if g.err != nil {
			continue
		}
		s := g.situation()
		g.dues = g.join(g.planDues())
		for _, d := range g.dues {
			d.period = s.periodOf(d.target, d.role) // a plan leaves it out where one role alone is due
			all = append(all, entry{d, g})
		}
	}
	scarce := sw.account+len(all) > SlotsPerAccount
	slices.SortStableFunc(all, func(a, b entry) int { return servedFirst(a.due, b.due) })
	groups := make([][]entry, 1, len(sw.regions))
	if !scarce { // then the regions do not compete: none waits for another
		groups = groups[:0]
		for _, g := range sw.regions {
			groups = append(groups, slices.DeleteFunc(slices.Clone(all), func(e entry) bool { return e.region != g }))
		}
	} else {
		groups[0] = all
	}
	sw.parallel(len(groups), func(i int) {
		unused := make(map[*due]bool)  // the slots of these are still free
		notBusy := make(map[*due]bool) // and their disks: the API took no snapshot
		for _, e := range groups[i] {
			_, tried := e.region.results[e.due]
			if unused[e.behind] && (notBusy[e.behind] || e.behind.target.DiskID != e.target.DiskID) {
				e.state = dueCreate
			}
			switch {
			case tried:
			case e.behind != nil && e.behind.noSlot:
				e.why, e.noSlot, e.refused = e.behind.why, true, e.behind.refused
			case e.state != dueCreate:
			case scarce && sw.account >= SlotsPerAccount:
				e.state, e.why, e.noSlot = dueWait, "the account has no free slot", true
			case !e.region.create(ctx, e.due):
				unused[e.due], notBusy[e.due] = !e.refused, e.region.results[e.due].Error != nil
			default:
				delete(unused, e.behind)
				if scarce {
					sw.account++
				}
			}
		}
	})
}

// planDues returns the due roles after the deletions of this run. One that could not be made frees no slot.
func (g *regionSweep) planDues() []*due {
	s := g.situation()
	p := s.plan(false)
	if len(p.deletions) == 0 {
		return p.dues
	}
	s.spent = maps.Clone(s.spent)
	for _, d := range p.deletions {
		s.spent[d.server] = true
	}
	return s.plan(false).dues
}

// join puts what this run has done already in the place of what the plan says of the same role now.
func (g *regionSweep) join(planned []*due) []*due {
	for d := range g.results {
		planned = slices.DeleteFunc(planned, func(other *due) bool { return other.role == d.role && other.target.Name == d.target.Name })
	}
	for d := range g.results {
		planned = append(planned, d)
	}
	slices.SortStableFunc(planned, servedFirst)
	return planned
}

// create takes a due role, and reports whether a snapshot was started.
func (g *regionSweep) create(ctx context.Context, d *due) bool {
	order := d.order(g.now())
	request, fingerprint := g.requestOf(order, d.target)
	result := Result{Target: d.target.Name, RegionID: g.id, DiskID: d.target.DiskID, Role: d.role,
		SnapshotName: request.SnapshotName, ClientToken: request.ClientToken, Actor: g.tick.Trigger}
	g.results[d] = result
	if wrong := request.Validate(); wrong != nil {
		result.Error = AsError(wrong)
		g.results[d] = result
		return false
	}
	takenID, takenAt := g.Instance.taken(request.ClientToken)
	var created Created
	err := g.call(ctx, "CreateSnapshot", g.tries(), func(ctx context.Context) (err error) {
		created, err = g.API.CreateSnapshot(ctx, request)
		return err
	})
	if err != nil {
		return g.refusedDue(ctx, d, &result, request, err)
	}
	g.Instance.take(request.ClientToken, created.SnapshotID, fingerprint, time.Now())
	one := Snapshot{ID: created.SnapshotID, Name: request.SnapshotName, RegionID: g.id, DiskID: d.target.DiskID,
		Status: Progressing, Progress: "0%", CreationTime: g.now(), Tags: request.Tags}
	result.RequestID = created.RequestID
	listed, isListed := find(g.known(g.id), one.ID)
	// The API answers an order that it remembers with the snapshot of then, even if that is gone. Only a list tells: the
	// one that this run has, if this process took the snapshot before it; else one more, where an earlier sweep of this
	// hour may have taken it.
	if !isListed {
		gone := takenID == one.ID && g.region(g.id).askedAt.After(takenAt)
		if !gone && g.mayBeAgain(d) {
			if _, err := g.list(ctx, g.id, time.Now(), g.tries()); err == nil {
				listed, isListed = find(g.known(g.id), one.ID)
				gone = !isListed
			}
		}
		if gone {
			g.useUp(d, &result, request, one.ID+" of this hour's attempt is gone")
			return false
		}
	}
	if isListed {
		one = listed
		result.CreationTime = one.created()
	}
	g.remember(one)
	if one.Status == Failed {
		g.useUp(d, &result, request, one.ID+" of this hour's attempt failed")
		return false
	}
	result.Outcome = OutcomeCreated
	if isListed && one.Good() {
		result.Outcome = OutcomeReplayed
	}
	result.SnapshotID, result.SnapshotName, result.Status, result.Progress = one.ID, one.Name, one.Status, one.Progress
	g.results[d] = result
	return true
}

// mayBeAgain reports whether an earlier sweep may have made the attempt of this hour: it is not the first or second one
// of the hour. Without the list that this costs, a sweep would answer that it took a snapshot which failed or was
// deleted, for up to an hour.
func (g *regionSweep) mayBeAgain(d *due) bool {
	return g.now().Sub(d.nextAttempt(g.now()).Add(-time.Hour)) >= sweepEvery*3/2
}

// useUp makes a due role wait for the attempt of the next hour.
func (g *regionSweep) useUp(d *due, result *Result, request Request, why string) {
	g.usedUp[request.ClientToken] = true
	d.state, d.why, d.next = dueWait, why, d.nextAttempt(g.now())
	g.results[d] = *result
}

// refusedDue decides what a refused CreateSnapshot means for a due role: it waits for the next sweep, or it failed. It is
// no reason for a deletion.
func (g *regionSweep) refusedDue(ctx context.Context, d *due, result *Result, request Request, refused error) bool {
	switch codeOf(refused) {
	case CodeCreatingSnapshot:
		d.state, d.why = dueWait, "another snapshot of the disk is in progress"
	case CodeLimitExceed:
		d.state, d.why, d.noSlot, d.refused = dueWait, "the API has no free slot, although the list shows one", true, true
	case CodeNameDuplicate, CodeMismatch:
		if _, err := g.list(ctx, g.id, time.Now(), g.tries()); err != nil {
			result.Error = AsError(err)
			break
		}
		i := slices.IndexFunc(g.known(g.id), func(one Snapshot) bool {
			token, _ := one.Tag(TagToken)
			return one.Name == request.SnapshotName || token == request.ClientToken
		})
		switch {
		case i < 0 && codeOf(refused) == CodeMismatch:
			g.useUp(d, result, request, "this hour's attempt was made with other parameters, and its snapshot is gone")
		case i < 0:
			d.state, d.why = dueWait, "the name of its snapshot is taken, and the list does not show it yet"
		default:
			one := g.known(g.id)[i]
			if one.DiskID != d.target.DiskID {
				result.Error = AsError(refused)
			} else if one.Status == Failed {
				g.useUp(d, result, request, one.ID+" of this hour's attempt failed")
			} else {
				result.Outcome, result.SnapshotID, result.SnapshotName = OutcomeReplayed, one.ID, one.Name
				result.Status, result.Progress, result.CreationTime = one.Status, one.Progress, one.created()
			}
		}
	default:
		result.Error = AsError(refused)
	}
	g.results[d] = *result
	return false
}

// replaceInAccount makes the one replacement for the account's cap: if only the account is full, every region is listed,
// nothing is surplus and nothing in progress anywhere. A role that may replace nothing does not hold up the others.
func (sw *sweeping) replaceInAccount(ctx context.Context) {
	tried := make(map[*due]bool)
	for sw.account >= SlotsPerAccount && sw.quiet() {
		g, d := sw.firstReplaceable(tried)
		if d == nil {
			sw.block()
			return
		}
		// Without a deletion or a failure the API refused that snapshot, and the next may go; or the lists of now do not
		// allow it, such as for a disk that is gone.
		tried[d] = !sw.replaceFor(ctx, g, d)
	}
}

// firstReplaceable returns the first due role that only the account has no slot for and that may replace a snapshot.
func (sw *sweeping) firstReplaceable(tried map[*due]bool) (region *regionSweep, first *due) {
	for _, g := range sw.regions {
		s := g.situation()
		for _, d := range g.dues {
			if !d.noSlot || d.asked || tried[d] || first != nil && servedFirst(first, d) < 0 {
				continue
			}
			if _, _, ok := s.replaced(d); ok {
				region, first = g, d
			}
		}
	}
	return region, first
}

// block marks the due roles without a slot of the account: nothing of it may go, and nothing comes free by itself.
func (sw *sweeping) block() {
	for _, g := range sw.regions {
		for _, d := range g.dues {
			if d.noSlot && !d.refused {
				d.state, d.why = dueBlocked, fmt.Sprintf("the account has no free slot (%d used), and no snapshot of its own may be replaced", sw.account)
			}
		}
	}
}

// quiet reports whether no region has anything surplus, deleted in this run or in progress, and all are listed.
func (sw *sweeping) quiet() bool {
	for _, g := range sw.regions {
		if g.err != nil || g.failed != nil || len(g.deleted) > 0 {
			return false
		}
		s := g.situation()
		if _, running := inProgress(s.snapshots); running || len(s.plan(false).deletions) > 0 {
			return false
		}
	}
	return true
}
