package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// run is one invocation's work: what it knows of the regions, what it did, and until when it may go on.
type run struct {
	*Service
	now      func() time.Time
	deadline time.Time
	regions  map[string]*region
	deleted  map[string]bool // servers that lose a snapshot in this run
	fresh    map[string]bool // snapshots that this run took
	spawned  []job           // jobs that a step wants to have done, too
	calls    int             // API calls so far
}

// region is what a run knows of one region.
type region struct {
	listed    bool
	snapshots []Snapshot

	disksKnown bool
	disks      []Disk
}

// begin begins a run, and returns the context of its calls.
func (s *Service) begin(ctx context.Context) (*run, context.Context) {
	now := s.clock().Now
	r := &run{
		Service: s, now: now, deadline: now().Add(noDeadline),
		regions: make(map[string]*region), deleted: make(map[string]bool), fresh: make(map[string]bool),
	}
	if deadline, ok := ctx.Deadline(); ok {
		// An interactive caller sets deadlines of a few seconds: those keep a fifth instead.
		r.deadline = deadline.Add(-min(reserve, deadline.Sub(now())/5))
	}
	return r, until{ctx, r.deadline}
}

// until is a context whose calls must be over at a time before its own deadline. The client of the API reads the
// deadline; the clock that it counts by may be a test's.
type until struct {
	context.Context
	at time.Time
}

// Deadline returns the time at which calls must be over.
func (u until) Deadline() (time.Time, bool) { return u.at, true }

// lastChance is how long before the deadline the last attempt is made, where a longer wait would let the time pass
// unused.
const lastChance = time.Second

func (r *run) region(id string) *region {
	known := r.regions[id]
	if known == nil {
		known = &region{}
		r.regions[id] = known
	}
	return known
}

// pause is the error of a call that our own limiter holds back.
type pause time.Duration

func (pause) Error() string { return "too many calls of this action in a minute" }

// late is the error of a call for which no time is left: its action.
type late string

func (l late) Error() string { return "no time is left for " + string(l) }

// call makes one API call, if time and pace allow it.
func (r *run) call(action string, do func() error) error {
	if !r.now().Before(r.deadline) {
		return late(action)
	}
	if wait := r.Instance.limiter.take(action, r.now()); wait > 0 {
		return pause(wait)
	}
	return r.callNow(action, do)
}

// callNow makes one API call that can no longer wait.
func (r *run) callNow(action string, do func() error) error {
	r.calls++
	if r.Stats != nil {
		r.Stats.Calls.Add(1)
	}
	err := do()
	var answer *APIError
	if errors.As(err, &answer) && behaviourOf(answer.Code).reaction == reactThrottle {
		r.Instance.limiter.drain(action, r.now())
	}
	return err
}

// hold is an answer whose look-up ended without a decision: wait as backoff says, then try again.
type hold struct {
	error
	backoff backoff
}

func (h hold) Unwrap() error { return h.error }

// attempts counts the failures of one job and keeps the last. A look-up that succeeds in between proves nothing of the call
// that failed, so it does not start the count afresh.
type attempts struct {
	failures int
	last     *Error
	late     late // the call for which no time was left
	due      bool // no call was made since the last failure
}

// attempt does what may make calls. The first one after a failure is a retry: one for which no time or pace is left
// is none.
func (r *run) attempt(a *attempts, do func() error) error {
	before := r.calls
	err := do()
	if a.due && r.calls > before {
		a.due = false
		if r.Stats != nil {
			r.Stats.Retries.Add(1)
		}
	}
	return err
}

// again says how long to wait before the call that failed with err may be made again; false says that it may not.
func (r *run) again(a *attempts, err error) (time.Duration, bool) {
	if errors.As(err, &a.late) {
		return r.deadline.Sub(r.now()), true // the deadline ends the wait, and with it the job
	}
	var held pause
	if errors.As(err, &held) {
		if a.last == nil {
			a.last = &Error{Code: codePaced, Kind: KindPaced, Retryable: true,
				Message: "SNAPSHOT_CALLS_PER_MINUTE allows no more calls now: repeat the same order after a minute"}
		}
		return time.Duration(held), true
	}
	a.last = AsError(err)
	var b backoff
	var busy hold
	switch reaction := behaviourOf(a.last.Code).reaction; {
	case errors.As(err, &busy):
		b = busy.backoff
	case reaction == reactRetry:
		b = retryBackoff
	case reaction == reactThrottle:
		b = throttleBackoff
	case reaction == reactWait:
		b = busyBackoff
	default:
		return 0, false
	}
	wait := b.wait(a.failures, r.random())
	if left := r.deadline.Sub(r.now()); b != busyBackoff && wait >= left && left > lastChance {
		wait = left - lastChance
	}
	a.failures++
	a.due = true
	return wait, true
}

// listSnapshots returns the snapshots of a region, by the list that this run has or, with anew, by a new one.
func (r *run) listSnapshots(ctx context.Context, id string, anew bool) ([]Snapshot, error) {
	known := r.region(id)
	if known.listed && !anew {
		return known.snapshots, nil
	}
	all, err := pages(func(page int) ([]Snapshot, int, error) {
		var got SnapshotPage
		err := r.call("ListSnapshots", func() (err error) {
			got, err = r.API.ListSnapshots(ctx, id, page)
			return err
		})
		return got.Snapshots, got.Total, err
	})
	if err != nil {
		return nil, err
	}
	known.listed, known.snapshots = true, make([]Snapshot, 0, len(all))
	seen := make(map[string]bool, len(all))
	for _, one := range all {
		if seen[one.ID] {
			continue // doubled, it would count twice
		}
		seen[one.ID] = true
		one.RegionID = id
		known.snapshots = append(known.snapshots, one)
	}
	r.Instance.learn(known.snapshots)
	return known.snapshots, nil
}

// listDisks returns the disks of a region; a run asks once.
func (r *run) listDisks(ctx context.Context, id string) ([]Disk, error) {
	known := r.region(id)
	if known.disksKnown {
		return known.disks, nil
	}
	all, err := pages(func(page int) ([]Disk, int, error) {
		var got DiskPage
		err := r.call("ListDisks", func() (err error) {
			got, err = r.API.ListDisks(ctx, id, page)
			return err
		})
		return got.Disks, got.Total, err
	})
	if err != nil {
		return nil, err
	}
	known.disksKnown, known.disks = true, all
	return all, nil
}

// pages collects every page of a list. A list that changes between two pages may repeat an element or
// leave one out.
func pages[T any](page func(int) ([]T, int, error)) ([]T, error) {
	var all []T
	for n := 1; ; n++ {
		got, total, err := page(n)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
		if len(got) == 0 || len(all) >= total {
			return all, nil
		}
	}
}

// took adds a snapshot that this run took to what it knows. The API may have answered a redelivery with one that is
// listed already.
func (r *run) took(one Snapshot) {
	r.fresh[one.ID] = true
	known := r.region(one.RegionID)
	if known.listed && !slices.ContainsFunc(known.snapshots, func(other Snapshot) bool { return other.ID == one.ID }) {
		known.snapshots = append(known.snapshots, one)
	}
}

// condemn settles on a victim: no other snapshot of its server goes in this run, even if no answer to its deletion ever
// comes.
func (r *run) condemn(target Target, victim Snapshot) {
	r.deleted[r.situation(target, "", false).server(victim.DiskID)] = true
}

// lost removes a snapshot that this run deleted from what it knows.
func (r *run) lost(regionID, id string) {
	known := r.region(regionID)
	kept := make([]Snapshot, 0, len(known.snapshots))
	for _, one := range known.snapshots {
		if one.ID != id {
			kept = append(kept, one)
		}
	}
	known.snapshots = kept
}

// slots counts the slots of a target's server, as far as this run has listed it.
func (r *run) slots(target Target) *SlotCount {
	if !r.region(target.RegionID).listed || target.DiskID == "" {
		return nil
	}
	return &SlotCount{Used: len(r.situation(target, "", false).onServer()), Of: SlotsPerServer}
}

// situation is what a plan for target in this run depends on.
func (r *run) situation(target Target, role string, full bool) *situation {
	known := r.region(target.RegionID)
	return &situation{
		targets: r.targetsIn(target.RegionID), snapshots: known.snapshots, now: r.now(),
		disksKnown: known.disksKnown, disks: known.disks,
		target: target, role: role, full: full, fresh: r.fresh, deleted: r.deleted,
	}
}

// targetsIn returns the targets of a region with their disks, as far as these are known.
func (r *run) targetsIn(regionID string) []Target {
	var here []Target
	for _, target := range r.Policy.Targets {
		target.RegionID = r.regionOf(target)
		if target.RegionID != regionID {
			continue
		}
		if target.DiskID == "" {
			target.DiskID = r.systemDisk(regionID, target.InstanceID)
		}
		here = append(here, target)
	}
	return here
}

// regionOf returns the region of a target: its own, else that of the policy.
func (r *run) regionOf(target Target) string {
	if target.RegionID != "" {
		return target.RegionID
	}
	return r.Policy.RegionID
}

// systemDisk returns the system disk of a server as far as this run or instance knows it, or "".
func (r *run) systemDisk(regionID, instanceID string) string {
	for _, disk := range r.region(regionID).disks {
		if disk.InstanceID == instanceID && disk.System {
			return disk.ID
		}
	}
	return r.Instance.systemDisk(regionID, instanceID)
}

// findDisk fills in the disk of a target that names a server: its system disk.
func (r *run) findDisk(ctx context.Context, target *Target) error {
	if target.DiskID != "" || target.InstanceID == "" || target.RegionID == "" {
		return nil
	}
	disk := r.systemDisk(target.RegionID, target.InstanceID)
	if disk == "" {
		if _, err := r.listDisks(ctx, target.RegionID); err != nil {
			return err
		}
		disk = r.systemDisk(target.RegionID, target.InstanceID)
	}
	if disk == "" {
		return &Error{Code: CodeDiskGone, Kind: KindUnknown, Message: fmt.Sprintf(
			"instance: region %s has no server %s with a system disk: it was released, or its ID or region in snapshots.yaml is wrong", target.RegionID, quote(target.InstanceID))}
	}
	r.Instance.rememberSystemDisk(target.RegionID, target.InstanceID, disk)
	target.DiskID = disk
	return nil
}
