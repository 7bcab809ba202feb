package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// remembering is a client that lists everything once: the doctor changes nothing, and the API allows about 10 calls of
// an action a minute.
type remembering struct {
	snapshot.API
	snapshots map[string]snapshot.SnapshotPage
	disks     map[string]snapshot.DiskPage
}

// ListSnapshots asks for a page that it does not know yet.
func (r *remembering) ListSnapshots(ctx context.Context, region string, page int) (snapshot.SnapshotPage, error) {
	return once(&r.snapshots, region, page, func() (snapshot.SnapshotPage, error) { return r.API.ListSnapshots(ctx, region, page) })
}

// ListDisks asks for a page that it does not know yet.
func (r *remembering) ListDisks(ctx context.Context, region string, page int) (snapshot.DiskPage, error) {
	return once(&r.disks, region, page, func() (snapshot.DiskPage, error) { return r.API.ListDisks(ctx, region, page) })
}

// once returns a page that is known, or asks for it and keeps the answer; errors are not kept.
func once[P any](pages *map[string]P, region string, page int, ask func() (P, error)) (P, error) {
	key := fmt.Sprint(region, " ", page)
	if known, ok := (*pages)[key]; ok {
		return known, nil
	}
	got, err := ask()
	if err == nil {
		if *pages == nil {
			*pages = make(map[string]P)
		}
		(*pages)[key] = got
	}
	return got, err
}

// patience is how long the core may try again to list a target's snapshots: it waits for an API that may come back,
// and somebody waits here.
const patience = 15 * time.Second

// server is what the targets of one server plan together.
type server struct {
	targets []string
	slots   int
}

// targets looks at the disk and the slots of each target, at what the targets of a server plan together, and at the
// account's cap.
func (x *examination) targets(ctx context.Context) {
	servers := make(map[string]*server)
	used := make(map[string]int)
	for _, target := range x.policy.Targets {
		check := "target " + target.Name
		limited, cancel := context.WithTimeout(ctx, patience)
		listing, err := x.core.List(limited, target.Name)
		cancel()
		if err != nil {
			x.failed(check, err)
			continue
		}
		disk, err := x.disk(ctx, target)
		if err != nil {
			x.failed(check, err)
			continue
		}
		used[disk.InstanceID] = listing.Slots.Used
		if servers[disk.InstanceID] == nil {
			servers[disk.InstanceID] = &server{}
		}
		here := servers[disk.InstanceID]
		here.targets = append(here.targets, target.Name)
		here.slots += planned(target)
		x.target(target, disk, listing.Slots)
	}
	for _, id := range slices.Sorted(maps.Keys(servers)) {
		if one := servers[id]; one.slots > snapshot.SlotsPerServer && len(one.targets) > 1 {
			x.fail("server "+id, fmt.Sprintf("its targets %s plan %d slots together, and it has %d", strings.Join(one.targets, " and "), one.slots, snapshot.SlotsPerServer),
				"keep fewer of one of them in snapshots.yaml")
		}
	}
	x.account(ctx, used)
}

// planned is how many slots a target keeps in all roles.
func planned(target snapshot.Target) int {
	sum := 0
	for _, slots := range target.Keep {
		sum += slots.Count
	}
	return sum
}

// target judges one target whose disk was found.
func (x *examination) target(target snapshot.Target, disk snapshot.Disk, slots snapshot.SlotCount) {
	check, wanted := "target "+target.Name, planned(target)
	what := fmt.Sprintf("disk %s, %d of %d slots used, %d planned", disk.ID, slots.Used, slots.Of, wanted)
	single := slices.IndexFunc(target.Keep, func(s snapshot.Slots) bool { return s.Count == 1 })
	switch {
	case !canBeTaken(disk.Status):
		x.warn(check, what+", and the disk is "+disk.Status, "a snapshot is refused (IncorrectStatus) until the disk is in use or available")
	case wanted == 0:
		x.warn(check, what+", no keep: nothing is ever deleted", "name the slots of each role under keep")
	case wanted == snapshot.SlotsPerServer && single >= 0:
		x.warn(check, what+": role "+target.Keep[single].Role+" cannot rotate twice in a row, for the newest good snapshot never goes",
			"plan 2 slots and leave one free, or give its orders a maxAge")
	case target.MaxAge == 0:
		x.warn(check, what+", no maxAge: a missed tick goes unnoticed", "set maxAge, a little longer than the timer's interval")
	default:
		x.ok(check, what)
	}
}

// canBeTaken tells whether a disk in this status can be snapshot. The page of CreateSnapshot names no statuses; those of
// ListDisks are ReIniting, Creating, In_Use, Available and Attaching, of which two are at rest.
func canBeTaken(status string) bool {
	return status == "" || strings.EqualFold(status, "In_Use") || strings.EqualFold(status, "Available")
}

// disk looks for a target's disk in the pages of its region.
func (x *examination) disk(ctx context.Context, target snapshot.Target) (snapshot.Disk, error) {
	region := x.regionOf(target)
	for page, seen := 1, 0; ; page++ {
		got, err := x.core.API.ListDisks(ctx, region, page)
		if err != nil {
			return snapshot.Disk{}, err
		}
		for _, one := range got.Disks {
			if one.ID == target.DiskID || target.DiskID == "" && one.System && one.InstanceID == target.InstanceID {
				return one, nil
			}
		}
		if seen += len(got.Disks); len(got.Disks) == 0 || seen >= got.Total {
			return snapshot.Disk{}, &snapshot.Error{Code: snapshot.CodeDiskNotFound, Kind: snapshot.KindUnknown,
				Message: "region " + region + " has no disk " + target.DiskID + ": correct the disk or its region in snapshots.yaml"}
		}
	}
}

// account compares what is planned with what an account holds, as far as the regions of the policy tell.
func (x *examination) account(ctx context.Context, used map[string]int) {
	wanted := 0
	for _, target := range x.policy.Targets {
		wanted += planned(target)
	}
	servers, taken, err := x.count(ctx)
	if err != nil {
		x.failed("account", err)
		return
	}
	most := min(snapshot.SlotsPerServer*servers, snapshot.SlotsPerAccount)
	what := fmt.Sprintf("%d of min(3 x %d servers, %d) = %d slots used, %d planned, in the regions of the policy", taken, servers, snapshot.SlotsPerAccount, most, wanted)
	protected := 0
	for _, n := range used {
		protected += n
	}
	switch others := taken - protected; {
	case wanted > most:
		x.warn("account", what, "plan fewer slots, or deploy for the servers that are there: else an order is blocked when the account is full")
	case wanted+others > most:
		x.warn("account", fmt.Sprintf("%s; %d are of servers that are no target", what, others), "delete some of those, or plan fewer slots: else an order is blocked when the account is full")
	default:
		x.ok("account", what)
	}
}

// count returns how many servers the account has in the regions of the policy, and how many snapshots.
func (x *examination) count(ctx context.Context) (servers, snapshots int, err error) {
	seen := make(map[string]bool)
	for _, region := range x.regions() {
		page, err := x.core.API.ListSnapshots(ctx, region, 1)
		if err != nil {
			return 0, 0, err
		}
		snapshots += max(page.Total, len(page.Snapshots))
		for number, listed := 1, 0; ; number++ {
			got, err := x.core.API.ListDisks(ctx, region, number)
			if err != nil {
				return 0, 0, err
			}
			for _, disk := range got.Disks {
				if disk.InstanceID != "" {
					seen[disk.InstanceID] = true
				}
			}
			if listed += len(got.Disks); len(got.Disks) == 0 || listed >= got.Total {
				break
			}
		}
	}
	return len(seen), snapshots, nil
}
