package wiring

import (
	"testing"

	"swas-snapshot/shared/snapshot"
)

// TestRecorder shows that whatever fails over HTTP, or pins a snapshot, is remembered for the log.
func TestRecorder(t *testing.T) {
	t.Parallel()
	r := &recorder{Service: &snapshot.Service{Instance: snapshot.NewInstance(0)}}
	_, errList := r.List(t.Context(), "web-1")
	_, errPlan := r.Plan(t.Context(), "web-1", "")
	_, _, errFind := r.Find(t.Context(), "s-1")
	_, errPin := r.Pin(t.Context(), "s-1", "", nil)
	_, errUnpin := r.Unpin(t.Context(), "s-1", nil)
	r.note(deed{action: "list", target: "web-1"}) // changed nothing
	want := []deed{
		{action: "list", target: "web-1", err: errList}, {action: "plan", target: "web-1", err: errPlan}, {action: "find", err: errFind},
		{action: "pin", err: errPin}, {action: "unpin", err: errUnpin},
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
