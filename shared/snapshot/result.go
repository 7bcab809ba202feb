package snapshot

import "time"

// Outcome says what became of an order or of a due role.
type Outcome string

// The outcomes. A failed order that is neither blocked nor deferred has none: its [Result.Error] says it all.
const (
	OutcomeCreated  Outcome = "created"  // a snapshot is being taken
	OutcomeReplayed Outcome = "replayed" // this order was done before; the snapshot is the one it got then
	OutcomeJoined   Outcome = "joined"   // one of ours is being taken now for another order, and serves this one, too
	OutcomeReused   Outcome = "reused"   // a fresh enough one exists, accomplished or in progress
	OutcomePlanned  Outcome = "planned"  // a dry run: nothing was changed
	OutcomeBlocked  Outcome = "blocked"  // no slot comes free by itself; Plan says why
	OutcomeDeferred Outcome = "deferred" // a retry goes on: the caller's for an order, the next sweep's for a due role
)

// Result is the answer to one order or about one due role. Its JSON form is part of the contract with callers.
type Result struct {
	Target       string     `json:"target,omitempty"`
	RegionID     string     `json:"regionId,omitempty"`
	DiskID       string     `json:"diskId,omitempty"`
	Role         string     `json:"role,omitempty"`
	Outcome      Outcome    `json:"outcome,omitempty"`
	SnapshotID   string     `json:"snapshotId,omitempty"`
	SnapshotName string     `json:"snapshotName,omitempty"`
	ClientToken  string     `json:"clientToken,omitempty"`
	Status       Status     `json:"status,omitempty"`
	CreationTime string     `json:"creationTime,omitempty"` // of the snapshot, RFC 3339, where a list told it
	Progress     string     `json:"progress,omitempty"`
	RequestID    string     `json:"requestId,omitempty"`
	Deleted      []Deleted  `json:"deleted,omitempty"` // of a sweep: in the first element of the target
	Plan         []PlanItem `json:"plan,omitzero"`     // of a dry run, and when blocked: never nil then
	Warning      string     `json:"warning,omitempty"` // something to look at although the order was done
	Error        *Error     `json:"error,omitempty"`

	Reason string `json:"-"` // why the order was given, and
	Actor  string `json:"-"` // by whom, for the log

	// Slots is how many slots of the server were used in the end; nil where nothing had to be listed.
	Slots *SlotCount `json:"-"`
}

// Deleted is a snapshot that a sweep deleted, and why.
type Deleted struct {
	SnapshotID   string `json:"snapshotId"`
	SnapshotName string `json:"snapshotName"`
	CreationTime string `json:"creationTime,omitempty"` // RFC 3339, UTC
	Reason       string `json:"reason"`
}

// Action is what a plan does with a snapshot.
type Action string

// The actions of a plan.
const (
	ActionKeep    Action = "keep"    // it stays
	ActionDelete  Action = "delete"  // the next sweep deletes it
	ActionForeign Action = "foreign" // not ours: counted, never touched
	ActionCreate  Action = "create"  // the next sweep takes it
)

// PlanItem is one line of a plan: a snapshot, what becomes of it, and the reason in one sentence.
type PlanItem struct {
	SnapshotID   string `json:"snapshotId,omitempty"`
	SnapshotName string `json:"snapshotName,omitempty"`
	CreationTime string `json:"creationTime,omitempty"` // RFC 3339, UTC
	Action       Action `json:"action"`
	Reason       string `json:"reason"`

	Target string `json:"-"` // whose disk it is of; "": no target has it
}

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
