package app

import (
	"testing"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// TestCore shows that everything that fails over HTTP, and every change of a pin, is recorded for the log.
func TestCore(t *testing.T) {
	t.Parallel()
	r := &record{}
	c := core{&snapshot.Service{Instance: snapshot.NewInstance(0)}, r}
	caller := policy.Caller{From: "slack", Actor: "U1"}
	ctx := policy.WithCaller(t.Context(), caller)
	_, errList := c.List(ctx, "web-1")
	_, errPlan := c.Plan(ctx, "web-1")
	_, _, errFind := c.Find(ctx, "s-1")
	_, errPin := c.Pin(ctx, "s-1", "", nil)
	_, errUnpin := c.Unpin(ctx, "s-1", nil)
	c.read(ctx, action{name: "list", target: "web-1"}) // changed nothing
	want := []action{
		{name: "list", target: "web-1", caller: caller, err: errList},
		{name: "plan", target: "web-1", caller: caller, err: errPlan},
		{name: "find", snapshotID: "s-1", caller: caller, err: errFind},
		{name: "pin", snapshotID: "s-1", caller: caller, err: errPin},
		{name: "unpin", snapshotID: "s-1", caller: caller, err: errUnpin},
	}
	if len(r.actions) != len(want) {
		t.Fatalf("%d actions are recorded, want %d: %+v", len(r.actions), len(want), r.actions)
	}
	for i, one := range want {
		if r.actions[i] != one || one.err == nil {
			t.Errorf("got %+v, want %+v", r.actions[i], one)
		}
	}
}
