package snapshot

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// roleSweep is the role of a snapshot that a sweep takes of a target without keep.
const roleSweep = "sweep"

// doneAge is how old an accomplished snapshot may be for people to be told of it.
const doneAge = 24 * time.Hour

// sweep reconciles targets with the policy: one list for each region, then for each target at most one deletion, and
// one more snapshot where a missed tick left it stale.
func (s *Service) sweep(ctx context.Context, tick Tick, names []string) []Result {
	r := s.begin(ctx)
	var jobs []job
	byRegion := make(map[string]*sweepJob)
	sweeps := make([]*targetSweep, 0, len(names))
	for _, name := range names {
		target, _ := s.Policy.Target(name)
		target.RegionID = r.regionOf(target)
		one := &targetSweep{target: target, result: Result{Target: name, RegionID: target.RegionID, DiskID: target.DiskID}}
		sweeps = append(sweeps, one)
		j := byRegion[target.RegionID]
		if j == nil {
			j = &sweepJob{run: r, tick: tick, regionID: target.RegionID}
			j.state = j.list
			byRegion[target.RegionID] = j
			jobs = append(jobs, j)
		}
		j.left = append(j.left, one)
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
		results[i] = one.finish(ctx, r)
	}
	return results
}

// targetSweep is the sweep of one target.
type targetSweep struct {
	target Target
	result Result
	stale  *Fact    // it went stale
	take   *takeJob // what makes that good
}

// sweepJob is the sweep of one region.
type sweepJob struct {
	*run
	machine
	tick     Tick
	regionID string
	left     []*targetSweep // not yet swept; the first is being swept
}

func (j *sweepJob) step(ctx context.Context) (time.Duration, bool) {
	for {
		wait, done, failed := j.advance(ctx, j.run)
		if failed == nil {
			return wait, done
		}
		if !j.region(j.regionID).listed {
			for _, one := range j.left {
				one.result.Error = failed
			}
			return 0, true
		}
		// What fails for one target is told, and the others go on.
		j.left[0].result.Error = failed
		j.attempts = attempts{}
		j.state = j.nextTarget
	}
}

func (j *sweepJob) expire() {
	for _, one := range j.left {
		one.result.Outcome, one.result.Error = OutcomeDeferred, j.outOfTime()
	}
	j.left = nil
}

// list is the one list of the region.
func (j *sweepJob) list(ctx context.Context) (state, error) {
	if !regionForm.MatchString(j.regionID) {
		var wrong Violations
		checkRegion(&wrong, "region", j.regionID)
		return nil, wrong
	}
	if _, err := j.listSnapshots(ctx, j.regionID, false); err != nil {
		return nil, err
	}
	return j.clean, nil
}

func (j *sweepJob) nextTarget(context.Context) (state, error) {
	j.left = j.left[1:]
	if len(j.left) == 0 {
		return nil, nil
	}
	return j.clean, nil
}

// clean clears a failed snapshot of the target's server, or prunes one that is over its role's count.
func (j *sweepJob) clean(ctx context.Context) (state, error) {
	one := j.left[0]
	if err := j.locate(ctx, one); err != nil {
		return nil, err
	}
	plan, err := j.plan(ctx, one.target, "", false, "")
	if err != nil {
		return nil, err
	}
	j.report(ctx, one.target)
	if plan.victim == nil {
		return j.freshen, nil
	}
	victim, reason := *plan.victim, plan.victimItem.Reason
	return func(ctx context.Context) (state, error) {
		server := j.situation(one.target, "", false).server(victim.DiskID)
		if err := j.remove(ctx, victim, server, tokenPrefix+digest("sweep", "DeleteSnapshot", victim.ID)); err != nil {
			return nil, err
		}
		one.result.Deleted = append(one.result.Deleted, Deleted{victim.ID, victim.Name, reason})
		return j.freshen, nil
	}, nil
}

// locate finds the disk of a target, and says so if it is gone.
func (j *sweepJob) locate(ctx context.Context, one *targetSweep) error {
	if err := j.findDisk(ctx, &one.target); err != nil {
		return err
	}
	one.result.DiskID = one.target.DiskID
	known := j.region(j.regionID)
	if !known.disksKnown {
		return nil
	}
	if _, ok := j.situation(one.target, "", false).disk(one.target.DiskID); !ok {
		return &Error{Code: CodeDiskGone, Kind: KindUnknown, Message: fmt.Sprintf(
			"disk: region %s has no disk %s: it or its server was released, or the region in snapshots.yaml is wrong; nothing was deleted", j.regionID, quote(one.target.DiskID))}
	}
	return nil
}

// freshen has one more snapshot taken if the target is stale and none is in progress.
func (j *sweepJob) freshen(context.Context) (state, error) {
	one := j.left[0]
	s := j.situation(one.target, "", false)
	newest, any := s.newestGood(one.target.DiskID)
	running, isRunning := s.running(one.target.DiskID)
	switch {
	case isRunning:
		one.answer(OutcomeJoined, running)
	case s.stale():
		if any {
			one.stale = &Fact{
				Kind: FactStale, Target: one.target.Name, RegionID: j.regionID, DiskID: one.target.DiskID,
				SnapshotID: newest.ID, SnapshotName: newest.Name, Since: newest.CreationTime.Add(one.target.MaxAge),
				What: fmt.Sprintf("no good snapshot younger than %s; the newest is %s", one.target.MaxAge, newest.ID),
				Key:  "stale:" + one.target.Name + ":" + newest.ID,
			}
		}
		one.take = j.newTake(j.tick.order(one.target.Name, s.sweepRole()))
		j.spawned = append(j.spawned, one.take)
	case any:
		one.answer(OutcomeReused, newest)
	default:
		one.result.Warning = "no good snapshot yet, and no maxAge in snapshots.yaml: a sweep takes none"
	}
	return j.nextTarget, nil
}

func (one *targetSweep) answer(outcome Outcome, found Snapshot) {
	one.result.Outcome, one.result.Role = outcome, found.Role()
	one.result.SnapshotID, one.result.SnapshotName = found.ID, found.Name
	one.result.Status, one.result.Progress = found.Status, found.Progress
}

// finish joins what was cleaned and what was taken, and tells people of a stale target.
func (one *targetSweep) finish(ctx context.Context, r *run) Result {
	if one.take != nil {
		deleted := one.result.Deleted
		one.result = one.take.result
		one.result.Deleted = append(deleted, one.result.Deleted...)
	}
	err := one.result.Error
	if one.stale == nil && err != nil && one.result.Outcome != OutcomeDeferred {
		one.stale = &Fact{
			Kind: FactFailed, Target: one.target.Name, RegionID: one.target.RegionID, DiskID: one.target.DiskID,
			What: "the sweep of this target failed: " + err.Code, Since: r.now(), Key: "sweep:" + one.target.Name + ":" + err.Code,
		}
	}
	if one.stale != nil {
		one.stale.Mend = "a new one is being taken"
		if err != nil {
			one.stale.Mend = err.Message
		}
		r.tell(ctx, *one.stale)
	}
	return one.result
}

// report tells people of the target's failed snapshots and, if somebody wants to hear it, of accomplished ones.
func (j *sweepJob) report(ctx context.Context, target Target) {
	for _, one := range j.situation(target, "", false).snapshots {
		if one.DiskID != target.DiskID || !one.Ours() {
			continue
		}
		fact := Fact{Target: target.Name, RegionID: j.regionID, DiskID: one.DiskID, SnapshotID: one.ID, SnapshotName: one.Name, Since: one.CreationTime}
		_, told := one.Tag(TagDone)
		switch {
		case one.Status == Failed:
			fact.Kind, fact.Key = FactFailed, "failed:"+one.ID
			fact.What = "snapshot " + one.ID + " failed"
			fact.Mend = "a sweep deletes it; if the next one fails, too, look at the server's disk in the console"
			j.tell(ctx, fact)
		case j.TellDone && one.Good() && !told && j.now().Sub(one.CreationTime) < doneAge:
			fact.Kind, fact.Key = FactDone, "done:"+one.ID
			fact.What = "snapshot " + one.ID + " is accomplished"
			j.tell(ctx, fact)
			j.rememberTold(ctx, one)
		}
	}
}

// rememberTold tags a snapshot of which people were told, so that no other instance tells them again. That it fails
// costs a second message at most.
func (j *sweepJob) rememberTold(ctx context.Context, one Snapshot) {
	err := j.call("TagResources", func() error {
		return j.API.TagSnapshot(ctx, one.RegionID, one.ID, []Tag{{TagDone, j.now().UTC().Format(time.DateOnly)}})
	})
	if err != nil {
		j.log().Warn("failed to tag a snapshot as told", "snapshotId", one.ID, "error", err.Error())
	}
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
	return cmp.Or(s.role, roleSweep)
}
