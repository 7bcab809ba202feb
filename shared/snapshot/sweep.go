package snapshot

import (
	"context"
	"fmt"
	"time"
)

// roleSweep is the role of a snapshot that a sweep takes of a target without keep.
const roleSweep = "sweep"

// stuckAge is how long a snapshot may be in progress before people hear of it; it takes 10 to 30 minutes.
const stuckAge = 2 * time.Hour

// sweep reconciles targets with the policy: one list for each region, then for each target one more snapshot where a
// missed tick left it stale, and at most one deletion.
func (s *Service) sweep(ctx context.Context, tick Tick, names []string) []Result {
	r, ctx := s.begin(ctx)
	var jobs []job
	regions := make(map[string]*regionSweep)
	sweeps := make([]*targetSweep, len(names))
	for i, name := range names {
		target, _ := s.Policy.Target(name)
		target.RegionID = r.regionOf(target)
		one := &targetSweep{run: r, tick: tick, target: target, result: Result{Target: name, RegionID: target.RegionID, DiskID: target.DiskID}}
		one.state = one.locate
		sweeps[i] = one
		in := regions[target.RegionID]
		if in == nil {
			in = &regionSweep{run: r, regionID: target.RegionID}
			in.state = in.list
			regions[target.RegionID] = in
			jobs = append(jobs, in)
		}
		in.targets = append(in.targets, one)
	}
	defer func() {
		for _, one := range sweeps {
			if one.take != nil {
				one.take.abandon()
			}
		}
	}()
	r.schedule(ctx, jobs)
	results := make([]Result, len(sweeps))
	for i, one := range sweeps {
		results[i] = one.finish(ctx)
	}
	return results
}

// regionSweep lists a region. Its targets follow, each as a job of its own, so that none holds up another.
type regionSweep struct {
	*run
	machine
	regionID string
	targets  []*targetSweep
}

func (j *regionSweep) step(ctx context.Context) (time.Duration, bool) {
	wait, done, failed := j.advance(ctx, j.run)
	for _, one := range j.targets {
		switch {
		case failed != nil:
			one.result.Error = failed
		case done:
			j.spawned = append(j.spawned, one)
		}
	}
	return wait, done
}

func (j *regionSweep) expire() {
	for _, one := range j.targets {
		one.result.Outcome, one.result.Error = OutcomeDeferred, j.outOfTime()
	}
}

// list is the one list of the region.
func (j *regionSweep) list(ctx context.Context) (state, error) {
	var wrong Violations
	if checkRegion(&wrong, "region", j.regionID); wrong != nil {
		return nil, wrong
	}
	_, err := j.listSnapshots(ctx, j.regionID, false)
	return nil, err
}

// targetSweep is the sweep of one target: it tells people what happened, takes what is missing and, after that,
// deletes what is too much.
type targetSweep struct {
	*run
	machine
	tick   Tick
	target Target
	result Result
	stale  *Notification // it went stale
	take   *takeJob      // what makes that good
}

func (j *targetSweep) step(ctx context.Context) (time.Duration, bool) {
	wait, done, failed := j.advance(ctx, j.run)
	if failed != nil {
		j.result.Error = failed
	}
	return wait, done
}

func (j *targetSweep) expire() {
	j.result.Outcome, j.result.Error = OutcomeDeferred, j.outOfTime()
}

// locate finds the disk of the target.
func (j *targetSweep) locate(ctx context.Context) (state, error) {
	if err := j.findDisk(ctx, &j.target); err != nil {
		return nil, err
	}
	j.result.DiskID = j.target.DiskID
	if err := j.diskGone(j.target); err != nil {
		return nil, err
	}
	j.report(ctx)
	return j.freshen, nil
}

// diskGone says so if the disk of a target is known to be gone.
func (r *run) diskGone(target Target) error {
	s := r.situation(target, "", false)
	if _, found := s.disk(target.DiskID); found || !s.disksKnown {
		return nil
	}
	return &Error{Code: CodeDiskGone, Kind: KindUnknown, Message: fmt.Sprintf(
		"disk: region %s has no disk %s: it or its server was released, or the region in snapshots.yaml is wrong; nothing was deleted",
		target.RegionID, quote(target.DiskID))}
}

// freshen has one more snapshot taken if room was made in vain for one, or if the target is stale, unless one is in
// progress.
func (j *targetSweep) freshen(context.Context) (state, error) {
	s := j.situation(j.target, "", false)
	newest, any := s.newestGood(j.target.DiskID)
	running, isRunning := s.running(j.target.DiskID)
	if s.stale() && any && (!isRunning || j.now().Sub(running.CreationTime) > stuckAge) {
		j.stale = &Notification{
			Kind: NotifyStale, Target: j.target.Name, RegionID: j.target.RegionID, DiskID: j.target.DiskID,
			SnapshotID: newest.ID, SnapshotName: newest.Name, Since: newest.CreationTime.Add(j.target.MaxAge),
			What: fmt.Sprintf("no good snapshot younger than %s; the newest is %s", j.target.MaxAge, newest.ID),
			Key:  "stale:" + j.target.Name + ":" + newest.ID,
		}
	}
	owed, isOwed := j.Instance.owes(j.target.Name)
	switch {
	case isRunning && running.ours():
		j.answer(OutcomeJoined, running)
	case isRunning && any: // somebody else's: one at a time
		j.answer(OutcomeReused, newest)
	case isRunning:
		j.result.Warning = "somebody else's snapshot " + running.ID + " is in progress: the next sweep takes one if that is still wanted"
	case isOwed:
		j.Instance.settle(j.target.Name) // one that fails once more is for the platform's retry, and for maxAge
		return j.takeFirst(owed, "")
	case s.stale():
		return j.takeFirst(j.tick.order(j.target.Name, s.sweepRole()), "sweep:"+j.target.Name+":"+newest.ID)
	case any:
		j.answer(OutcomeReused, newest)
	default:
		j.result.Warning = "no good snapshot yet, and no maxAge in snapshots.yaml: a sweep takes none"
	}
	return j.clean, nil
}

// takeFirst takes an order, and cleans after it. factID identifies its failure for people; "": its token.
func (j *targetSweep) takeFirst(order Order, factID string) (state, error) {
	j.take = j.newTake(order)
	j.take.ofState = true
	j.take.factID = factID
	j.take.after = func() {
		j.machine = machine{state: j.clean}
		j.spawned = append(j.spawned, j)
	}
	j.spawned = append(j.spawned, j.take)
	return nil, nil
}

func (j *targetSweep) answer(outcome Outcome, found Snapshot) {
	j.result.Outcome, j.result.Role = outcome, found.role()
	j.result.SnapshotID, j.result.SnapshotName = found.ID, found.Name
	j.result.Status, j.result.Progress = found.Status, found.Progress
}

// clean clears a failed snapshot of the target's server, or prunes one that is over its role's count.
func (j *targetSweep) clean(ctx context.Context) (state, error) {
	plan, err := j.plan(ctx, j.target, "", false, "")
	if err == nil {
		err = j.diskGone(j.target)
	}
	if err != nil || plan.victim == nil {
		return nil, err
	}
	victim, reason := *plan.victim, plan.victimItem.Reason
	j.condemn(j.target, victim)
	return func(ctx context.Context) (state, error) {
		if err := j.remove(ctx, victim, tokenPrefix+digest("sweep", "DeleteSnapshot", victim.ID)); err != nil {
			return nil, err
		}
		j.result.Deleted = append(j.result.Deleted, Deleted{victim.ID, victim.Name, reason})
		return nil, nil
	}, nil
}

// finish joins what was taken and what was cleaned, and tells people of it.
func (j *targetSweep) finish(ctx context.Context) Result {
	all := j.result
	if j.take != nil {
		all = j.take.result
		all.Deleted = append(all.Deleted, j.result.Deleted...)
		switch {
		case j.result.Error == nil || all.Error != nil:
		case j.result.Outcome == OutcomeDeferred:
			all.Warning = "no time was left to delete what is over its count: a later sweep does"
		default:
			all.Error = j.result.Error
		}
	}
	if j.take == nil && all.Error != nil && all.Outcome != OutcomeDeferred { // what stood there before says nothing now
		all.Outcome, all.Role, all.SnapshotID, all.SnapshotName, all.Status, all.Progress = "", "", "", "", "", ""
	}
	all.Slots = j.slots(j.target)
	err := all.Error
	if j.stale != nil {
		j.stale.Advice = "a new one is being taken"
		if err != nil {
			j.stale.Advice = err.Message
		}
		j.tell(ctx, *j.stale)
	}
	if err != nil && err == j.result.Error && all.Outcome != OutcomeDeferred {
		j.tell(ctx, Notification{
			Kind: NotifyFailed, Target: j.target.Name, RegionID: j.target.RegionID, DiskID: j.target.DiskID,
			What: "the sweep of this target failed: " + err.Code, Advice: err.Message, Since: j.now(), Key: "sweep:" + j.target.Name + ":" + err.Code,
		})
	}
	return all
}

// running returns the snapshot of a disk that is being taken.
func (s *situation) running(diskID string) (Snapshot, bool) {
	for _, one := range s.snapshots {
		if one.DiskID == diskID && one.InProgress() {
			return one, true
		}
	}
	return Snapshot{}, false
}

// stale tells whether the target has no good snapshot younger than its MaxAge.
func (s *situation) stale() bool {
	if s.target.MaxAge <= 0 {
		return false
	}
	newest, any := s.newestGood(s.target.DiskID)
	return !any || s.now.Sub(newest.CreationTime) >= s.target.MaxAge
}

// sweepRole is the role of the snapshot that makes a stale target good: the first of keep.
func (s *situation) sweepRole() string {
	if len(s.target.Keep) > 0 {
		return s.target.Keep[0].Role
	}
	return roleSweep
}
