package snapshot

import (
	"slices"
	"strings"
	"time"
)

// Policy is what the core knows of snapshots.yaml. Package policy reads and checks the file.
type Policy struct {
	RegionID    string         // for orders and targets that name none
	MaxEventAge time.Duration  // older orders are refused; 0 means 1 hour
	Deployment  string         // names this deployment in the tags of its snapshots; "" means swas-snapshot
	Location    *time.Location // of local midnight, and of times shown to users; nil means UTC
	Targets     []Target       // in the order of the file
}

// defaultMaxEventAge is how old an event may be when the policy does not say: a late redelivery must not spend a slot.
const defaultMaxEventAge = time.Hour

// Target is one disk to protect, under the name by which users and pipelines know it.
type Target struct {
	Name            string
	DiskID          string // or InstanceID, whose system disk it then is
	InstanceID      string
	RegionID        string
	ResourceGroupID string
	Tags            []Tag         // set on each of its snapshots, sorted by key
	Keep            []Slots       // slots per role, in the order of the file; none: nothing is ever deleted
	MaxAge          time.Duration // no accomplished snapshot younger than this: stale; 0: never stale
	MinInterval     time.Duration // HTTP orders get the newest snapshot while it is younger than this; 0: never
}

// Slots is how many snapshots of a role a target keeps, and when the role is due.
type Slots struct {
	Role     string
	Count    int
	Schedule Schedule // nil: only orders and timers of the user's own take this role
}

// Schedule is the times of a role. Package policy reads it from a line of cron.
type Schedule interface {
	// Latest returns the latest time that is not after t; the zero time if there is none.
	Latest(t time.Time) time.Time
	// Next returns the first time after t; the zero time if there is none.
	Next(t time.Time) time.Time
}

// Target returns the target of that name.
func (p Policy) Target(name string) (Target, bool) {
	i := slices.IndexFunc(p.Targets, func(t Target) bool { return t.Name == name })
	if i < 0 {
		return Target{}, false
	}
	return p.Targets[i], true
}

func (p Policy) location() *time.Location {
	if p.Location == nil {
		return time.UTC
	}
	return p.Location
}

// local returns how users read a time: in the policy's zone, to the minute.
func (p Policy) local(t time.Time) string { return t.In(p.location()).Format("2006-01-02 15:04 MST") }

// slots returns the slots of a role, and whether keep names the role.
func (t Target) slots(role string) (Slots, bool) {
	i := slices.IndexFunc(t.Keep, func(s Slots) bool { return s.Role == role })
	if i < 0 {
		return Slots{}, false
	}
	return t.Keep[i], true
}

// keepSum is the number of snapshots that the target keeps of all roles together.
func (t Target) keepSum() int {
	sum := 0
	for _, slots := range t.Keep {
		sum += slots.Count
	}
	return sum
}

// roles returns the roles of keep, as text.
func (t Target) roles() string {
	names := make([]string, len(t.Keep))
	for i, slots := range t.Keep {
		names[i] = slots.Role
	}
	return strings.Join(names, ", ")
}

// unscheduled returns the roles of keep that no schedule fires.
func (t Target) unscheduled() []string {
	var names []string
	for _, slots := range t.Keep {
		if slots.Schedule == nil {
			names = append(names, slots.Role)
		}
	}
	return names
}
