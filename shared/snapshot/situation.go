package snapshot

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// situation is everything that a plan depends on. Plans are pure functions of it.
type situation struct {
	targets   []Target   // of the policy, with their disks resolved
	snapshots []Snapshot // of the region
	now       time.Time

	disksKnown bool
	disks      []Disk // of the region
	alive      string // a disk that the API has just proved to exist, where the disks are not known; "": none

	target  Target          // for which the plan is made
	role    string          // of the snapshot to take; "" in a sweep
	full    bool            // the API said that no slot is free
	fresh   map[string]bool // snapshots that this run took
	deleted map[string]bool // servers that lose a snapshot in this run
}

// targetOf returns the target whose disk a snapshot is of. Where two targets share a disk, it is the one that has slots
// for the snapshot's role, else the first.
func (s *situation) targetOf(one Snapshot) (owner Target, found bool) {
	if one.DiskID == "" {
		return Target{}, false
	}
	for _, target := range append(slices.Clip(s.targets), s.target) {
		if target.DiskID != one.DiskID {
			continue
		}
		if _, named := target.slots(one.role()); named {
			return target, true
		}
		if !found {
			owner, found = target, true
		}
	}
	return owner, found
}

func (s *situation) disk(id string) (Disk, bool) {
	for _, disk := range s.disks {
		if disk.ID == id {
			return disk, true
		}
	}
	return Disk{}, false
}

// server names the server of a disk: by the list of disks, else by a snapshot of this disk that knows its server
// (those of data disks do not), else by the policy. A disk without a known server counts as one of its own.
func (s *situation) server(diskID string) string {
	if disk, ok := s.disk(diskID); ok && disk.InstanceID != "" {
		return disk.InstanceID
	}
	for _, one := range s.snapshots {
		if one.DiskID == diskID && one.InstanceID != "" {
			return one.InstanceID
		}
	}
	for _, target := range s.targets {
		if target.DiskID == diskID && target.InstanceID != "" {
			return target.InstanceID
		}
	}
	return ownServer + diskID
}

// ownServer begins the name of the server of a disk whose server is not known.
const ownServer = "disk "

// unplaced tells whether, for all that is known without the list of disks, a snapshot of another disk may or may not
// be on the target's server: those of data disks do not name theirs.
func (s *situation) unplaced() bool {
	here := strings.HasPrefix(s.server(s.target.DiskID), ownServer)
	for _, one := range s.snapshots {
		if one.DiskID != s.target.DiskID && (here || one.InstanceID == "" && strings.HasPrefix(s.server(one.DiskID), ownServer)) {
			return true
		}
	}
	return false
}

// onServer returns the snapshots that occupy slots of the target's server, newest first.
func (s *situation) onServer() []Snapshot {
	server := s.server(s.target.DiskID)
	var here []Snapshot
	for _, one := range s.snapshots {
		if one.DiskID == s.target.DiskID || one.InstanceID == server || s.server(one.DiskID) == server {
			here = append(here, one)
		}
	}
	slices.SortFunc(here, newestFirst)
	return here
}

// newestGood returns the newest good snapshot of a disk, whoever took it.
func (s *situation) newestGood(diskID string) (newest Snapshot, found bool) {
	for _, one := range s.snapshots {
		if one.DiskID == diskID && one.Good() && (!found || newestFirst(one, newest) < 0) {
			newest, found = one, true
		}
	}
	return newest, found
}

// pin returns why a snapshot is pinned, or "".
func (s *situation) pin(one Snapshot) string { return pinned(one, s.now) }

// place returns the place of a good snapshot of ours in the count of its role, from 1. Pinned ones come first, for
// they hold their slots; then, at a full server, the one that is to be taken; then the others, newest first.
func (s *situation) place(target Target, one Snapshot) int {
	before := 0
	if s.role == one.role() && target.Name == s.target.Name && s.atCap() {
		before++
	}
	for _, other := range s.snapshots {
		if other.DiskID != one.DiskID || !other.Good() || other.role() != one.role() || other.ID == one.ID {
			continue
		}
		if s.pin(other) != "" || newestFirst(other, one) < 0 {
			before++
		}
	}
	return before + 1
}

// atCap tells whether one must go before another can be taken.
func (s *situation) atCap() bool { return s.full || len(s.onServer()) >= SlotsPerServer }

// newestFirst orders snapshots by creation time; equal times by ID, so that every run sees one order.
func newestFirst(a, b Snapshot) int {
	return cmp.Or(b.CreationTime.Compare(a.CreationTime), strings.Compare(b.ID, a.ID))
}
