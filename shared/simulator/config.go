package simulator

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"
)

// Limits of the API, from the pages of CreateSnapshot and TagResources.
const (
	snapshotsPerServer  = 3  // snapshots of one server, failed ones included
	SnapshotsPerAccount = 15 // snapshots of one account, and never more than 3 for each of its servers
	tagsPerResource     = 20 // tags of one snapshot, disk or server
)

// Unlimited as Config.CallsPerMinute switches the rate limit off.
const Unlimited = -1

// Config is what a [Simulator] starts with. The zero value of each field is a documented default.
type Config struct {
	Now  func() time.Time // clock of the state; default time.Now
	Wall func() time.Time // clock of the gateway, by which requests and credentials age; default time.Now

	// Sleep spends the delay of a slow fault and returns early when the request's context ends.
	// By default it waits in real time.
	Sleep func(ctx context.Context, d time.Duration)

	Credentials []Credential // access keys that may sign; without any, every call is refused
	Instances   []Instance   // servers with their disks

	Duration      time.Duration // from creation to accomplished; default 12 minutes
	TokenLifetime time.Duration // how long a client token is remembered; default 24 hours

	// CallsPerMinute is the number of calls of one action that the account may make in any 60 seconds; default 10.
	// [Unlimited] for no limit. Beyond it the answer is Throttling.User.
	CallsPerMinute int

	QuotaBeforeName bool   // check SnapshotLimitExceed before InvalidSnapshotName.Duplicate
	Capitals        bool   // "Accomplished" and "System", as the documents write them; servers answer in lower case
	ReplaceTags     bool   // TagResources replaces all tags of a resource; default: it keeps those with other keys
	Lag             Lag    // how late lists and quota are; see [Simulator.SetLag]
	Seed            uint64 // of the random IDs; equal seeds give equal IDs
	KeepCalls       int    // latest calls that [Simulator.Calls] returns; default 1000; negative: none

	// ListView, if set, decides what one call of ListSnapshots finds in a region, before filters and pages. It gets
	// the access key of the caller, the snapshots as lists show them now, newest first, and the latest deleted ones.
	// It runs under the simulator's lock: it must not call the simulator.
	ListView func(accessKeyID string, current, deleted []Snapshot) []Snapshot

	// OnDelete, if set, is called before an action of the API deletes a snapshot, once for each. It gets the access
	// key of the caller, the snapshot and all others of the account as they truly are. It runs under the
	// simulator's lock: it must not call the simulator.
	OnDelete func(accessKeyID string, victim Snapshot, others []Snapshot)

	Log *slog.Logger // one line a call, never with a secret; default none
}

// Credential is an access key that may sign requests. With a SecurityToken it is a temporary one of STS.
type Credential struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string    // must accompany every request, if set
	Expires         time.Time // of the security token, by Config.Wall; zero: never
	Inactive        bool      // disabled by its owner
	Actions         []string  // actions that RAM allows this key; empty: all. others are answered NoPermission
	ARN             string    // of its owner; default: a RAM user or, with a SecurityToken, a session of a role
}

// Lag is how long lists and the quota take to follow a change, by Config.Now. The zero value is no time.
type Lag struct {
	Created time.Duration // a new snapshot is not listed
	Deleted time.Duration // a deleted snapshot is still listed
	Tags    time.Duration // tags set or removed since the creation of a snapshot do not change its listed ones
	Slots   time.Duration // a deleted snapshot still occupies its slot
	NoTags  bool          // lists of snapshots never show tags
}

// Actions that the two RAM policies of a deployment allow, for Credential.Actions.
var (
	TakeActions  = []string{"CreateSnapshot", "ListSnapshots", "ListDisks", "TagResources"} // of http and event
	SweepActions = append(slices.Clone(TakeActions), "DeleteSnapshot")                      // of timer
)

// Instance is a server with its disks.
type Instance struct {
	ID              string
	RegionID        string
	Name            string // default: the ID
	Status          string // default Running; snapshots can be taken while it is Running or Stopped
	ResourceGroupID string
	CreationTime    time.Time
	Tags            []Tag
	Disks           []Disk
}

// Statuses of servers and disks that the rules of snapshots know.
const (
	instanceRunning = "Running"
	instanceStopped = "Stopped"
	diskInUse       = "In_Use"
	diskAvailable   = "Available"
)

// Types of disks.
const (
	diskSystem = "system"
	diskData   = "data"
)

// Disk is one disk of a server.
type Disk struct {
	ID              string
	Name            string // default: the ID
	Type            string // system or data; default: the first disk of a server is its system disk
	Status          string // default In_Use; snapshots can be taken while it is In_Use or Available
	SizeGiB         int    // default 40
	ResourceGroupID string
	CreationTime    time.Time
	Tags            []Tag
}

// Tag is a key and a value on a resource.
type Tag struct {
	Key   string
	Value string
}

// withDefaults returns the configuration with every default filled in.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	c.Duration = cmp.Or(c.Duration, 12*time.Minute)
	c.TokenLifetime = cmp.Or(c.TokenLifetime, 24*time.Hour)
	c.CallsPerMinute = cmp.Or(c.CallsPerMinute, 10)
	c.KeepCalls = cmp.Or(c.KeepCalls, 1000)
	c.KeepCalls = max(0, c.KeepCalls)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// sleep waits for d or for the end of ctx, whichever comes first.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
