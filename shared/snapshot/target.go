package snapshot

import "time"

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

// Target is one disk to protect, under the name by which people and pipelines know it.
type Target struct {
	Name            string
	DiskID          string // or InstanceID, whose system disk it then is
	InstanceID      string
	RegionID        string
	ResourceGroupID string
	Tags            []Tag         // set on each of its snapshots, sorted by key
	Keep            []Slots       // slots per role, in the order of the file; none: nothing is ever deleted
	MaxAge          time.Duration // no good snapshot younger than this: stale; 0: never stale
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
	// Latest returns the latest time that is not after t.
	Latest(t time.Time) time.Time
	// Next returns the first time after t.
	Next(t time.Time) time.Time
}

// misspelt returns the role that keep names and that somebody may have meant by another one, or "".
func (t Target) misspelt(role string) string {
	if _, named := t.slots(role); named {
		return ""
	}
	names := make([]string, len(t.Keep))
	for i, slots := range t.Keep {
		names[i] = slots.Role
	}
	return Nearest(role, names)
}

// slots returns how many snapshots of role the target keeps, and whether its policy names the role.
func (t Target) slots(role string) (int, bool) {
	for _, slots := range t.Keep {
		if slots.Role == role {
			return slots.Count, true
		}
	}
	return 0, false
}

// Target returns the target of that name.
func (p Policy) Target(name string) (Target, bool) {
	for _, target := range p.Targets {
		if target.Name == name {
			return target, true
		}
	}
	return Target{}, false
}
