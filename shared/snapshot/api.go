package snapshot

import (
	"context"
	"fmt"
)

// PageSize is the number of elements that one page of a list holds; the API's limit.
const PageSize = 100

// API is the part of the Simple Application Server API that orders, views and pins call. One method call is one API
// call: the core itself paces, retries and pages. Every error is an [*APIError], with Code [CodeNoAnswer] when no
// answer came. It has no way to delete: see [Deleter].
type API interface {
	// CreateSnapshot starts a snapshot. A nil error guarantees a SnapshotID; an answer of success without one is
	// an APIError with Code CodeEmptyAnswer.
	CreateSnapshot(ctx context.Context, request Request) (Created, error)
	// ListSnapshots returns one page, counted from 1, of all snapshots of the account in a region.
	ListSnapshots(ctx context.Context, regionID string, page int) (SnapshotPage, error)
	// ListDisks returns one page, counted from 1, of all disks of the account in a region.
	ListDisks(ctx context.Context, regionID string, page int) (DiskPage, error)
	// TagSnapshot sets tags on a snapshot (TagResources); a tag with the same key is overwritten. Whether the others
	// stay is not documented.
	TagSnapshot(ctx context.Context, regionID, snapshotID string, tags []Tag) error
}

// Deleter is the one API action that only [Service.Sweep] may call, and only the timer function has.
type Deleter interface {
	// DeleteSnapshot deletes one snapshot; InvalidSnapshotId.NotFound says that it is gone already.
	DeleteSnapshot(ctx context.Context, regionID, snapshotID, clientToken string) error
}

// Created is the answer of CreateSnapshot.
type Created struct{ SnapshotID, RequestID string }

// SnapshotPage is one page of ListSnapshots. Total counts all pages.
type SnapshotPage struct {
	Snapshots []Snapshot
	Total     int
}

// DiskPage is one page of ListDisks. Total counts all pages.
type DiskPage struct {
	Disks []Disk
	Total int
}

// APIError is an answer of the API that is no success, or the lack of an answer. It carries no secret: neither the
// request's URL nor its signature nor the text that a server sent in place of the documented form.
type APIError struct {
	Action    string // CreateSnapshot, ListSnapshots, ...
	Code      string // the API's code, CodeNoAnswer or CodeEmptyAnswer
	Message   string // the API's message, or what kept the answer away
	RequestID string // the API's request ID, trimmed; empty without an answer
	Status    int    // HTTP status, for the log; behaviour goes by Code alone
}

// Error returns the action, the code, the message and the request ID.
func (e *APIError) Error() string {
	text := fmt.Sprintf("%s: %s: %s", e.Action, e.Code, e.Message)
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}
