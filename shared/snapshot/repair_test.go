package snapshot

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSweepMakesGood: a snapshot was deleted to make room, and then none could be taken. The next sweep takes it before
// anything else, under the token of the order, although the target is not stale yet.
func TestSweepMakesGood(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2}, Slots{"deploy", 1})
	w.fill(w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", 3*time.Hour, Accomplished), w.ours("deploy", time.Hour, Accomplished))
	w.api.fault = func(action string, n int) fault {
		if action == create && n > 1 {
			return fault{code: CodeForbiddenRAM}
		}
		return fault{}
	}
	failed := w.Take(within(w.clock, time.Minute), order("daily", "k"))
	if failed.Error == nil || len(failed.Deleted) != 1 {
		t.Fatalf("got %+v", failed)
	}
	w.api.fault = nil
	w.clock.advance(10 * time.Minute)
	got := w.Tick(within(w.clock, time.Minute), Tick{Sweep: true, Time: w.clock.Now()})[0]
	if got.Outcome != OutcomeCreated || got.ClientToken != failed.ClientToken || got.Role != "daily" {
		t.Errorf("the sweep made %+v", got)
	}
	w.clock.advance(time.Hour)
	if again := w.Tick(within(w.clock, time.Minute), Tick{Sweep: true, Time: w.clock.Now()})[0]; again.Outcome != OutcomeReused {
		t.Errorf("the next sweep made %+v", again)
	}
}

// TestReplayTellsPresentState: who repeats an order after polling its snapshot is told that it is accomplished.
func TestReplayTellsPresentState(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	first := w.Take(within(w.clock, time.Minute), order("daily", "k"))
	w.api.snapshots[0].due = w.clock.Now() // it is done quickly
	w.clock.advance(time.Minute)
	if _, _, err := w.Find(within(w.clock, time.Minute), first.SnapshotID); err != nil {
		t.Fatal(err)
	}
	calls := len(w.api.calls)
	again := w.Take(within(w.clock, time.Minute), order("daily", "k"))
	if again.Outcome != OutcomeReplayed || again.Status != Accomplished || again.Progress != "100%" || len(w.api.calls) != calls {
		t.Errorf("got %+v after %d more calls", again, len(w.api.calls)-calls)
	}
}

// TestLastChance: a back-off that would let the rest of the time pass unused is cut, so that an API which comes back is met.
func TestLastChance(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.Rand = func() float64 { return 0.99 }
	back := w.clock.Now().Add(5 * time.Second)
	w.api.fault = func(string, int) fault {
		if w.clock.Now().Before(back) {
			return fault{code: CodeUnavailable}
		}
		return fault{}
	}
	if got := w.Take(within(w.clock, 9*time.Second), order("daily", "k")); got.Outcome != OutcomeCreated {
		t.Errorf("got %q: %v", got.Outcome, got.Error)
	}
}

// TestBlockedByGoneDisk: three snapshots of a disk that is gone keep the server's slots; the answer is that it is gone.
func TestBlockedByGoneDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 3})
	for hours := range 3 {
		w.fill(w.ours("daily", time.Duration(30+hours)*time.Hour, Accomplished))
	}
	w.api.disks = nil
	got := w.Tick(within(w.clock, time.Minute), Tick{Sweep: true, Time: w.clock.Now()})[0]
	if code(got.Error) != CodeDiskGone && code(got.Error) != CodeDiskNotFound || len(got.Deleted) > 0 {
		t.Errorf("got %v, deleted %v", got.Error, got.Deleted)
	}
}

// TestDefectsAreToldOnce: what this project makes of a caller's defect is not told as a second one.
func TestDefectsAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	o := Order{DiskID: "d-web", RegionID: home, Role: "9x", Key: "k", Tags: []Tag{{TagToken, "forged"}}}
	got := w.Take(within(w.clock, time.Minute), o)
	wrong, ok := got.Error.Unwrap().(Violations)
	if !ok || len(wrong) != 2 || wrong[0].Field != "role" || wrong[1].Field != "Tag.1.Key" {
		t.Errorf("got %v", got.Error)
	}
}

// TestDryRunOfDoneOrder: a dry run plans no new snapshot where a real run would take none.
func TestDryRunOfDoneOrder(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Order{
		"own":         order("daily", "k"),
		"in progress": order("daily", "other"),
		"fresh":       {Target: "web-1", Role: "daily", Sender: "api", Key: "other", Paced: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"daily", 3})
			w.Policy.Targets[0].MinInterval = time.Hour
			w.Take(within(w.clock, time.Minute), order("daily", "k"))
			o.DryRun = true
			got := w.Take(within(w.clock, time.Minute), o)
			for _, item := range got.Plan {
				if item.Action == ActionCreate || item.Action == ActionDelete {
					t.Errorf("plans %+v", item)
				}
			}
			if got.Outcome != OutcomePlanned || got.Warning == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestDryRunOfAFullServer: where a real run would take none, no snapshot goes to make room for one.
func TestDryRunOfAFullServer(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 3})
	for n := range 3 {
		w.fill(w.ours("daily", time.Duration(n)*24*time.Hour+12*time.Minute, Accomplished))
	}
	o := order("daily", "k")
	o.DryRun = true
	if got := w.Take(within(w.clock, time.Minute), o); !slices.ContainsFunc(got.Plan, deletes) {
		t.Fatalf("the server is not full: %+v", got.Plan)
	}
	o.MaxAge = time.Hour
	got := w.Take(within(w.clock, time.Minute), o)
	if slices.ContainsFunc(got.Plan, deletes) || len(got.Plan) != 3 || !strings.HasPrefix(got.Warning, "a real run would be reused") {
		t.Errorf("got %q, %+v", got.Warning, got.Plan)
	}
}

func deletes(item PlanItem) bool { return item.Action == ActionDelete }

// TestRawOrderOfATargetsDisk: the API's own parameters are sent as they are, with the two tags of this project.
func TestRawOrderOfATargetsDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 3})
	w.Policy.Targets[0].Tags, w.Policy.Targets[0].ResourceGroupID = []Tag{{"team", "web"}}, "rg-web"
	o := Order{DiskID: diskID, Sender: "invoke", Key: "k", Role: "daily"}
	for n := range TagMax - OwnTags {
		o.Tags = append(o.Tags, Tag{"own" + strconv.Itoa(n), ""})
	}
	got := w.Take(within(w.clock, time.Minute), o)
	if got.Outcome != OutcomeCreated || got.Target != "web-1" {
		t.Fatalf("got %+v", got)
	}
	if taken := w.api.snapshots[0]; len(taken.Tags) != TagMax {
		t.Errorf("it has %d tags", len(taken.Tags))
	}
}
