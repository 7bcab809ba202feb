package snapshot

import "time"

// NotificationKind is what a notification is about, in the words of the policy's notify rules.
type NotificationKind string

// The kinds of notifications.
const (
	NotifyFailed  NotificationKind = "failed"  // an order or a snapshot failed, or a snapshot stays in progress too long
	NotifyStale   NotificationKind = "stale"   // a target has no accomplished snapshot younger than its maxAge
	NotifyBlocked NotificationKind = "blocked" // no slot comes free for an order or for a due role
	NotifyDone    NotificationKind = "done"    // a snapshot is accomplished
	NotifyDeleted NotificationKind = "deleted" // a sweep deleted a snapshot
)

// Notification is something that the policy's notify rules may send to the users.
type Notification struct {
	Kind         NotificationKind
	Target       string
	RegionID     string
	DiskID       string
	SnapshotID   string
	SnapshotName string
	What         string    // what happened, in one sentence
	Advice       string    // what to do about it; empty if nothing
	Since        time.Time // since when it is so; zero if unknown
	Key          string    // identity: a process sends a notification with the same key once
}
