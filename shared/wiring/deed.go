package wiring

import (
	"cmp"
	"context"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// deed is something that was done over HTTP and is no order: a look at the state, a pin.
type deed struct {
	action, target, snapshotID string
	keep                       string // of a pin
	who                        policy.Caller
	err                        error
}

// quiet tells whether the log may do without it: a look that succeeded changed nothing.
func (d deed) quiet() bool { return d.err == nil && d.action != "pin" && d.action != "unpin" }

// note keeps a deed for the summary line.
func (r *recorder) note(ctx context.Context, d deed) {
	d.who = policy.CallerOf(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !d.quiet() {
		r.deeds = append(r.deeds, d)
	}
}

// List lists a target's snapshots, and remembers a failure.
func (r *recorder) List(ctx context.Context, target string) (snapshot.Listing, error) {
	listing, err := r.Service.List(ctx, target)
	r.note(ctx, deed{action: "list", target: target, err: err})
	return listing, err
}

// Plan makes a plan, and remembers a failure.
func (r *recorder) Plan(ctx context.Context, target string) (snapshot.Plan, error) {
	plan, err := r.Service.Plan(ctx, target)
	r.note(ctx, deed{action: "plan", target: target, err: err})
	return plan, err
}

// Find finds a snapshot, and remembers a failure.
func (r *recorder) Find(ctx context.Context, id string) (snapshot.Snapshot, snapshot.Target, error) {
	one, target, err := r.Service.Find(ctx, id)
	r.note(ctx, deed{action: "find", target: target.Name, snapshotID: cmp.Or(one.ID, id), err: err})
	return one, target, err
}

// Pin pins a snapshot, and remembers that.
func (r *recorder) Pin(ctx context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	pinned, err := r.Service.Pin(ctx, id, until, may)
	r.note(ctx, deed{action: "pin", target: pinned.Target, snapshotID: cmp.Or(pinned.SnapshotID, id), keep: pinned.Keep, err: err})
	return pinned, err
}

// Unpin gives a snapshot back to the rotation, and remembers that.
func (r *recorder) Unpin(ctx context.Context, id string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	pinned, err := r.Service.Unpin(ctx, id, may)
	r.note(ctx, deed{action: "unpin", target: pinned.Target, snapshotID: cmp.Or(pinned.SnapshotID, id), keep: pinned.Keep, err: err})
	return pinned, err
}
