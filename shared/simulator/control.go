package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Snapshots returns a copy of every snapshot, newest first, as it truly is at Config.Now, whatever lists show.
func (s *Simulator) Snapshots() []Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.settle(s.config.Now(), s.config.Duration)
	return s.state.copies(nil)
}

// AddSnapshot adds a snapshot past all rules and returns its ID. Empty fields get what the API would have given:
// a new ID, the name of the ID, region, server and type of the disk if it exists, status accomplished, the time now.
func (s *Simulator) AddSnapshot(one Snapshot) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.ID == "" {
		one.ID = s.state.newID("s-")
	}
	one.Name = orElse(one.Name, one.ID)
	if instance, disk := s.state.disk(one.DiskID); disk != nil {
		one.RegionID = orElse(one.RegionID, instance.RegionID)
		one.InstanceID = orElse(one.InstanceID, instance.ID)
		one.DiskType = orElse(one.DiskType, disk.Type)
	}
	one.DiskType = strings.ToLower(orElse(one.DiskType, diskSystem))
	one.Status = orElse(one.Status, Accomplished)
	if one.Status == Accomplished {
		one.Progress = 100
	}
	if one.CreationTime.IsZero() {
		one.CreationTime = s.config.Now()
	}
	added := one.clone()
	added.former = nil // of the snapshot that one is a copy of
	s.state.insert(&added)
	return one.ID
}

// SetSnapshotStatus sets the status of a snapshot, documented or not. Progressing goes on from where it was.
func (s *Simulator) SetSnapshotStatus(id, status string) error {
	return s.withSnapshot(id, func(one *Snapshot) {
		if one.Status, one.stalled = status, false; status == Accomplished {
			one.Progress = 100
		}
	})
}

// MakeImage makes a custom image from a snapshot, which keeps the snapshot from being deleted. An empty image ID
// deletes the image.
func (s *Simulator) MakeImage(snapshotID, imageID string) error {
	return s.withSnapshot(snapshotID, func(one *Snapshot) { one.ImageID = imageID })
}

// FailNext lets the next snapshot of a disk fail half-way; an empty ID means that of any disk.
func (s *Simulator) FailNext(diskID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.failNext[diskID]++
}

// StallNext lets the next snapshot of a disk stay in progress until [Simulator.SetSnapshotStatus]; an empty ID means
// that of any disk.
func (s *Simulator) StallNext(diskID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.stallNext[diskID]++
}

// SetDiskStatus sets the status of a disk, such as Creating or ReIniting.
func (s *Simulator) SetDiskStatus(id, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, disk := s.state.disk(id)
	if disk == nil {
		return fmt.Errorf("failed to set status of disk %q: no such disk", id)
	}
	disk.Status = status
	return nil
}

// setInstanceStatus sets the status of a server, such as Stopped or Starting.
func (s *Simulator) setInstanceStatus(id, status string) error {
	return s.withInstance(id, func(one *Instance) { one.Status = status })
}

// RemoveDisk removes a disk. Its snapshots stay and keep their slots.
func (s *Simulator) RemoveDisk(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	instance, disk := s.state.disk(id)
	if disk == nil {
		return fmt.Errorf("failed to remove disk %q: no such disk", id)
	}
	instance.Disks = slices.DeleteFunc(instance.Disks, func(d Disk) bool { return d.ID == id })
	return nil
}

// ReleaseInstance releases a server, as its expiry does: its disks and all its snapshots are removed with it.
func (s *Simulator) ReleaseInstance(id string) error {
	return s.withInstance(id, func(*Instance) {
		s.state.instances = slices.DeleteFunc(s.state.instances, func(one *Instance) bool { return one.ID == id })
		s.state.remove(s.config.Now(), func(one *Snapshot) bool { return one.InstanceID == id })
	})
}

// resetInstance resets the system of a server: its snapshots stay, but can restore its disks no more.
func (s *Simulator) resetInstance(id string) error {
	return s.withInstance(id, func(*Instance) {
		for _, one := range s.state.snapshots {
			if one.InstanceID == id {
				one.Unrestorable = true
			}
		}
	})
}

// SetCredentials replaces the access keys that may sign.
func (s *Simulator) SetCredentials(credentials ...Credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateway.replaceCredentials(credentials)
}

// SetLag replaces Config.Lag, for past changes, too. Only ListSnapshots and the quota lag: names, tokens and IDs
// follow at once.
func (s *Simulator) SetLag(lag Lag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = lag
}

// ForgetTokens empties the memory of client tokens, as if their lifetime had passed.
func (s *Simulator) ForgetTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens.calls)
}

func (s *Simulator) withSnapshot(id string, change func(*Snapshot)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.settle(s.config.Now(), s.config.Duration)
	one := s.state.snapshot(id)
	if one == nil {
		return fmt.Errorf("failed to change snapshot %q: no such snapshot", id)
	}
	change(one)
	return nil
}

func (s *Simulator) withInstance(id string, change func(*Instance)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.state.instance(id)
	if one == nil {
		return fmt.Errorf("failed to change instance %q: no such instance", id)
	}
	change(one)
	return nil
}

// Call is one request that arrived.
type Call struct {
	Time      time.Time // by Config.Now
	Action    string    // empty if the request could not be read
	Key       string    // the access key that it names, verified or not
	Params    map[string]string
	RequestID string
	Code      string // of the refusal; empty: success, unless a fault took the answer or the effect
	Fault     string // the fault that the call met, in words; empty: none
}

// journal keeps the latest calls and counts all of them.
type journal struct {
	keep   int
	calls  []Call
	counts map[string]int
}

func (j *journal) add(c Call) {
	j.counts[c.Action]++
	if j.keep == 0 {
		return
	}
	if len(j.calls) >= 2*j.keep {
		j.calls = slices.Clone(j.calls[len(j.calls)-j.keep:])
	}
	j.calls = append(j.calls, c)
}

// Calls returns the latest calls, oldest first: at most Config.KeepCalls, refused ones included.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := slices.Clone(s.journal.calls[max(0, len(s.journal.calls)-s.journal.keep):])
	for i := range calls {
		calls[i].Params = maps.Clone(calls[i].Params)
	}
	return calls
}

// CallCounts returns the number of calls per action since the start or the last [Simulator.ResetCalls], refused ones
// included.
func (s *Simulator) CallCounts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.journal.counts)
}

// ResetCalls forgets all calls and counts.
func (s *Simulator) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.calls, s.journal.counts = nil, make(map[string]int)
}
