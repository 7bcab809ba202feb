package app

import (
	"cmp"
	"context"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/webhook"
)

// core does what requests over HTTP ask for, and records it. It embeds nothing: a method that httpapi or webhook need
// and that is not recorded here does not compile.
type core struct {
	service *snapshot.Service
	record  *record
}

var (
	_ httpapi.Core = core{}
	_ webhook.Core = core{}
)

// action is something done over HTTP that is not an order.
type action struct {
	name, target, snapshotID string
	keep                     string // of a pin
	caller                   policy.Caller
	err                      error
}

// Take does an order and records its result.
func (c core) Take(ctx context.Context, order snapshot.Order) snapshot.Result {
	return c.TakeAll(ctx, []snapshot.Order{order})[0]
}

// TakeAll does orders and records their results.
func (c core) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	results := c.service.TakeAll(ctx, orders)
	c.record.addResults(results...)
	return results
}

// List lists a target's snapshots, and records a failure.
func (c core) List(ctx context.Context, target string) (snapshot.Listing, error) {
	listing, err := c.service.List(ctx, target)
	c.read(ctx, action{name: "list", target: target, err: err})
	return listing, err
}

// Plan makes a plan, and records a failure.
func (c core) Plan(ctx context.Context, target string) (snapshot.Plan, error) {
	plan, err := c.service.Plan(ctx, target)
	c.read(ctx, action{name: "plan", target: target, err: err})
	return plan, err
}

// Find finds a snapshot, and records a failure.
func (c core) Find(ctx context.Context, id string) (snapshot.Snapshot, snapshot.Target, error) {
	one, target, err := c.service.Find(ctx, id)
	c.read(ctx, action{name: "find", target: target.Name, snapshotID: id, err: err})
	return one, target, err
}

// Pin pins a snapshot, and records that.
func (c core) Pin(
	ctx context.Context, id, until string, may func(snapshot.Target) error,
) (snapshot.Pinned, error) {
	pinned, err := c.service.Pin(ctx, id, until, may)
	c.changed(ctx, "pin", id, pinned, err)
	return pinned, err
}

// Unpin removes the pin of a snapshot, and records that.
func (c core) Unpin(ctx context.Context, id string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	pinned, err := c.service.Unpin(ctx, id, may)
	c.changed(ctx, "unpin", id, pinned, err)
	return pinned, err
}

// read records an action that changes nothing, if it failed.
func (c core) read(ctx context.Context, a action) {
	if a.err != nil {
		a.caller = policy.CallerOf(ctx)
		c.record.addAction(a)
	}
}

// changed records the change of a pin.
func (c core) changed(ctx context.Context, name, id string, pinned snapshot.Pinned, err error) {
	c.record.addAction(action{
		name: name, target: pinned.Target, snapshotID: cmp.Or(pinned.SnapshotID, id), keep: pinned.Keep,
		caller: policy.CallerOf(ctx), err: err,
	})
}
