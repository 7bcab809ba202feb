package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
	DiskType        string // System or Data
	InstanceID      string // the server whose slot it takes; the API tells it for system disks only
	Status          string // Progressing, Accomplished, Failed, or what a test set
	Progress        int    // percent
	CreationTime    time.Time
	RollbackTime    time.Time // when a disk was last restored from it
	ResourceGroupID string
	Remark          string
	Tags            []Tag
	Unrestorable    bool   // its server was reset since
	ImageID         string // of a custom image that was made from it and keeps it from being deleted

	fails bool // will fail half-way
}

// state is the account: servers with their disks, and snapshots.
type state struct {
	instances []*Instance
	snapshots []*Snapshot // in the order of their creation
	failNext  map[string]int
	random    *rand.Rand
}

func newState(instances []Instance, seed uint64) state {
	s := state{failNext: make(map[string]int), random: rand.New(rand.NewPCG(seed, 0))}
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
		d.Type = orElse(d.Type, diskData)
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
		if one.Status != Progressing {
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

// remove drops the snapshots that gone names.
func (s *state) remove(gone func(*Snapshot) bool) {
	s.snapshots = slices.DeleteFunc(s.snapshots, gone)
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

// newestFirst returns the snapshots in the order of a list.
func (s *state) newestFirst() []*Snapshot {
	list := slices.Clone(s.snapshots)
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b *Snapshot) int { return b.CreationTime.Compare(a.CreationTime) })
	return list
}

// willFail uses up a planned failure of a disk.
func (s *state) willFail(disk string) bool {
	for _, key := range []string{disk, ""} {
		if s.failNext[key] > 0 {
			s.failNext[key]--
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

// newRequestID returns a random UUID in capitals.
func (s *state) newRequestID() string {
	high, low := s.random.Uint64(), s.random.Uint64()
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 1<<63
	return fmt.Sprintf("%08X-%04X-%04X-%04X-%012X", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&(1<<48-1))
}

// clone returns a copy that shares nothing with the state.
func (one *Snapshot) clone() Snapshot {
	copied := *one
	copied.Tags = slices.Clone(one.Tags)
	return copied
}
