package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// run is one invocation's work: what it knows of the regions, and until when it may go on.
type run struct {
	*Service
	now     func() time.Time
	regions map[string]*region
	guard   chan struct{} // holds one element: who takes it may touch regions
}

// region is what a run knows of one region. It is locked by its guard while a list is asked for, so that orders share it.
type region struct {
	guard    chan struct{}
	listed   bool
	askedAt  time.Time // of the list, by the machine's clock: when its first page was asked for
	listedAt time.Time // when its first page was answered

	snapshots []Snapshot

	disksKnown bool
	disks      []Disk
}

// reserve is how much of the time to the deadline is left unused, so that the answer still gets out.
const reserve = 2 * time.Second

// noDeadline is the time that an invocation allows itself where the platform sets no deadline.
const noDeadline = time.Minute

// begin begins a run, and returns the context of its calls.
func (s *Service) begin(ctx context.Context) (*run, context.Context, context.CancelFunc) {
	r := &run{Service: s, now: s.Now, regions: make(map[string]*region), guard: make(chan struct{}, 1)}
	if r.now == nil {
		r.now = time.Now
	}
	end := time.Now().Add(noDeadline)
	if deadline, ok := ctx.Deadline(); ok {
		// A caller who waits sets deadlines of a few seconds: those keep a fifth instead.
		end = deadline.Add(-min(reserve, time.Until(deadline)/5))
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	return r, ctx, cancel
}

func (r *run) region(id string) *region {
	r.guard <- struct{}{}
	defer func() { <-r.guard }()
	known := r.regions[id]
	if known == nil {
		known = &region{guard: make(chan struct{}, 1)}
		r.regions[id] = known
	}
	return known
}

// backoff is an exponential wait with jitter: at least floor, plus a random part of an interval that doubles with
// each attempt up to ceiling.
type backoff struct{ floor, base, ceiling time.Duration }

var (
	// retryBackoff has full jitter, as Alibaba's "How to ensure idempotence" asks for a retry with the same token.
	retryBackoff = backoff{base: 500 * time.Millisecond, ceiling: 20 * time.Second}
	// throttleBackoff fits a limit of about 10 calls a minute.
	throttleBackoff = backoff{floor: 2 * time.Second, base: 6 * time.Second, ceiling: 30 * time.Second}
	// busyBackoff fits a disk or server that another operation holds.
	busyBackoff = backoff{floor: 10 * time.Second, base: 20 * time.Second, ceiling: time.Minute}
)

// wait returns how long to wait after the attempt, counted from 0; random is in [0, 1).
func (b backoff) wait(attempt int, random float64) time.Duration {
	interval := b.ceiling
	if attempt < 16 {
		interval = min(b.ceiling, b.base<<attempt)
	}
	return b.floor + time.Duration(random*float64(interval))
}

// lastChance is how long before the deadline the last attempt is made, where a longer wait would let the time pass
// unused.
const lastChance = time.Second

// Attempts that a sweep makes of one call that gets no answer: the next sweep is the retry, and in an outage the others
// must not wait. An order goes on until its deadline.
const (
	sweepTries = 3
	noLimit    = 1 << 20
)

// retry is how often a call is made that the API does not answer, and how often it was. An order that looks at a list
// between two attempts keeps counting.
type retry struct {
	limit    int
	failures int
}

// call makes one API call, and repeats it as long as its error, the limit and the deadline allow. Its error is an
// [*APIError], or an [*Error] where no call could be made.
func (r *run) call(ctx context.Context, action string, tries *retry, do func(context.Context) error) error {
	var last error
	for {
		if err := r.pace(ctx, action); err != nil {
			return cmp.Or(last, err) // what the API said tells more than that no time is left
		}
		if last = r.once(ctx, tries, do); last == nil {
			return nil
		}
		if again := r.backOff(ctx, tries, last); !again {
			return last
		}
	}
}

// once makes one API call for which the pace has given its permission.
func (r *run) once(ctx context.Context, tries *retry, do func(context.Context) error) error {
	if r.Stats != nil {
		r.Stats.Calls.Add(1)
		if tries.failures > 0 {
			r.Stats.Retries.Add(1)
		}
	}
	return do(ctx)
}

// backOff waits after a failed call, and reports whether it may be repeated.
func (r *run) backOff(ctx context.Context, tries *retry, err error) bool {
	var b backoff
	switch behaviourOf(AsError(err).Code).reaction {
	case reactRetry:
		b = retryBackoff
	case reactThrottle:
		b = throttleBackoff
	case reactWait:
		b = busyBackoff
	default:
		return false
	}
	return r.backOffBy(ctx, tries, b)
}

func (r *run) backOffBy(ctx context.Context, tries *retry, b backoff) bool {
	wait := b.wait(tries.failures, r.random())
	tries.failures++
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	if b != busyBackoff && wait >= left && left > lastChance {
		wait = left - lastChance
	}
	return tries.failures < tries.limit && wait < left && r.sleep(ctx, wait)
}

// pace waits until SNAPSHOT_CALLS_PER_MINUTE allows a call of action. Its error says that this would be too late.
func (r *run) pace(ctx context.Context, action string) error {
	for {
		deadline, _ := ctx.Deadline()
		left := time.Until(deadline)
		if ctx.Err() != nil || left <= 0 {
			return outOfTime(action)
		}
		wait := r.Instance.limiter.take(action, time.Now())
		if wait == 0 {
			return nil
		}
		if wait >= left || !r.sleep(ctx, wait) {
			return &Error{Code: codePaced, Kind: KindPaced, Retryable: true,
				Message: "SNAPSHOT_CALLS_PER_MINUTE allows no more calls of " + action + " now: repeat the same order after a minute"}
		}
	}
}

// sleep waits, and reports whether ctx still allows to go on.
func (r *run) sleep(ctx context.Context, d time.Duration) bool {
	start := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if r.Stats != nil {
		r.Stats.Waited.Add(int64(time.Since(start)))
	}
	return ctx.Err() == nil
}

func (r *run) random() float64 {
	if r.Rand == nil {
		return 1
	}
	return r.Rand()
}

// outOfTime is the error of a call for which no time is left.
func outOfTime(action string) *Error {
	return &Error{Code: CodeNoTime, Kind: KindTimeout, Retryable: true,
		Message: "no time is left before the deadline for " + action + ": repeat the same order; if that does not help, " +
			"give the function a longer timeout, or set the machine's clock"}
}

// list returns the snapshots of a region, by a list that was asked for after since; the zero time takes any list
// of this run. tries limits its retries.
func (r *run) list(ctx context.Context, id string, since time.Time, tries *retry) ([]Snapshot, error) {
	known := r.region(id)
	known.guard <- struct{}{}
	defer func() { <-known.guard }()
	if known.listed && (since.IsZero() || known.askedAt.After(since)) {
		return known.snapshots, nil
	}
	var all []Snapshot
	var askedAt, listedAt time.Time
	seen := make(map[string]bool)
	err := r.pages(ctx, "ListSnapshots", tries, func(ctx context.Context, page int) (int, int, error) {
		if page == 1 {
			askedAt = time.Now()
		}
		got, err := r.API.ListSnapshots(ctx, id, page)
		if page == 1 {
			listedAt = time.Now()
		}
		for _, one := range got.Snapshots {
			if !seen[one.ID] { // a list that changes between two pages may repeat one, which would count twice
				seen[one.ID] = true
				one.RegionID = id
				all = append(all, one)
			}
		}
		return len(got.Snapshots), got.Total, err
	})
	if err != nil {
		return nil, err
	}
	known.listed, known.askedAt, known.listedAt, known.snapshots = true, askedAt, listedAt, all
	r.Instance.learn(all)
	return all, nil
}

// listDisks returns the disks of a region, by a list that this run has or, with anew, by a new one.
func (r *run) listDisks(ctx context.Context, id string, anew bool, tries *retry) ([]Disk, error) {
	known := r.region(id)
	known.guard <- struct{}{}
	defer func() { <-known.guard }()
	if known.disksKnown && !anew {
		return known.disks, nil
	}
	var all []Disk
	err := r.pages(ctx, "ListDisks", tries, func(ctx context.Context, page int) (int, int, error) {
		got, err := r.API.ListDisks(ctx, id, page)
		all = append(all, got.Disks...)
		return len(got.Disks), got.Total, err
	})
	if err != nil {
		return nil, err
	}
	known.disksKnown, known.disks = true, all
	return all, nil
}

// pages asks for every page of a list; page returns the number of its elements and of those of all pages.
func (r *run) pages(ctx context.Context, action string, tries *retry, page func(context.Context, int) (int, int, error)) error {
	got := 0
	for n := 1; ; n++ {
		var count, total int
		err := r.call(ctx, action, tries, func(ctx context.Context) (err error) {
			count, total, err = page(ctx, n)
			return err
		})
		if err != nil {
			return err
		}
		got += count
		if count == 0 || got >= total {
			return nil
		}
	}
}

// remember adds a snapshot that this run took to what it knows. The API may have answered with one that is listed.
func (r *run) remember(one Snapshot) {
	known := r.region(one.RegionID)
	known.guard <- struct{}{}
	defer func() { <-known.guard }()
	if _, listed := find(known.snapshots, one.ID); known.listed && !listed {
		known.snapshots = append(known.snapshots, one)
	}
}

// forget removes a snapshot that this run deleted from what it knows.
func (r *run) forget(regionID, id string) {
	known := r.region(regionID)
	kept := make([]Snapshot, 0, len(known.snapshots))
	for _, one := range known.snapshots {
		if one.ID != id {
			kept = append(kept, one)
		}
	}
	known.snapshots = kept
}

func find(all []Snapshot, id string) (Snapshot, bool) {
	for _, one := range all {
		if one.ID == id {
			return one, true
		}
	}
	return Snapshot{}, false
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
	known := r.region(regionID)
	known.guard <- struct{}{}
	defer func() { <-known.guard }()
	for _, disk := range known.disks {
		if disk.InstanceID == instanceID && disk.System {
			return disk.ID
		}
	}
	return r.Instance.systemDisk(regionID, instanceID)
}

// findDisk fills in the disk of a target that names a server: its system disk.
func (r *run) findDisk(ctx context.Context, target *Target, tries *retry) error {
	if target.DiskID != "" || target.InstanceID == "" || target.RegionID == "" {
		return nil
	}
	disk := r.systemDisk(target.RegionID, target.InstanceID)
	if disk == "" {
		if _, err := r.listDisks(ctx, target.RegionID, false, tries); err != nil {
			return err
		}
		disk = r.systemDisk(target.RegionID, target.InstanceID)
	}
	if disk == "" {
		return &Error{Code: CodeDiskGone, Kind: KindUnknown, Message: fmt.Sprintf(
			"instance: region %s has no server %s with a system disk: it was released, or its ID or region in snapshots.yaml is wrong",
			target.RegionID, Quote(target.InstanceID))}
	}
	r.Instance.rememberSystemDisk(target.RegionID, target.InstanceID, disk)
	target.DiskID = disk
	return nil
}

// codeOf returns the API's code of an error, or "".
func codeOf(err error) string {
	var answer *APIError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}
