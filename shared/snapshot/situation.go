package snapshot

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
)

// situation is everything that the plan of one region depends on. Plans are pure functions of it. Make one with
// newSituation.
type situation struct {
	now       time.Time
	policy    Policy
	targets   []Target // of the policy in this region, with their disks as far as they are known
	snapshots []Snapshot

	disksKnown bool
	disks      map[string]Disk

	asked    []ask                    // roles that a timer's payload makes due
	kept     map[string]string        // by ID: snapshots that the API refused to delete in this run, and its reason
	spent    map[string]bool          // servers that lost a snapshot in this run
	usedUp   map[string]bool          // by token: attempts of this hour that the API answered with a snapshot that is gone
	disabled string                   // see Service.disabled
	forecast bool                     // a plan of a forecast: it asks for no other
	periods  map[string]time.Duration // of schedules, by target and role, as far as they were asked for

	owner    map[string]int        // by disk: index into targets
	shared   map[string][]string   // by disk: names of the targets that name it, where there are several
	byDisk   map[string][]Snapshot // newest first
	server   map[string]string     // by disk: see serverOf
	byServer map[string][]Snapshot // newest first
	unplaced int                   // snapshots whose server is not known
}

// ask is a role that a timer's payload makes due at a target.
type ask struct {
	target string
	role   string
	minute time.Time
}

// ownServer begins the name of the server of a disk whose server is not known.
const ownServer = "disk "

// newSituation indexes what a run knows of a region.
func newSituation(base situation) *situation {
	s := &base
	if s.periods == nil {
		s.periods = make(map[string]time.Duration)
	}
	s.owner, s.shared = make(map[string]int), make(map[string][]string)
	byInstance := make(map[string]string)
	for i, target := range s.targets {
		if target.DiskID == "" {
			continue
		}
		if first, twice := s.owner[target.DiskID]; !twice {
			s.owner[target.DiskID] = i
		} else {
			if s.shared[target.DiskID] == nil {
				s.shared[target.DiskID] = []string{s.targets[first].Name}
			}
			s.shared[target.DiskID] = append(s.shared[target.DiskID], target.Name)
		}
		if target.InstanceID != "" {
			byInstance[target.DiskID] = target.InstanceID
		}
	}
	s.byDisk = make(map[string][]Snapshot)
	ofSnapshots := make(map[string]string)
	for _, one := range s.snapshots {
		s.byDisk[one.DiskID] = append(s.byDisk[one.DiskID], one)
		if one.InstanceID != "" {
			ofSnapshots[one.DiskID] = one.InstanceID
		}
	}
	s.server, s.byServer = make(map[string]string), make(map[string][]Snapshot)
	place := func(diskID string) string {
		if server, known := s.server[diskID]; known {
			return server
		}
		// By the list of disks, else by a snapshot of this disk (those of data disks do not name their server), else by
		// the policy. A disk without a known server counts as one of its own.
		s.server[diskID] = cmp.Or(s.disks[diskID].InstanceID, ofSnapshots[diskID], byInstance[diskID], ownServer+diskID)
		return s.server[diskID]
	}
	for _, target := range s.targets {
		place(target.DiskID)
	}
	for diskID, all := range s.byDisk {
		sortNewestFirst(all)
		server := place(diskID)
		s.byServer[server] = append(s.byServer[server], all...)
		if strings.HasPrefix(server, ownServer) {
			s.unplaced += len(all)
		}
	}
	for _, all := range s.byServer {
		sortNewestFirst(all)
	}
	return s
}

// serverOf returns the ID of the server of a disk, or a name of its own where it is not known.
func (s *situation) serverOf(diskID string) string {
	return cmp.Or(s.server[diskID], s.disks[diskID].InstanceID, ownServer+diskID)
}

// target returns the target whose disk a snapshot is of. Of several targets with one disk, it is the first.
func (s *situation) target(one Snapshot) (Target, bool) {
	i, ok := s.owner[one.DiskID]
	if !ok || one.DiskID == "" {
		return Target{}, false
	}
	return s.targets[i], true
}

// free returns how many slots of a server are free. As long as a snapshot may be on another server than it seems,
// possible counts it as being on this one.
func (s *situation) free(server string, possible bool) int {
	used := len(s.byServer[server])
	if possible && !s.disksKnown {
		used += s.unplaced
		if strings.HasPrefix(server, ownServer) {
			used = s.unplaced + s.maxPlaced()
		}
	}
	return SlotsPerServer - used
}

// maxPlaced is the number of snapshots on the known server that has the most.
func (s *situation) maxPlaced() int {
	most := 0
	for server, all := range s.byServer {
		if !strings.HasPrefix(server, ownServer) {
			most = max(most, len(all))
		}
	}
	return most
}

// inProgress returns the newest snapshot of those given that is being taken.
func inProgress(all []Snapshot) (Snapshot, bool) {
	i := slices.IndexFunc(all, Snapshot.InProgress)
	if i < 0 {
		return Snapshot{}, false
	}
	return all[i], true
}

// newestGood returns the newest accomplished snapshot of a disk, ours or foreign.
func (s *situation) newestGood(diskID string) (Snapshot, bool) {
	all := s.byDisk[diskID]
	i := slices.IndexFunc(all, Snapshot.Good)
	if i < 0 {
		return Snapshot{}, false
	}
	return all[i], true
}

// pinned reports whether a snapshot is pinned.
func (s *situation) pinned(one Snapshot) bool { return pinReason(one, s.now) != "" }

// sortNewestFirst sorts snapshots. slices.SortFunc would add 25 KB to each binary for elements of this size.
func sortNewestFirst(all []Snapshot) {
	sort.Slice(all, func(i, j int) bool { return newestFirst(all[i], all[j]) < 0 })
}

// newestFirst orders snapshots by creation time; equal times by ID, so that every run sees one order.
func newestFirst(a, b Snapshot) int {
	return cmp.Or(b.CreationTime.Compare(a.CreationTime), strings.Compare(b.ID, a.ID))
}
