package snapshot

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// full3 fills the server of w: daily 3 h, daily 2 h and weekly 1 h old.
func full3(w *world) {
	w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("weekly", time.Hour, Accomplished))
}

// TestTakeFull: what a full server means, step by step.
func TestTakeFull(t *testing.T) {
	t.Parallel()
	t.Run("deletes the oldest of its role", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		oldest := w.api.snapshots[0].Snapshot
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if len(got.Deleted) != 1 || got.Deleted[0].SnapshotID != oldest.ID || got.Deleted[0].Reason != "daily 3 of 2: over the count" {
			t.Errorf("deleted %+v", got.Deleted)
		}
		if got.Slots == nil || *got.Slots != (SlotCount{3, 3}) {
			t.Errorf("slots %+v", got.Slots)
		}
	})
	t.Run("a victim that has vanished is deleted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = scripted(remove, fault{code: CodeSnapshotNotFound, effect: true})
		if got := w.Take(within(w.clock, time.Minute), order("daily", "k")); got.Outcome != OutcomeCreated || len(got.Deleted) != 1 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a deletion without an answer is repeated, of the same victim", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = scripted(remove, lostAfter)
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		wantCalls(t, w, create, list, disks, remove, remove, create)
		if got.Outcome != OutcomeCreated || w.api.calls[3].id != w.api.calls[4].id {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a deletion that is refused ends the order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = always(remove, fault{code: CodeForbiddenRAM})
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if code(got.Error) != CodeForbiddenRAM || !strings.Contains(got.Error.Message, "swas-open:DeleteSnapshot") || len(got.Deleted) > 0 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a deletion that is not through yet is waited for", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = func(action string, n int) fault {
			if action == create && n == 2 {
				return fault{code: CodeLimitExceed}
			}
			return fault{}
		}
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		wantCalls(t, w, create, list, disks, remove, create, list, create)
		if got.Outcome != OutcomeCreated || len(got.Deleted) != 1 || w.api.count[remove] != 1 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a server that stays full after the deletion is waited for", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2})
		full3(w)
		w.fill(w.ours("daily", 4*time.Hour, Accomplished)) // a fourth, as a larger quota had allowed it
		o := order("daily", "k")
		o.MaxAge = time.Minute
		got := w.Take(within(w.clock, 20*time.Second), o)
		if got.Outcome != OutcomeDeferred || code(got.Error) != CodeLimitExceed || len(got.Deleted) != 1 || w.api.count[remove] != 1 || w.api.count[create] < 2 {
			t.Errorf("got %q %v, calls %v", got.Outcome, got.Error, w.actions())
		}
	})
	t.Run("a list that shrinks says that another makes room", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2})
		w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished))
		w.api.server(home, "other", false)
		w.fill(Snapshot{DiskID: "d-other", Status: Accomplished, CreationTime: epoch})
		w.api.fault = func(action string, n int) fault {
			if action != create || n > 2 {
				return fault{}
			}
			if n == 2 {
				w.api.snapshots = w.api.snapshots[:2]
			}
			return fault{code: CodeLimitExceed}
		}
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if got.Outcome != OutcomeCreated || len(got.Deleted) > 0 {
			t.Errorf("got %q %v, deleted %v", got.Outcome, got.Error, got.Deleted)
		}
	})
	t.Run("no deletion while somebody else's snapshot of the disk is in progress", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 1})
		w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.foreign(0, Progressing))
		w.api.fault = scripted(create, fault{code: CodeLimitExceed})
		got := w.Take(within(w.clock, 12*time.Second), order("daily", "k"))
		if got.Outcome != OutcomeDeferred || code(got.Error) != CodeCreatingSnapshot || w.api.count[remove] > 0 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a failed creation after a deletion is said loudly", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = func(action string, n int) fault {
			if action == create && n > 1 {
				return fault{code: CodeInternalError}
			}
			return fault{}
		}
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if got.Outcome != OutcomeDeferred || !strings.Contains(got.Error.Message, "was deleted to make room, and the new snapshot could not be taken") {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
		w.api.fault = nil
		if again := w.Take(within(w.clock, time.Minute), order("daily", "k")); again.Outcome != OutcomeCreated || len(again.Deleted) > 0 {
			t.Errorf("the next delivery: %q %v", again.Outcome, again.Deleted)
		}
	})
	t.Run("no deletion without the time to create", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.latency = 9 * time.Second
		got := w.Take(within(w.clock, 29500*time.Millisecond), order("daily", "k"))
		wantCalls(t, w, create, list, disks)
		if got.Outcome != OutcomeDeferred {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a cancelled invocation finishes what it began", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		ctx, cancel := context.WithCancel(context.Background())
		w.api.onDelete = func(Snapshot, string) { cancel() }
		if got := w.Take(ctx, order("daily", "k")); got.Outcome != OutcomeCreated {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("one deletion for two orders of a server", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 1})
		w.api.fault = scripted(remove, lostAfter)
		w.api.server(home, "db", true)
		w.Policy.Targets = []Target{{Name: "db", DiskID: "d-db", Keep: []Slots{{"daily", 1}}}, {Name: "data", DiskID: "d-dbdata", Keep: []Slots{{"daily", 1}}}}
		for i, disk := range []string{"d-db", "d-db", "d-dbdata"} {
			one := w.ours("daily", time.Duration(9-i)*time.Hour, Accomplished)
			one.DiskID = disk
			w.fill(one)
		}
		orders := []Order{{Target: "db", Role: "daily", Key: "k"}, {Target: "data", Role: "daily", Key: "k"}}
		got := w.TakeAll(within(w.clock, time.Minute), orders)
		if got[0].Outcome != OutcomeCreated || got[1].Outcome != OutcomeDeferred || code(got[1].Error) != CodeBlocked || !got[1].Error.Retryable {
			t.Errorf("got %q %q %v", got[0].Outcome, got[1].Outcome, got[1].Error)
		}
	})
}

func TestTakeAsksFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
	full3(w)
	o := order("daily", "k")
	o.AskFirst = true
	asked := w.Take(within(w.clock, time.Minute), o)
	if asked.Outcome != OutcomePlanned || asked.Victim == nil || asked.Error != nil || w.api.count[remove] > 0 {
		t.Fatalf("got %q %v", asked.Outcome, asked.Error)
	}
	o.Victim = "s-other"
	if got := w.Take(within(w.clock, time.Minute), o); got.Outcome != OutcomePlanned || w.api.count[remove] > 0 {
		t.Errorf("another victim was confirmed: got %q %v", got.Outcome, got.Error)
	}
	o.Victim = asked.Victim.SnapshotID
	got := w.Take(within(w.clock, time.Minute), o)
	if got.Outcome != OutcomeCreated || len(got.Deleted) != 1 || got.Deleted[0].SnapshotID != o.Victim {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
	free := newWorld(Slots{"daily", 2})
	o = order("daily", "k")
	o.AskFirst = true
	if got := free.Take(within(free.clock, time.Minute), o); got.Outcome != OutcomeCreated {
		t.Errorf("nothing to ask: got %q %v", got.Outcome, got.Error)
	}
}

// TestOnePlan: dry run, plan and the blocked real run show the same plan, and none but the real run changes anything.
func TestOnePlan(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]string{"blocked": "weekly", "victim": "daily"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
			full3(w)
			before, _ := json.Marshal(w.api.state())
			o := order(role, "k")
			o.DryRun = true
			dry := w.Take(within(w.clock, time.Minute), o)
			plan, err := w.Plan(within(w.clock, time.Minute), "web-1", role)
			if dry.Outcome != OutcomePlanned || dry.Error != nil || err != nil {
				t.Fatalf("got %q %v, %v", dry.Outcome, dry.Error, err)
			}
			if after, _ := json.Marshal(w.api.state()); string(after) != string(before) || w.api.count[create]+w.api.count[remove] > 0 {
				t.Fatal("a plan changed something")
			}
			for i := range plan.Items { // a plan has no order, so it has no name for the new one
				if plan.Items[i].Action == ActionCreate {
					plan.Items[i].SnapshotName = dry.Plan[i].SnapshotName
				}
			}
			if !slices.Equal(plan.Items, dry.Plan) {
				t.Errorf("plan %+v\ndry run %+v", plan.Items, dry.Plan)
			}
			o.DryRun = false
			real := w.Take(within(w.clock, time.Minute), o)
			if name == "blocked" && (!slices.Equal(real.Plan, dry.Plan) || !strings.Contains(dry.Warning, plan.Blocked) || !strings.HasPrefix(real.Error.Message, plan.Blocked)) {
				t.Errorf("real run %+v\ndry run %+v", real.Plan, dry.Plan)
			}
			if name == "victim" {
				victim := slices.IndexFunc(dry.Plan, func(item PlanItem) bool { return item.Action == ActionDelete })
				if real.Deleted[0] != (Deleted{dry.Plan[victim].SnapshotID, dry.Plan[victim].SnapshotName, dry.Plan[victim].Reason}) || dry.Plan[0].SnapshotName != real.SnapshotName {
					t.Errorf("real run %+v\ndry run %+v", real, dry.Plan)
				}
			}
		})
	}
}

func TestDryRunForesees(t *testing.T) {
	t.Parallel()
	o := order("daily", "k")
	o.DryRun, o.MaxAge = true, time.Hour
	cases := map[string]struct {
		setup func(*world)
		want  string
	}{
		"replayed": {func(w *world) { ownSnapshot(w, o, Accomplished) }, "a real run would be replayed"},
		"reused":   {func(w *world) { w.fill(w.foreign(time.Minute, Accomplished)) }, "a real run would be reused"},
		"joined":   {func(w *world) { w.fill(w.ours("weekly", time.Minute, Progressing)) }, "a real run would be joined"},
		"waits":    {func(w *world) { w.fill(w.foreign(time.Minute, Progressing)) }, "a real run would wait"},
		"blocked": {func(w *world) {
			for range 3 {
				w.fill(w.foreign(2*time.Hour, Accomplished))
			}
		}, "a real run would be blocked"},
		"created": {func(*world) {}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			c.setup(w)
			got := w.Take(within(w.clock, time.Minute), o)
			if got.Outcome != OutcomePlanned || !strings.HasPrefix(got.Warning, c.want) || (c.want == "") != (got.Warning == "") {
				t.Errorf("got %q %q", got.Outcome, got.Warning)
			}
			wantCalls(t, w, list)
		})
	}
}
