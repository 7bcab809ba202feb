package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Statuses of snapshots, as the servers write them.
const (
	Progressing  = "progressing"
	Accomplished = "accomplished"
	Failed       = "failed"
)

// Snapshot is one snapshot of the account.
type Snapshot struct {
	ID              string
	Name            string
	RegionID        string
	DiskID          string // stays when the disk is gone
	DiskType        string // system or data
	InstanceID      string // the server whose slot it takes; the API shows it for system disks only
	Status          string // Progressing, Accomplished, Failed, or what a test set
	Progress        int    // percent
	CreationTime    time.Time
	RollbackTime    time.Time // when a disk was last restored from it
	ResourceGroupID string
	Tags            []Tag
	Unrestorable    bool   // its server was reset since
	ImageID         string // of a custom image that was made from it and keeps it from being deleted

	fails   bool         // will fail half-way
	stalled bool         // stays in progress until SetSnapshotStatus
	former  []formerTags // oldest first
}

// formerTags are the tags of a snapshot until they were changed.
type formerTags struct {
	until time.Time
	tags  []Tag
}

// TagsAt returns the tags that the snapshot had at a time, by Config.Now.
func (one Snapshot) TagsAt(at time.Time) []Tag {
	for _, former := range one.former {
		if at.Before(former.until) {
			return slices.Clone(former.tags)
		}
	}
	return slices.Clone(one.Tags)
}

// state is the account: servers with their disks, and snapshots.
type state struct {
	instances []*Instance
	snapshots []*Snapshot // by creation time, oldest first
	deleted   []deleted   // the latest, oldest first
	failNext  map[string]int
	stallNext map[string]int
	random    *rand.Rand
}

// deleted is a snapshot that is gone, as it was.
type deleted struct {
	*Snapshot
	at time.Time
}

// keepDeleted is the number of deleted snapshots that are remembered at least.
const keepDeleted = 100

func newState(instances []Instance, seed uint64) state {
	s := state{failNext: make(map[string]int), stallNext: make(map[string]int), random: rand.New(rand.NewPCG(seed, 0))}
	for _, one := range instances {
		s.add(one)
	}
	return s
}

// add copies a server in, with the defaults of it and its disks.
func (s *state) add(one Instance) {
	one.Name = orElse(one.Name, one.ID)
	one.Status = orElse(one.Status, instanceRunning)
	one.Tags = slices.Clone(one.Tags)
	one.Disks = slices.Clone(one.Disks)
	for i := range one.Disks {
		d := &one.Disks[i]
		d.Name = orElse(d.Name, d.ID)
		d.Status = orElse(d.Status, diskInUse)
		if i == 0 {
			d.Type = orElse(d.Type, diskSystem)
		}
		d.Type = strings.ToLower(orElse(d.Type, diskData))
		if d.SizeGiB == 0 {
			d.SizeGiB = 40
		}
		d.Tags = slices.Clone(d.Tags)
	}
	s.instances = append(s.instances, &one)
}

func orElse(value, byDefault string) string {
	if value == "" {
		return byDefault
	}
	return value
}

// settle moves every snapshot in progress to where it is at now. A status is final: a clock that goes back does not
// undo it.
func (s *state) settle(now time.Time, duration time.Duration) {
	for _, one := range s.snapshots {
		if one.Status != Progressing || one.stalled {
			continue
		}
		elapsed := now.Sub(one.CreationTime)
		switch {
		case one.fails && elapsed >= duration/2:
			one.Status, one.Progress = Failed, 50
		case elapsed >= duration:
			one.Status, one.Progress = Accomplished, 100
		case elapsed > 0:
			one.Progress = max(one.Progress, int(100*elapsed/duration))
		}
	}
}

// disk finds a disk and its server.
func (s *state) disk(id string) (*Instance, *Disk) {
	for _, instance := range s.instances {
		for i := range instance.Disks {
			if instance.Disks[i].ID == id {
				return instance, &instance.Disks[i]
			}
		}
	}
	return nil, nil
}

// instance finds a server.
func (s *state) instance(id string) *Instance {
	for _, one := range s.instances {
		if one.ID == id {
			return one
		}
	}
	return nil
}

// snapshot finds a snapshot.
func (s *state) snapshot(id string) *Snapshot {
	for _, one := range s.snapshots {
		if one.ID == id {
			return one
		}
	}
	return nil
}

// insert adds a snapshot. Of two with one creation time the one added later counts as the newer.
func (s *state) insert(one *Snapshot) {
	at := len(s.snapshots)
	for at > 0 && s.snapshots[at-1].CreationTime.After(one.CreationTime) {
		at--
	}
	s.snapshots = slices.Insert(s.snapshots, at, one)
}

// remove drops the snapshots that match and remembers them as deleted now.
func (s *state) remove(now time.Time, match func(*Snapshot) bool) {
	s.snapshots = slices.DeleteFunc(s.snapshots, func(one *Snapshot) bool {
		if !match(one) {
			return false
		}
		s.deleted = append(s.deleted, deleted{one, now})
		return true
	})
	if len(s.deleted) >= 2*keepDeleted {
		s.deleted = slices.Clone(s.deleted[len(s.deleted)-keepDeleted:])
	}
}

// count returns the number of snapshots that match.
func (s *state) count(match func(*Snapshot) bool) int {
	n := 0
	for _, one := range s.snapshots {
		if match(one) {
			n++
		}
	}
	return n
}

// copies returns copies of all snapshots but one, newest first; nil excepts none.
func (s *state) copies(except *Snapshot) []Snapshot {
	list := make([]Snapshot, 0, len(s.snapshots))
	for _, one := range slices.Backward(s.snapshots) {
		if one != except {
			list = append(list, one.clone())
		}
	}
	return list
}

// useUp counts down what is planned for the next snapshot of a disk, or else of any, and reports whether it was.
func useUp(planned map[string]int, disk string) bool {
	for _, key := range []string{disk, ""} {
		if planned[key] > 0 {
			planned[key]--
			return true
		}
	}
	return false
}

// newID returns an ID in the vendor's form: the prefix and 20 lower-case letters and digits.
func (s *state) newID(prefix string) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuv"
	id := []byte(prefix)
	for range 20 {
		id = append(id, alphabet[s.random.IntN(len(alphabet))])
	}
	return string(id)
}

// newRequestID returns a random UUID, version 4, in capitals.
func (s *state) newRequestID() string {
	high, low := s.random.Uint64(), s.random.Uint64()
	return fmt.Sprintf("%08X-%04X-4%03X-%04X-%012X",
		high>>32, high>>16&0xffff, high&0xfff, low>>48&0x3fff|0x8000, low&(1<<48-1))
}

// clone returns a copy that shares nothing with the state.
func (one *Snapshot) clone() Snapshot {
	copied := *one
	copied.Tags = slices.Clone(one.Tags)
	return copied
}
