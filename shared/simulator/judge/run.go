package judge

import (
	"fmt"
	"time"

	"swas-snapshot/shared/simulator"
)

// Run is what one run of a function did.
type Run struct {
	servers map[string]string    // of which a snapshot was deleted, and which
	refused map[string]bool      // snapshots that the API would not delete
	freed   map[string]freedSlot // by region
}

// freedSlot is the slot that a replacement freed for a role of a disk.
type freedSlot struct{ disk, role string }

// Deleted judges the deletion of a snapshot beside others of its run.
func (r *Run) Deleted(p Policy, s State, victim simulator.Snapshot) (Reason, error) {
	reason, err := p.Deletion(s, victim)
	if first, twice := r.servers[victim.InstanceID]; twice {
		return reason, fmt.Errorf("the run deleted %s of the same server before", first)
	}
	if r.servers == nil {
		r.servers = make(map[string]string)
	}
	r.servers[victim.InstanceID] = victim.ID
	if reason == Replacement || reason == AccountReplacement {
		if r.freed == nil {
			r.freed = make(map[string]freedSlot)
		}
		r.freed[victim.RegionID] = freedSlot{victim.DiskID, s.roleOf(victim)}
	}
	return reason, err
}

// Refused notes that the API refused a deletion, and judges the attempt: a second one is not allowed.
func (r *Run) Refused(id string) error {
	if r.refused[id] {
		return fmt.Errorf("the run tried to delete it again after the API refused it")
	}
	if r.refused == nil {
		r.refused = make(map[string]bool)
	}
	r.refused[id] = true
	return nil
}

// Create judges the attempt of a create: the slot that a replacement freed goes to its role, before any other create of
// the region.
func (r *Run) Create(region, disk, role string) error {
	slot, ok := r.freed[region]
	if !ok {
		return nil
	}
	if delete(r.freed, region); slot.disk != disk || slot.role != role {
		return fmt.Errorf("the slot of a replaced %s of %s goes to %s of %s", slot.role, slot.disk, role, disk)
	}
	return nil
}

// End judges the end of a run that was not killed.
func (r *Run) End() error {
	for _, slot := range r.freed {
		return fmt.Errorf("a %s of %s was replaced, and none was ordered in its place", slot.role, slot.disk)
	}
	return nil
}

// Event is one business event, whatever number of deliveries it has.
type Event struct {
	Time   time.Time     // zero: it has none
	MaxAge time.Duration // older ones must be refused
	served []served
}

// served is a snapshot that an event got.
type served struct {
	id     string
	joined bool
	token  time.Time // when the API's memory of the token ends
}

// Exception is a named reason why an event may get a second snapshot.
type Exception string

// The exceptions.
const (
	NoException  Exception = ""
	Forgotten    Exception = "token forgotten, and snapshot gone"
	HostGone     Exception = "joined, and snapshot gone"
	WithoutTime  Exception = "joined without a time, and snapshot accomplished"
	YoungEvent   Exception = "joined, snapshot accomplished, and repeated before the event was a minute old"
	MarkReplaced Exception = "joined, and the mark was removed"
)

// lookAge is from which age on an order looks before it takes.
const lookAge = time.Minute

// Joined notes that the answer to an event was that it joined a snapshot.
func (e *Event) Joined(id string) {
	for _, one := range e.served {
		if one.id == id {
			return
		}
	}
	e.served = append(e.served, served{id: id, joined: true})
}

// Created judges a new snapshot for an event. mark is that of the joined tag of the event; forgotten is when the API
// last forgot all tokens, lifetime how long it remembers one.
func (e *Event) Created(s State, id, mark string, forgotten time.Time, lifetime time.Duration) (Exception, error) {
	before := e.served
	e.served = append(e.served, served{id: id, token: s.At.Add(lifetime)})
	if !e.Time.IsZero() && s.At.Sub(e.Time) > e.MaxAge+s.Skew+2*time.Minute {
		return NoException, fmt.Errorf("%s was taken for an event that is %s old", id, s.At.Sub(e.Time))
	}
	exception := NoException
	for i, one := range before {
		if one.id == id {
			continue
		}
		if exception = e.excuse(s, before[i], mark, forgotten, lifetime); exception == NoException {
			return NoException, fmt.Errorf("%s was taken for an event that has %s (joined: %t)", id, one.id, one.joined)
		}
	}
	return exception, nil
}

func (e *Event) excuse(s State, one served, mark string, forgotten time.Time, lifetime time.Duration) Exception {
	var host *simulator.Snapshot
	for i := range s.Snapshots {
		if s.Snapshots[i].ID == one.id {
			host = &s.Snapshots[i]
		}
	}
	forgot := s.At.After(one.token) || forgotten.After(one.token.Add(-lifetime))
	switch {
	case !one.joined && host == nil && forgot:
		return Forgotten
	case !one.joined:
		return NoException
	case host == nil:
		return HostGone
	case e.Time.IsZero() && host.Status != simulator.Progressing:
		return WithoutTime
	case s.At.Sub(e.Time) <= lookAge+s.Skew && host.Status != simulator.Progressing:
		return YoungEvent
	}
	if _, marked := tag(host.Tags, tagJoined+mark); !marked {
		return MarkReplaced
	}
	return NoException
}

// takeTime is how long it may take from a list to the create that relies on it.
const takeTime = 3 * time.Minute

// Needless judges a new snapshot that a sweep took by schedule.
func (p Policy) Needless(s State, disk, role, id string) error {
	target, _ := p.target(disk)
	kept, named := target.role(role)
	if !named {
		return fmt.Errorf("%s was taken for role %s, which the target of %s does not keep", id, role, disk)
	}
	var before []simulator.Snapshot
	for _, one := range s.Snapshots {
		if one.ID != id && s.At.Sub(one.CreationTime) > takeTime {
			before = append(before, one)
		}
	}
	if s.Snapshots = before; !s.due(target, kept, simulator.Snapshot{}) {
		return fmt.Errorf("%s was taken for role %s of %s, which is not due", id, role, disk)
	}
	return nil
}
