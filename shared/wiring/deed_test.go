package wiring

import (
	"testing"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// TestRecorder shows that whatever fails over HTTP, or pins a snapshot, is remembered for the log.
func TestRecorder(t *testing.T) {
	t.Parallel()
	r := &recorder{Service: &snapshot.Service{Instance: snapshot.NewInstance(0)}}
	who := policy.Caller{From: "slack", Actor: "U1"}
	ctx := policy.WithCaller(t.Context(), who)
	_, errList := r.List(ctx, "web-1")
	_, errPlan := r.Plan(ctx, "web-1")
	_, _, errFind := r.Find(ctx, "s-1")
	_, errPin := r.Pin(ctx, "s-1", "", nil)
	_, errUnpin := r.Unpin(ctx, "s-1", nil)
	r.note(ctx, deed{action: "list", target: "web-1"}) // changed nothing
	want := []deed{
		{action: "list", target: "web-1", who: who, err: errList}, {action: "plan", target: "web-1", who: who, err: errPlan},
		{action: "find", snapshotID: "s-1", who: who, err: errFind},
		{action: "pin", snapshotID: "s-1", who: who, err: errPin}, {action: "unpin", snapshotID: "s-1", who: who, err: errUnpin},
	}
	if len(r.deeds) != len(want) {
		t.Fatalf("%d deeds are remembered, want %d: %+v", len(r.deeds), len(want), r.deeds)
	}
	for i, one := range want {
		if r.deeds[i] != one || one.err == nil {
			t.Errorf("got %+v, want %+v", r.deeds[i], one)
		}
	}
}
