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
	return once(&r.snapshots, region, page, func() (snapshot.SnapshotPage, error) {
		return r.API.ListSnapshots(ctx, region, page)
	})
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
// and a user waits here.
const patience = 15 * time.Second

// server is what the targets of one server keep together.
type server struct {
	targets []snapshot.Target
	terms   []string // daily 1 + deploy 1
	keep    int
}

// targets looks at the disk and the slots of each target, at what the targets of a server keep together, and at the
// account's cap.
func (in *inspection) targets(ctx context.Context) {
	servers := make(map[string]*server)
	owner, used := make(map[string]string), make(map[string]int)
	for _, target := range in.policy.Targets {
		check := "target " + target.Name
		limited, cancel := context.WithTimeout(ctx, patience)
		plan, err := in.core.Plan(limited, target.Name)
		cancel()
		if err != nil {
			in.failed(check, err)
			continue
		}
		disk, err := in.disk(ctx, target)
		if err != nil {
			in.failed(check, err)
			continue
		}
		if first, twice := owner[disk.ID]; twice {
			in.fail(check, "it has the disk of "+first+", "+disk.ID+": nothing of the disk is deleted",
				"make one target of them, with the roles of both")
			continue
		}
		owner[disk.ID], used[disk.InstanceID] = target.Name, plan.Used
		if servers[disk.InstanceID] == nil {
			servers[disk.InstanceID] = &server{}
		}
		here := servers[disk.InstanceID]
		here.targets = append(here.targets, target)
		here.keep += keepSum(target)
		for _, slots := range target.Keep {
			here.terms = append(here.terms, fmt.Sprintf("%s of %s %d", slots.Role, target.Name, slots.Count))
		}
		in.target(target, disk, plan)
	}
	for _, id := range slices.Sorted(maps.Keys(servers)) {
		in.server(id, servers[id])
	}
	in.account(ctx, used)
}

// keepSum is how many slots a target keeps in all roles.
func keepSum(target snapshot.Target) int {
	sum := 0
	for _, slots := range target.Keep {
		sum += slots.Count
	}
	return sum
}

// server checks what the targets of a server keep together, where only the API shows that they are on one server.
func (in *inspection) server(id string, one *server) {
	if len(one.targets) < 2 {
		return // the policy was refused if one target keeps too many
	}
	orders := slices.ContainsFunc(one.targets, func(t snapshot.Target) bool { return !in.policy.ScheduleOnly(t.Name) })
	switch sum := fmt.Sprintf("%s = %d slots", strings.Join(one.terms, " + "), one.keep); {
	case one.keep > snapshot.SlotsPerServer:
		in.fail("server "+id, "its targets keep "+sum+", and it has "+fmt.Sprint(snapshot.SlotsPerServer),
			"keep fewer in snapshots.yaml")
	case one.keep == snapshot.SlotsPerServer && orders:
		in.fail("server "+id, "its targets keep "+sum+", which leaves none free for an order",
			"keep at most 2 together, or let only the schedule take there")
	case one.keep == snapshot.SlotsPerServer:
		in.fail("server "+id, "its targets keep "+sum+" on several disks, which leaves none free for the next one",
			"keep at most 2 together")
	}
}

// target checks one target whose disk was found, and says what is to be expected of it.
func (in *inspection) target(target snapshot.Target, disk snapshot.Disk, plan snapshot.Plan) {
	check, wanted := "target "+target.Name, keepSum(target)
	what := fmt.Sprintf("disk %s, %d of %d slots used, keep %d", disk.ID, plan.Used, plan.Of, wanted)
	switch {
	case !canBeTaken(disk.Status):
		in.warn(check, what+", and the disk is "+disk.Status,
			"a snapshot is refused (IncorrectStatus) until the disk is in use or available")
	case wanted == 0:
		in.warn(check, what+", no keep: nothing is ever deleted", "name the slots of each role under keep")
	case target.MaxAge == 0:
		in.warn(check, what+", no maxAge: you are not notified when snapshots stay away",
			"set maxAge, a little longer than the longest gap of the schedule")
	default:
		in.ok(check, what)
	}
	if plan.Blocked != "" {
		in.fail(check, plan.Blocked, "delete or unpin one of them, or change keep in snapshots.yaml")
	}
	for _, one := range plan.Outlook {
		switch {
		case one.Blocked != "":
			in.warn(check, one.Blocked, "delete or unpin one of them, or change keep in snapshots.yaml")
		case !one.Next.IsZero():
			in.ok(check, "role "+one.Role+" is due next at "+one.Next.In(location(in.policy.Policy)).Format(timeForm))
		}
	}
	for _, text := range plan.Warnings {
		in.warn(check, text, "")
	}
}

// canBeTaken reports whether a snapshot can be taken of a disk in this status. The page of CreateSnapshot names none;
// those of ListDisks are ReIniting, Creating, In_Use, Available and Attaching, of which two are at rest.
func canBeTaken(status string) bool {
	return status == "" || strings.EqualFold(status, "In_Use") || strings.EqualFold(status, "Available")
}

// disk looks for a target's disk in the pages of its region.
func (in *inspection) disk(ctx context.Context, target snapshot.Target) (snapshot.Disk, error) {
	region := in.regionOf(target)
	for page, seen := 1, 0; ; page++ {
		got, err := in.core.API.ListDisks(ctx, region, page)
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
				Message: "region " + region + " has no disk " + target.DiskID +
					": correct the disk or its region in snapshots.yaml"}
		}
	}
}

// accountTight is from how many servers on the account's cap is less than that of its servers together.
const accountTight = 6

// account compares what is kept with what an account holds, as far as the regions of the policy show.
func (in *inspection) account(ctx context.Context, used map[string]int) {
	wanted := 0
	for _, target := range in.policy.Targets {
		wanted += keepSum(target)
	}
	servers, taken, err := in.count(ctx)
	if err != nil {
		in.failed("account", err)
		return
	}
	most := min(snapshot.SlotsPerServer*servers, snapshot.SlotsPerAccount)
	what := fmt.Sprintf("%d of min(3 x %d servers, %d) = %d slots used, keep %d, in the regions of the policy", taken,
		servers, snapshot.SlotsPerAccount, most, wanted)
	protected := 0
	for _, n := range used {
		protected += n
	}
	switch others := taken - protected; {
	case wanted > most:
		in.warn("account", what, "keep fewer, or wait for the servers: else an order is blocked when the account is full")
	case servers >= accountTight && most-wanted-others < snapshot.SlotsPerServer:
		in.warn("account", fmt.Sprintf("%s; %d are of servers that are no target: fewer than %d stay free, "+
			"so orders may wait two to three hours for one", what, others, snapshot.SlotsPerServer),
			"set maxEventAge: 4h, let the platform's retries last as long, or keep fewer")
	case wanted+others > most:
		in.warn("account", fmt.Sprintf("%s; %d are of servers that are no target", what, others),
			"delete some of those, or keep fewer: else an order is blocked when the account is full")
	default:
		in.ok("account", what)
	}
}

// count returns how many servers the account has in the regions of the policy, and how many snapshots.
func (in *inspection) count(ctx context.Context) (servers, snapshots int, err error) {
	seen := make(map[string]bool)
	for _, region := range in.regions() {
		page, err := in.core.API.ListSnapshots(ctx, region, 1)
		if err != nil {
			return 0, 0, err
		}
		snapshots += max(page.Total, len(page.Snapshots))
		for number, listed := 1, 0; ; number++ {
			got, err := in.core.API.ListDisks(ctx, region, number)
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
