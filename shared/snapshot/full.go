package snapshot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// explain lets the state of the region decide what a refusal of CreateSnapshot means for an order. It ends the order,
// or reports that the call is worth repeating.
func (t *taking) explain(ctx context.Context, refused error) (again bool, err error) {
	if _, err := t.list(ctx, t.request.RegionID, time.Now(), &t.tries); err != nil {
		return false, err
	}
	if done, err := t.findOwn(); done || err != nil {
		return false, err
	}
	running, isRunning := inProgress(t.ofDisk())
	switch code := codeOf(refused); {
	case code == CodeNameDuplicate:
		return t.nameTaken(ctx, refused)
	case code == CodeMismatch:
		return false, refused
	case isRunning && running.ours() && !t.situation().stuck(running):
		return false, t.join(ctx, running)
	case isRunning:
		return false, t.busy(running)
	case code == CodeLimitExceed:
		return false, t.full(ctx)
	}
	// The disk is said to be busy, and the list does not show it: one of the two is late.
	if t.backOffBy(ctx, &t.tries, busyBackoff) {
		return true, nil
	}
	return false, refused
}

// nameTaken is final when the list shows who has the name. One that is not listed may be our own of a lost answer, and
// then the list is only late.
func (t *taking) nameTaken(ctx context.Context, refused error) (bool, error) {
	listed := slices.ContainsFunc(t.known(t.request.RegionID), func(one Snapshot) bool { return one.Name == t.request.SnapshotName })
	if t.order.SnapshotName != "" || listed {
		return false, refused
	}
	if t.backOffBy(ctx, &t.tries, retryBackoff) {
		return true, nil
	}
	later := *AsError(refused)
	later.Retryable = true
	later.Message = "the name of this order's snapshot is taken, and the list does not show it yet: repeat the same order in a minute"
	later.Advice = ""
	return false, &later
}

// busy is the error of an order that cannot join the snapshot of its disk that is in progress.
func (t *taking) busy(running Snapshot) error {
	why := "is not ours"
	switch {
	case t.situation().stuck(running):
		why = "has been in progress for more than " + age(stuckAge)
	case running.ours():
		why = "serves as many orders as it can be marked with"
	}
	return &Error{Code: CodeCreatingSnapshot, Kind: KindConflict, Retryable: true, Message: fmt.Sprintf(
		"%s of this disk is in progress and %s: repeat the same order once it is done, in 10 to 30 minutes", running.ID, why)}
}

// joinedMax is how many orders may join one snapshot.
const joinedMax = 5

// join marks the snapshot that is being taken as that of this order, too. Each order has a tag of its own, so that no
// mark is lost where two join at once. Token and meta are sent again unchanged: that TagResources keeps the other tags
// is not documented.
func (t *taking) join(ctx context.Context, host Snapshot) error {
	if host.joined() >= joinedMax || len(host.Tags) >= TagMax {
		return t.busy(host)
	}
	token, _ := host.Tag(TagToken)
	text, _ := host.Tag(TagMeta)
	mark, _ := t.request.tag(TagMeta)
	tags := []Tag{{TagToken, token}, {TagMeta, text}, {joinedTag(t.request.ClientToken), mark}}
	if err := t.call(ctx, "TagResources", &t.tries, func(ctx context.Context) error {
		return t.API.TagSnapshot(ctx, host.RegionID, host.ID, tags)
	}); err != nil {
		known := *AsError(err)
		known.Message = fmt.Sprintf("%s of this disk is in progress, and marking it as this order's, too, failed: %s", host.ID, known.Message)
		known.Retryable = true
		return &known
	}
	t.done(OutcomeJoined, host)
	return nil
}

func (r Request) tag(key string) (string, bool) { return Snapshot{Tags: r.Tags}.Tag(key) }

// full decides between deferred and blocked for an order that found no slot.
func (t *taking) full(ctx context.Context) error {
	s, err := t.settled(ctx)
	if err != nil {
		return err
	}
	server := s.serverOf(t.target.DiskID)
	next := t.Policy.local(t.nextSweep())
	if s.free(server, false) > 0 {
		return &Error{Code: CodeBlocked, Kind: KindUnavailable, Retryable: true, Message: fmt.Sprintf(
			"the API has no free slot, although the list shows one (%d of %d used): the list may be late, or the account may be full in another region; "+
				"repeat the same order after the next sweep, at %s", len(s.byServer[server]), SlotsPerServer, next)}
	}
	if s.leavesSlot(t.target) {
		return &Error{Code: CodeBlocked, Kind: KindUnavailable, Retryable: true, Message: fmt.Sprintf(
			"no slot is free now (%d of %d used), and the sweeps free one: repeat the same order after the next sweep, at %s",
			len(s.byServer[server]), SlotsPerServer, next)}
	}
	if gone := s.diskGone(t.target); gone != nil {
		return gone
	}
	used := len(s.byServer[server])
	t.fail(&Error{Code: CodeBlocked, Kind: KindConflict, Message: fmt.Sprintf(
		"no slot of the server comes free by itself (%d of %d used: %s): delete or unpin one, or change keep in snapshots.yaml",
		used, SlotsPerServer, s.occupants(server)), Advice: fmt.Sprintf(
		"no slot of the server comes free by itself (%d of %d used): delete or unpin one, or change keep in snapshots.yaml",
		used, SlotsPerServer)})
	if t.result.Outcome == "" {
		t.result.Outcome, t.result.Plan = OutcomeBlocked, s.show(t.target).Items
	}
	return nil
}

// settled returns the situation of the order's region, with the list of disks where that can matter.
func (t *taking) settled(ctx context.Context) (*situation, error) {
	s := t.situation()
	alone := len(s.snapshots) == len(s.byDisk[t.target.DiskID])
	if alone || s.unplaced == 0 && !strings.HasPrefix(s.serverOf(t.target.DiskID), ownServer) {
		return s, nil
	}
	if _, err := t.listDisks(ctx, t.target.RegionID, false, &t.tries); err != nil {
		return nil, err
	}
	return t.situation(), nil
}

// situation is what the run knows of the order's region, with the made-up target of a raw order.
func (t *taking) situation() *situation {
	base := t.run.base(t.target.RegionID)
	if t.target.Name == "" {
		base.targets = append(base.targets, t.target)
	}
	return newSituation(base)
}

// base is what the run knows of a region.
func (r *run) base(regionID string) situation {
	base := situation{now: r.now(), policy: r.Policy, targets: r.targetsIn(regionID), disabled: r.disabled}
	known := r.region(regionID)
	known.guard <- struct{}{}
	defer func() { <-known.guard }()
	base.snapshots, base.disksKnown = known.snapshots, known.disksKnown
	base.disks = make(map[string]Disk, len(known.disks))
	for _, disk := range known.disks {
		base.disks[disk.ID] = disk
	}
	return base
}

// known returns the snapshots of a region as far as this run has listed it.
func (r *run) known(regionID string) []Snapshot {
	known := r.region(regionID)
	known.guard <- struct{}{}
	defer func() { <-known.guard }()
	return known.snapshots
}

// diskGone returns an error if the disk of a target is known to be gone.
func (s *situation) diskGone(target Target) *Error {
	if _, found := s.disks[target.DiskID]; found || !s.disksKnown {
		return nil
	}
	return &Error{Code: CodeDiskGone, Kind: KindUnknown, Message: fmt.Sprintf(
		"disk: region %s has no disk %s: it or its server was released, or the region in snapshots.yaml is wrong; nothing was deleted",
		target.RegionID, Quote(target.DiskID))}
}
