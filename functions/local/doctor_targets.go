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

// planTimeout limits the retries of listing a target's snapshots: a user waits for them.
const planTimeout = 15 * time.Second

// accountTight is from how many servers on the account's cap is less than that of its servers together.
const accountTight = 6

// serverSum is what the targets of one server keep together.
type serverSum struct {
	targets []snapshot.Target
	terms   []string // daily of web-1 1
	keep    int      // slots
	used    int      // slots
}

// checkTargets looks each target up, and compares what they keep with the slots of their servers and the account.
func (in *inspection) checkTargets(ctx context.Context) {
	servers := make(map[string]*serverSum)
	owner := make(map[string]string) // names of targets by disk
	for _, target := range in.policy.Targets {
		check := "target " + target.Name
		limited, cancel := context.WithTimeout(ctx, planTimeout)
		plan, err := in.service.Plan(limited, target.Name)
		cancel()
		if err != nil {
			in.failed(check, err)
			continue
		}
		disk, err := in.diskOf(ctx, target)
		if err != nil {
			in.failed(check, err)
			continue
		}
		if first, twice := owner[disk.ID]; twice {
			in.fail(check, "it has the disk of "+first+", "+disk.ID+": nothing of the disk is deleted",
				"make one target of them, with the roles of both")
			continue
		}
		owner[disk.ID] = target.Name
		sum := servers[disk.InstanceID]
		if sum == nil {
			sum = &serverSum{}
			servers[disk.InstanceID] = sum
		}
		sum.targets = append(sum.targets, target)
		sum.used = plan.Used
		sum.keep += keepSum(target)
		for _, slots := range target.Keep {
			sum.terms = append(sum.terms, fmt.Sprintf("%s of %s %d", slots.Role, target.Name, slots.Count))
		}
		in.checkTarget(target, disk, plan)
	}
	protected := 0
	for _, id := range slices.Sorted(maps.Keys(servers)) {
		in.checkServer(id, servers[id])
		protected += servers[id].used
	}
	in.checkAccount(ctx, protected)
}

// keepSum returns how many slots a target keeps in all roles.
func keepSum(target snapshot.Target) int {
	sum := 0
	for _, slots := range target.Keep {
		sum += slots.Count
	}
	return sum
}

// checkServer checks what the targets of a server keep together, where only the API shows that they are on one server.
func (in *inspection) checkServer(id string, one *serverSum) {
	if len(one.targets) < 2 {
		return // the policy was refused if one target keeps too many
	}
	check, sum := "server "+id, fmt.Sprintf("its targets keep %s = %d slots", strings.Join(one.terms, " + "), one.keep)
	orders := slices.ContainsFunc(one.targets, func(t snapshot.Target) bool { return !in.policy.ScheduleOnly(t.Name) })
	switch {
	case one.keep > snapshot.SlotsPerServer:
		in.fail(check, fmt.Sprintf("%s, and it has %d", sum, snapshot.SlotsPerServer), "keep fewer in snapshots.yaml")
	case one.keep == snapshot.SlotsPerServer && orders:
		in.fail(check, sum+", which leaves none free for an order",
			"keep at most 2 together, or let only the schedule take there")
	case one.keep == snapshot.SlotsPerServer:
		in.fail(check, sum+" on several disks, which leaves none free for the next one", "keep at most 2 together")
	}
}

// checkTarget checks one target whose disk was found, and notes what is to be expected of it.
func (in *inspection) checkTarget(target snapshot.Target, disk snapshot.Disk, plan snapshot.Plan) {
	const blockedAdvice = "delete or unpin one of them, or change keep in snapshots.yaml"
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
		in.fail(check, plan.Blocked, blockedAdvice)
	}
	for _, one := range plan.Outlook {
		switch {
		case one.Blocked != "":
			in.warn(check, one.Blocked, blockedAdvice)
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

// diskOf returns the disk of a target.
func (in *inspection) diskOf(ctx context.Context, target snapshot.Target) (snapshot.Disk, error) {
	region := in.regionOf(target)
	disks, err := in.listDisks(ctx, region)
	if err != nil {
		return snapshot.Disk{}, err
	}
	for _, one := range disks {
		if one.ID == target.DiskID || target.DiskID == "" && one.System && one.InstanceID == target.InstanceID {
			return one, nil
		}
	}
	return snapshot.Disk{}, &snapshot.Error{Code: snapshot.CodeDiskNotFound, Kind: snapshot.KindUnknown,
		Message: "region " + region + " has no disk " + target.DiskID + ": correct the disk or its region in snapshots.yaml"}
}

// listDisks returns all disks of a region.
func (in *inspection) listDisks(ctx context.Context, region string) ([]snapshot.Disk, error) {
	var all []snapshot.Disk
	for number := 1; ; number++ {
		page, err := in.service.API.ListDisks(ctx, region, number)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Disks...)
		if len(page.Disks) == 0 || len(all) >= page.Total {
			return all, nil
		}
	}
}

// checkAccount compares what is kept with what an account holds, as far as the regions of the policy show. protected
// is how many slots the servers of the targets use.
func (in *inspection) checkAccount(ctx context.Context, protected int) {
	wanted := 0
	for _, target := range in.policy.Targets {
		wanted += keepSum(target)
	}
	servers, taken, err := in.count(ctx)
	if err != nil {
		in.failed("account", err)
		return
	}
	limit, others := min(snapshot.SlotsPerServer*servers, snapshot.SlotsPerAccount), taken-protected
	what := fmt.Sprintf("%d of min(3 x %d servers, %d) = %d slots used, keep %d, in the regions of the policy", taken,
		servers, snapshot.SlotsPerAccount, limit, wanted)
	withOthers := fmt.Sprintf("%s; %d are of servers that are no target", what, others)
	switch {
	case wanted > limit:
		in.warn("account", what, "keep fewer, or wait for the servers: else an order is blocked when the account is full")
	case servers >= accountTight && limit-wanted-others < snapshot.SlotsPerServer:
		in.warn("account", fmt.Sprintf("%s: fewer than %d stay free, so orders may wait two to three hours for one",
			withOthers, snapshot.SlotsPerServer),
			"set maxEventAge: 4h, let the platform's retries last as long, or keep fewer")
	case wanted+others > limit:
		in.warn("account", withOthers,
			"delete some of those, or keep fewer: else an order is blocked when the account is full")
	default:
		in.ok("account", what)
	}
}

// count returns how many servers the account has in the regions of the policy, and how many snapshots.
func (in *inspection) count(ctx context.Context) (servers, snapshots int, err error) {
	seen := make(map[string]bool)
	for _, region := range in.regions() {
		page, err := in.service.API.ListSnapshots(ctx, region, 1)
		if err != nil {
			return 0, 0, err
		}
		snapshots += max(page.Total, len(page.Snapshots))
		disks, err := in.listDisks(ctx, region)
		if err != nil {
			return 0, 0, err
		}
		for _, disk := range disks {
			if disk.InstanceID != "" {
				seen[disk.InstanceID] = true
			}
		}
	}
	return len(seen), snapshots, nil
}
