package snapshot

import (
	"context"
	"time"
)

// Listing is the snapshots that occupy the slots of a target's server, newest first.
type Listing struct {
	Target    string     `json:"target"`
	Slots     SlotCount  `json:"slots"`
	Snapshots []Snapshot `json:"-"`         // as the API lists them
	Listed    []Listed   `json:"snapshots"` // the same, as callers see them
}

// SlotCount is how many slots of a server are used, and how many it has.
type SlotCount struct {
	Used int `json:"used"`
	Of   int `json:"of"`
}

// Listed is a snapshot as callers see it.
type Listed struct {
	Target       string `json:"target,omitempty"`
	RegionID     string `json:"regionId"`
	DiskID       string `json:"diskId"`
	Role         string `json:"role,omitempty"` // empty: not ours
	SnapshotID   string `json:"snapshotId"`
	SnapshotName string `json:"snapshotName"`
	Status       Status `json:"status"`
	Progress     string `json:"progress,omitempty"`
	CreationTime string `json:"creationTime,omitempty"` // RFC 3339, UTC
	Keep         string `json:"keep,omitempty"`         // the pin: forever, or its last day
}

// Show returns a snapshot as callers see it; target is the name of the target whose disk it is of, or "".
func (s Snapshot) Show(target string) Listed {
	shown := Listed{
		Target: target, RegionID: s.RegionID, DiskID: s.DiskID, Role: s.role(), SnapshotID: s.ID, SnapshotName: s.Name,
		Status: s.Status, Progress: s.Progress, CreationTime: s.created(),
	}
	if until, _ := s.Tag(TagKeep); until != pinNone {
		shown.Keep = until
	}
	return shown
}

// List returns the snapshots on the server of a target. Its errors are [*Error].
func (s *Service) List(ctx context.Context, name string) (Listing, error) {
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	at, target, err := r.load(ctx, name)
	if err != nil {
		return Listing{}, AsError(err)
	}
	here := at.byServer[at.serverOf(target.DiskID)]
	listing := Listing{Target: name, Slots: SlotCount{len(here), SlotsPerServer}, Snapshots: here, Listed: []Listed{}}
	for _, one := range here {
		owner, _ := at.target(one)
		listing.Listed = append(listing.Listed, one.Show(owner.Name))
	}
	return listing, nil
}

// Plan returns what the next sweep would do with the snapshots of a target's server, and what is to be expected after
// it. It changes nothing. Its errors are [*Error].
func (s *Service) Plan(ctx context.Context, name string) (Plan, error) {
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	at, target, err := r.load(ctx, name)
	if err != nil {
		return Plan{}, AsError(err)
	}
	plan := at.show(target)
	plan.Later, plan.Outlook = at.later(target), at.outlook(target)
	if effect := at.pinEffect(target); effect != "" {
		plan.Warnings = append(plan.Warnings, effect)
	}
	return plan, nil
}

// Find returns a snapshot of a target's disk, and the target. It looks into every region of the policy. Its errors
// are [*Error]: CodeNoSuchID says that no target has this snapshot.
func (s *Service) Find(ctx context.Context, id string) (Snapshot, Target, error) {
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	return r.find(ctx, id)
}

func (r *run) find(ctx context.Context, id string) (Snapshot, Target, error) {
	seen := make(map[string]bool)
	failed := NoSuchSnapshot()
	for _, target := range r.Policy.Targets {
		regionID := r.regionOf(target)
		if seen[regionID] {
			continue
		}
		seen[regionID] = true
		one, owner, err := r.findIn(ctx, regionID, id)
		if err == nil {
			return one, owner, nil
		}
		if failed.Code == CodeNoSuchID {
			failed = AsError(err)
		}
	}
	return Snapshot{}, Target{}, failed
}

func (r *run) findIn(ctx context.Context, regionID, id string) (Snapshot, Target, error) {
	all, err := r.list(ctx, regionID, time.Time{}, &retry{limit: noLimit})
	if err != nil {
		return Snapshot{}, Target{}, err
	}
	one, listed := find(all, id)
	if !listed {
		return Snapshot{}, Target{}, NoSuchSnapshot()
	}
	for _, target := range r.targetsIn(regionID) {
		if target.DiskID == "" && one.InstanceID == target.InstanceID {
			target.DiskID = one.DiskID
		}
		if target.DiskID == one.DiskID {
			return one, target, nil
		}
	}
	return Snapshot{}, Target{}, NoSuchSnapshot()
}

// NoSuchSnapshot is the error about an ID that no target has, and about one that the caller may not know of: CodeNoSuchID.
func NoSuchSnapshot() *Error {
	return &Error{Code: CodeNoSuchID, Kind: KindUnknown, Message: "no configured target has this snapshot: the list or the plan of a target shows their IDs"}
}

// load returns the situation of a target's region and the target with its disk. The list of disks is asked for only
// where it can matter.
func (r *run) load(ctx context.Context, name string) (*situation, Target, error) {
	target, ok := r.Policy.Target(name)
	if !ok {
		return nil, Target{}, r.unknownTarget(name)
	}
	target.RegionID = r.regionOf(target)
	var wrong Violations
	if checkRegion(&wrong, "region", target.RegionID); wrong != nil {
		return nil, Target{}, wrong
	}
	t := &taking{run: r, target: target, tries: retry{limit: noLimit}}
	if err := r.findDisk(ctx, &t.target, &t.tries); err != nil {
		return nil, Target{}, err
	}
	if _, err := r.list(ctx, target.RegionID, time.Time{}, &t.tries); err != nil {
		return nil, Target{}, err
	}
	at, err := t.settled(ctx)
	return at, t.target, err
}
