package snapshot

import "time"

// FactKind is what happened, in the words of the policy's notify rules.
type FactKind string

// The kinds of facts.
const (
	FactFailed  FactKind = "failed"  // an order or a snapshot failed
	FactStale   FactKind = "stale"   // a target has no good snapshot younger than its maxAge
	FactBlocked FactKind = "blocked" // no slot could be freed
	FactDone    FactKind = "done"    // a snapshot is accomplished
)

// Fact is something that people should know.
type Fact struct {
	Kind         FactKind
	Target       string
	RegionID     string
	DiskID       string
	SnapshotID   string
	SnapshotName string
	What         string    // what happened, in one sentence
	Mend         string    // what to do about it; empty if nothing
	Since        time.Time // since when it is so; zero if unknown
	Key          string    // identity of the fact: the same fact is told once
}
