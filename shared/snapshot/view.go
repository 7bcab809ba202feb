package snapshot

import (
	"context"
	"time"
)

// Listing is the snapshots that occupy the slots of a target's server, newest first.
type Listing struct {
	Target    string     `json:"target"`
	Slots     SlotCount  `json:"slots"`
	Snapshots []Snapshot `json:"-"`
	Listed    []Listed   `json:"snapshots"`
}

// SlotCount is how many slots of a server are used, and how many it has.
type SlotCount struct {
	Used int `json:"used"`
	Of   int `json:"of"`
}

// Listed is a snapshot as outsiders see it.
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

// Show returns a snapshot as outsiders see it; target is the name of the target whose disk it is of, or "".
func (s Snapshot) Show(target string) Listed {
	shown := Listed{
		Target: target, RegionID: s.RegionID, DiskID: s.DiskID, Role: s.role(), SnapshotID: s.ID, SnapshotName: s.Name,
		Status: s.Status, Progress: s.Progress,
	}
	if !s.CreationTime.IsZero() {
		shown.CreationTime = s.CreationTime.UTC().Format(time.RFC3339)
	}
	if until, _ := s.Tag(TagKeep); until != pinNone {
		shown.Keep = until
	}
	return shown
}

// List returns the snapshots on the server of a target. Its errors are [*Error].
func (s *Service) List(ctx context.Context, name string) (Listing, error) {
	r, ctx := s.begin(ctx)
	target, err := r.load(ctx, name)
	if err != nil {
		return Listing{}, err
	}
	if r.situation(target, "", false).unplaced() {
		if err := r.persist(ctx, func() error {
			_, err := r.listDisks(ctx, target.RegionID)
			return err
		}); err != nil {
			return Listing{}, err
		}
	}
	situation := r.situation(target, "", false)
	here := situation.onServer()
	listing := Listing{Target: name, Slots: SlotCount{len(here), SlotsPerServer}, Snapshots: here, Listed: []Listed{}}
	for _, one := range here {
		owner, _ := situation.targetOf(one)
		listing.Listed = append(listing.Listed, one.Show(owner.Name))
	}
	return listing, nil
}

// Plan returns what the next sweep would do with the snapshots of a target.
// It changes nothing. Its errors are [*Error].
func (s *Service) Plan(ctx context.Context, name string) (Plan, error) {
	role := ""
	if role != "" && !ValidRole(role) {
		return Plan{}, AsError(Order{Target: name, Role: role, Key: "plan"}.Validate())
	}
	r, ctx := s.begin(ctx)
	target, err := r.load(ctx, name)
	if err != nil {
		return Plan{}, err
	}
	situation := r.situation(target, "", false)
	if _, running := situation.running(target.DiskID); role == "" && situation.stale() && !running {
		role = situation.sweepRole() // a sweep takes first what is missing
	}
	var plan Plan
	if err := r.persist(ctx, func() (err error) {
		plan, err = r.plan(ctx, target, role, false, "")
		return err
	}); err != nil {
		return Plan{}, err
	}
	if plan.Items == nil {
		plan.Items = []PlanItem{}
	}
	return plan, nil
}

// Find returns a snapshot of a target's disk, and the target. It looks into every region of the policy. Its errors
// are [*Error]: CodeNoSuchID says that no target has this snapshot.
func (s *Service) Find(ctx context.Context, id string) (Snapshot, Target, error) {
	r, ctx := s.begin(ctx)
	return r.find(ctx, id)
}

func (r *run) find(ctx context.Context, id string) (Snapshot, Target, error) {
	seen := make(map[string]bool)
	var failed error
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
		if failed == nil || AsError(failed).Code == CodeNoSuchID {
			failed = err
		}
	}
	if failed == nil {
		failed = NoSuchSnapshot()
	}
	return Snapshot{}, Target{}, failed
}

func (r *run) findIn(ctx context.Context, regionID, id string) (Snapshot, Target, error) {
	if err := r.persist(ctx, func() error {
		_, err := r.listSnapshots(ctx, regionID, false)
		return err
	}); err != nil {
		return Snapshot{}, Target{}, err
	}
	for _, one := range r.region(regionID).snapshots {
		if one.ID != id {
			continue
		}
		for _, target := range r.targetsIn(regionID) {
			if target.DiskID == "" && one.InstanceID == target.InstanceID {
				target.DiskID = one.DiskID
			}
			if target.DiskID == one.DiskID {
				return one, target, nil
			}
		}
	}
	return Snapshot{}, Target{}, NoSuchSnapshot()
}

// NoSuchSnapshot is the error about an ID that no target has, and about one that the caller may not know of: CodeNoSuchID.
func NoSuchSnapshot() *Error {
	return &Error{Code: CodeNoSuchID, Kind: KindUnknown, Message: "no configured target has this snapshot: the list or the plan of a target shows their IDs"}
}

// load returns a target with its region listed and its disk known.
func (r *run) load(ctx context.Context, name string) (Target, error) {
	target, ok := r.Policy.Target(name)
	if !ok {
		return Target{}, r.unknownTarget(name)
	}
	target.RegionID = r.regionOf(target)
	var wrong Violations
	if checkRegion(&wrong, "region", target.RegionID); wrong != nil {
		return Target{}, invalid(wrong)
	}
	err := r.persist(ctx, func() error { return r.findDisk(ctx, &target) })
	if err == nil {
		err = r.persist(ctx, func() error {
			_, err := r.listSnapshots(ctx, target.RegionID, false)
			return err
		})
	}
	return target, err
}

// persist repeats a call as long as its error and the deadline allow. Its error is an [*Error].
func (r *run) persist(ctx context.Context, do func() error) error {
	var m machine
	for {
		err := r.attempt(&m.attempts, do)
		if err == nil {
			return nil
		}
		wait, again := r.again(&m.attempts, err)
		if !again {
			return m.attempts.last
		}
		if !r.wait(ctx, r.now().Add(wait)) {
			return m.outOfTime()
		}
	}
}
