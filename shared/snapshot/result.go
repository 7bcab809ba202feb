package snapshot

// Outcome says what became of an order.
type Outcome string

// The outcomes. A failed order that is neither blocked nor deferred has none: its [Result.Error] says it all.
const (
	OutcomeCreated  Outcome = "created"  // a snapshot is being taken for this order
	OutcomeReplayed Outcome = "replayed" // this order was done before; the snapshot is the one it got then
	OutcomeJoined   Outcome = "joined"   // another of our orders is having this disk snapshot right now
	OutcomeReused   Outcome = "reused"   // a fresh enough snapshot exists
	OutcomePlanned  Outcome = "planned"  // a dry run: nothing was changed
	OutcomeBlocked  Outcome = "blocked"  // no slot can be freed; Plan says why
	OutcomeDeferred Outcome = "deferred" // time ran out; a retry goes on where this run stopped
)

// Result is the answer to one order. Its JSON form is part of the contract with callers.
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
	Progress     string     `json:"progress,omitempty"`
	RequestID    string     `json:"requestId,omitempty"`
	Deleted      []Deleted  `json:"deleted,omitempty"`
	Plan         []PlanItem `json:"plan,omitzero"`     // of a dry run, and when blocked: never nil then
	Warning      string     `json:"warning,omitempty"` // something to look at although the order was done
	Error        *Error     `json:"error,omitempty"`

	Reason string `json:"-"` // why the order was given, and
	Actor  string `json:"-"` // by whom, for the log

	// Slots is how many slots of the server were used in the end; nil where nothing had to be listed.
	Slots *SlotCount `json:"-"`

	// Victim is the snapshot that must go first, when an order with [Order.AskFirst] stops to ask.
	Victim *PlanItem `json:"-"`
}

// Deleted is a snapshot that was deleted on the way, and why.
type Deleted struct {
	SnapshotID   string `json:"snapshotId"`
	SnapshotName string `json:"snapshotName"`
	Reason       string `json:"reason"`
}

// Action is what a plan does with a snapshot.
type Action string

// The actions of a plan.
const (
	ActionKeep    Action = "keep"
	ActionDelete  Action = "delete"
	ActionForeign Action = "foreign" // not ours: counted, never touched
	ActionCreate  Action = "create"
)

// PlanItem is one line of a plan: a snapshot, what becomes of it, and the reason in a plain sentence.
type PlanItem struct {
	SnapshotID   string `json:"snapshotId,omitempty"`
	SnapshotName string `json:"snapshotName,omitempty"`
	Action       Action `json:"action"`
	Reason       string `json:"reason"`
}
