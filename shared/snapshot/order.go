package snapshot

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Default roles of orders at a target without keep.
const (
	RoleManual = "manual" // of a chat
	RoleDeploy = "deploy" // of everything else
)

// Order asks for one snapshot of one disk, for one business event.
//
// An order names a Target of the policy, or (from timer and event, which IAM protects) a DiskID.
type Order struct {
	Target   string // name of a target in the policy
	DiskID   string // or the disk itself
	RegionID string // with DiskID; default: the policy's region

	// Role is why the snapshot exists. Without one the order gets the only role that its target keeps and no schedule
	// fires. A target without keep takes any role; there the default is DefaultRole.
	Role        string
	DefaultRole string // default RoleDeploy; RoleManual for orders from a chat

	Reason string // free text for the log and the users, at most 500 characters
	Actor  string // who asked, as the sender knows them; for the log

	// Sender, Tenant and Key identify the business event, and with it the order: the same event again is the same
	// order, whatever its delivery looks like. Key is required.
	Sender string // timer, event, invoke, api, slack, github, ...
	Tenant string // the sender's own scope, such as a Slack team
	Key    string // slot:<role>:<minute>, deployment:<id>, an Idempotency-Key, ...

	// ExplicitKey says that the caller chose Key for one snapshot of one disk. Region and disk then stay out of the
	// token, so that the same key on another disk is refused.
	ExplicitKey bool

	Time   time.Time     // of the event; zero if it has none, and then the name has none either
	MaxAge time.Duration // take none if an accomplished snapshot is younger than this; 0: always take one
	DryRun bool          // plan only

	// SnapshotName, ClientToken and ResourceGroupID are the API's own parameters, for callers that set them.
	SnapshotName    string
	ClientToken     string
	ResourceGroupID string
	Tags            []Tag // the caller's own, at most 10 together with the target's

	// Repeated says that the caller sends the order again until it is done, for at least 40 minutes. Unread says that
	// no caller reads the answer. They decide which failures are notified.
	Repeated bool
	Unread   bool

	// Paced applies [Target.MinInterval]: while the newest snapshot of the disk is younger, the order gets that one.
	Paced bool
}

// Limits of an order's own fields.
const (
	ReasonMax = 500 // characters of a reason, at most
	KeyMax    = 255 // bytes of a business key, at most
	RoleMax   = 32  // characters of a role, at most
	TargetMax = 32  // characters of a target's name, at most
)

// Validate reports every violation of the order's own fields at once, as [Violations], or nil. The parameters of
// the API are checked by [Request.Validate], once the order is complete.
func (o Order) Validate() error {
	var v Violations
	switch {
	case o.Target == "" && o.DiskID == "":
		v.add("target", CodeInvalidOrder, "is missing: name a target of snapshots.yaml")
	case o.Target != "" && o.DiskID != "":
		v.add("target", CodeInvalidOrder, "stands beside DiskId: name one of them")
	case o.Target != "" && !ValidTarget(o.Target):
		v.add("target", CodeInvalidOrder, fmt.Sprintf("%s is not the name of a target: use 1 to %d letters, digits, - and _", Quote(o.Target), TargetMax))
	}
	if o.Role != "" && !ValidRole(o.Role) {
		v.add("role", CodeInvalidOrder, fmt.Sprintf("%s is not a role: use 1 to %d letters, digits, - and _, the first a letter", Quote(o.Role), RoleMax))
	}
	if n := utf8.RuneCountInString(o.Reason); n > ReasonMax {
		v.add("reason", CodeInvalidOrder, fmt.Sprintf("has %d characters: use at most %d", n, ReasonMax))
	}
	switch {
	case o.Key == "":
		v.add("key", CodeInvalidOrder, "is missing: give the ID of the event, the same at each retry")
	case len(o.Key) > KeyMax:
		v.add("key", CodeInvalidOrder, fmt.Sprintf("has %d bytes: use at most %d", len(o.Key), KeyMax))
	}
	if o.MaxAge < 0 {
		v.add("maxAge", CodeInvalidOrder, fmt.Sprintf("%s is negative: use a duration such as 1h", o.MaxAge))
	}
	for i, tag := range o.Tags {
		if reservedTag(tag.Key) {
			v.add(fmt.Sprintf("Tag.%d.Key", i+1), codeInvalidTag, fmt.Sprintf("%s: the prefix %s is this project's own", Quote(tag.Key), tagPrefix))
		}
	}
	return v.orNil()
}

// reservedTag reports whether a tag key is this project's own.
func reservedTag(key string) bool { return strings.HasPrefix(strings.ToLower(key), tagPrefix) }

// Tick is one firing of a timer. Each is a sweep of all targets. With a Role, the role is due at Time besides.
type Tick struct {
	Role    string    // due at Time; "": only the schedules of the policy say what is due
	Targets []string  // where Role is due; empty: at every target whose keep names it
	Time    time.Time // for which the timer fired; zero: the present time, and then Role must be empty
	Trigger string    // the timer's name, for the log
}

// BusEvent is a bus event that carries no order of its own; the rules under events in the policy turn it into orders.
type BusEvent struct {
	ID      string // unique within Source
	Source  string // acs.oss, aws.codepipeline, ...
	Type    string // oss:ObjectCreated:PutObject, ...
	Subject string // what it is about, such as acs:oss:cn-hangzhou:1234:bucket/releases/web/1.zip
	Time    time.Time
}

// Key is the business key of the orders that a bus event causes.
func (e BusEvent) Key() string { return ComposedKey("event", e.Source, e.ID) }

// ComposedKey returns a business key of several parts, such as an event's source and ID. Each part stands behind its
// length in bytes, so that no two lists of parts can be confused. Parts that are too long together for a key are
// replaced by their hash.
func ComposedKey(kind string, parts ...string) string {
	key := kind
	for _, part := range parts {
		key += fmt.Sprintf(":%d:%s", len(part), part)
	}
	if len(key) > KeyMax {
		return kind + "::" + digest(parts...)
	}
	return key
}
