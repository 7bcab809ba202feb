package snapshot

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

// sweepOnce sweeps as the timer does.
func sweepOnce(w *world) []Result {
	return w.Tick(within(w.clock, time.Minute), Tick{Sweep: true, Time: w.clock.Now()})
}

func factKinds(w *world) []NotificationKind {
	var all []NotificationKind
	for _, fact := range w.facts {
		all = append(all, fact.Kind)
	}
	return all
}

func TestSweep(t *testing.T) {
	t.Parallel()
	daily2 := []Slots{{"daily", 2}}
	cases := map[string]struct {
		keep    []Slots
		setup   func(*world)
		outcome Outcome
		code    string
		deleted string // reason
		facts   []NotificationKind
		calls   []string
	}{
		"all is well": {
			daily2, func(w *world) { w.fill(w.ours("daily", time.Hour, Accomplished)) }, OutcomeReused, "", "", nil, []string{list}},
		"in progress": {
			daily2, func(w *world) { w.fill(w.ours("daily", time.Minute, Progressing)) }, OutcomeJoined, "", "", nil, []string{list}},
		"nothing yet": {
			daily2, func(*world) {}, OutcomeCreated, "", "", nil, []string{list, create}},
		"failed": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", time.Hour, Accomplished), w.ours("daily", time.Minute, Failed))
			}, OutcomeReused, "", "failed: it cannot restore anything", []NotificationKind{NotifyFailed}, []string{list, disks, remove}},
		"failed, without keep": {
			nil, func(w *world) {
				w.fill(w.ours("daily", time.Hour, Accomplished), w.ours("daily", time.Minute, Failed))
			}, OutcomeReused, "", "", []NotificationKind{NotifyFailed}, []string{list}},
		"failed, foreign": {
			daily2, func(w *world) { w.fill(w.ours("daily", time.Hour, Accomplished), w.foreign(time.Minute, Failed)) },
			OutcomeReused, "", "", nil, []string{list}},
		"over its count": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", time.Hour, Accomplished))
			}, OutcomeReused, "", "daily 3 of 2: over the count", nil, []string{list, disks, remove}},
		"over its count once the new one is good": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", time.Minute, Progressing))
			}, OutcomeJoined, "", "", nil, []string{list}},
		"two over, one goes": {
			[]Slots{{"daily", 1}}, func(w *world) {
				w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", time.Hour, Accomplished))
			}, OutcomeReused, "", "daily 3 of 1: over the count", nil, []string{list, disks, remove}},
		"stale": {
			daily2, func(w *world) { w.fill(w.ours("daily", 26*time.Hour, Accomplished)) },
			OutcomeCreated, "", "", []NotificationKind{NotifyStale}, []string{list, create}},
		"not stale yet": {
			daily2, func(w *world) { w.fill(w.ours("daily", 26*time.Hour-1, Accomplished)) }, OutcomeReused, "", "", nil, []string{list}},
		"a foreign one is good, too": {
			daily2, func(w *world) { w.fill(w.foreign(time.Hour, Accomplished)) }, OutcomeReused, "", "", nil, []string{list}},
		"stale and in progress": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 48*time.Hour, Accomplished), w.ours("daily", time.Minute, Progressing))
			}, OutcomeJoined, "", "", nil, []string{list}},
		"stale and in progress for too long": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 48*time.Hour, Accomplished))
				w.fill(w.ours("daily", 3*time.Hour, Progressing))
				w.api.snapshots[1].due = epoch.Add(time.Hour)
			}, OutcomeJoined, "", "", []NotificationKind{NotifyStale}, []string{list}},
		"stale at a full server": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 50*time.Hour, Accomplished), w.ours("daily", 49*time.Hour, Accomplished), w.foreign(48*time.Hour, Accomplished))
			}, OutcomeCreated, "", "daily 3 of 2: over the count", []NotificationKind{NotifyStale}, []string{list, disks, remove, create}},
		"stale and blocked": {
			daily2, func(w *world) {
				w.fill(w.foreign(50*time.Hour, Accomplished), w.foreign(49*time.Hour, Accomplished), w.foreign(48*time.Hour, Accomplished))
			}, OutcomeBlocked, CodeBlocked, "", []NotificationKind{NotifyBlocked, NotifyStale}, []string{list}},
		"a foreign one in progress": {
			daily2, func(w *world) { w.fill(w.ours("daily", time.Hour, Accomplished), w.foreign(time.Minute, Progressing)) },
			OutcomeReused, "", "", nil, []string{list}},
		"disk gone": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", time.Hour, Accomplished))
				w.api.disks = nil
			}, "", CodeDiskGone, "", []NotificationKind{NotifyFailed}, []string{list, disks}},
		"server released": {
			daily2, func(w *world) { w.api.disks, w.api.snapshots = nil, nil },
			"", CodeDiskNotFound, "", []NotificationKind{NotifyFailed}, []string{list, create}},
		"no right to delete": {
			daily2, func(w *world) {
				w.fill(w.ours("daily", 50*time.Hour, Accomplished), w.ours("daily", 49*time.Hour, Failed))
				w.api.fault = always(remove, fault{code: CodeForbiddenRAM})
			}, OutcomeCreated, CodeForbiddenRAM, "", []NotificationKind{NotifyFailed, NotifyStale, NotifyFailed}, []string{list, create, disks, remove}},
		"unreadable region": {
			daily2, func(w *world) { w.Policy.RegionID = "here" }, "", CodeInvalidRegion, "", []NotificationKind{NotifyFailed}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(c.keep...)
			c.setup(w)
			got := sweepOnce(w)[0]
			if got.Outcome != c.outcome || code(got.Error) != c.code || got.Target != "web-1" {
				t.Errorf("got %q %v, want %q %q", got.Outcome, got.Error, c.outcome, c.code)
			}
			reasons := ""
			for _, one := range got.Deleted {
				reasons += one.Reason
			}
			if listed := c.calls != nil && c.outcome != ""; listed && (got.Slots == nil || *got.Slots != SlotCount{len(w.api.snapshots), SlotsPerServer}) {
				t.Errorf("slots %+v, want all %d", got.Slots, len(w.api.snapshots))
			}
			if reasons != c.deleted {
				t.Errorf("deleted %q, want %q", reasons, c.deleted)
			}
			if got := factKinds(w); !slices.Equal(got, c.facts) {
				t.Errorf("facts %v, want %v", got, c.facts)
			}
			wantCalls(t, w, c.calls...)
			// The same facts are told again, for those who could not be reached; the log has them once.
			before := len(w.facts)
			var lines bytes.Buffer
			w.Log = slog.New(slog.NewTextHandler(&lines, nil))
			w.api.fault = nil
			if c.outcome == OutcomeBlocked || c.outcome == OutcomeJoined {
				w.clock.advance(time.Second)
				sweepOnce(w)
				for _, again := range w.facts[before:] {
					if !slices.ContainsFunc(w.facts[:before], func(first Notification) bool { return first.Key == again.Key }) {
						t.Errorf("the same fact has another key: %+v", again)
					}
				}
				if strings.Contains(lines.String(), "msg=fact") {
					t.Errorf("logged again:\n%s", &lines)
				}
			}
		})
	}
}

// TestSweepMakesMissedTicksGood: without any tick, sweeps alone keep a target fresh and within its slots.
func TestSweepMakesMissedTicksGood(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	for range 6 * 24 * 7 {
		w.clock.advance(10 * time.Minute)
		for _, got := range sweepOnce(w) {
			if got.Error != nil {
				t.Fatalf("%v", got.Error)
			}
		}
	}
	good := w.api.good(diskID)
	if len(good) != 2 || w.clock.Now().Sub(good[0].CreationTime) > 27*time.Hour || good[0].role() != "daily" {
		t.Errorf("after a week without ticks: %+v", good)
	}
}

// TestSweepCost: one list for each region and 100 snapshots; disks only where something may go.
func TestSweepCost(t *testing.T) {
	t.Parallel()
	w := fleet()
	for _, target := range w.Policy.Targets {
		one := w.ours("daily", time.Hour, Accomplished)
		one.DiskID = target.DiskID
		w.fill(one)
	}
	sweepOnce(w)
	wantCalls(t, w, list, list)
	for range 250 {
		w.fill(Snapshot{DiskID: "d-db", Status: Accomplished, CreationTime: epoch.Add(-48 * time.Hour)})
	}
	w.api.calls = nil
	sweepOnce(w)
	wantCalls(t, w, list, list, list, list)
}

// TestSweepDoubledPage: an element that two pages show counts once.
func TestSweepDoubledPage(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.fill(w.ours("daily", 2*time.Hour, Accomplished))
	newest := w.ours("daily", time.Hour, Accomplished)
	newest.ID = "s-twice"
	w.fill(newest, newest)
	if got := sweepOnce(w)[0]; len(got.Deleted) > 0 {
		t.Errorf("deleted %+v", got.Deleted)
	}
}

// TestSweepOneDeletionPerServer: two targets on one server, each with one too many.
func TestSweepOneDeletionPerServer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.api.server(home, "db", true)
	w.Policy.Targets = []Target{{Name: "db", DiskID: "d-db", Keep: []Slots{{"daily", 1}}}, {Name: "data", DiskID: "d-dbdata", Keep: []Slots{{"daily", 1}}}}
	for i, disk := range []string{"d-db", "d-db", "d-dbdata", "d-dbdata"} {
		one := w.ours("daily", time.Duration(9-i)*time.Hour, Accomplished)
		one.DiskID = disk
		w.fill(one)
	}
	w.api.fault = scripted(remove, lostAfter)
	sweepOnce(w)
	if n := len(w.api.snapshots); n != 3 {
		t.Errorf("%d snapshots are left, want 3", n)
	}
	sweepOnce(w)
	if n := len(w.api.snapshots); n != 2 {
		t.Errorf("%d snapshots are left, want 2", n)
	}
}

// TestSweepStubbornDeletion: a deletion that keeps failing holds up neither its own target nor the others.
func TestSweepStubbornDeletion(t *testing.T) {
	t.Parallel()
	w := fleet()
	for _, target := range w.Policy.Targets[:2] {
		for age := range 3 {
			one := w.ours("daily", time.Duration(age+1)*time.Hour, Accomplished)
			one.DiskID = target.DiskID
			w.fill(one)
		}
	}
	stubborn := w.api.snapshots[2].ID
	w.API = stubbornSnapshot{w.api, stubborn}
	got := sweepOnce(w)
	if got[0].Outcome != OutcomeDeferred || code(got[0].Error) != CodeInternalError || !got[0].Error.Retryable {
		t.Errorf("web-1: %q %v", got[0].Outcome, got[0].Error)
	}
	if got[1].Outcome != OutcomeReused || len(got[1].Deleted) != 1 || got[2].Error != nil {
		t.Errorf("the others: %+v", got[1:])
	}
}

func TestSweepRegionOutage(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.Policy.Targets[2].MaxAge = time.Hour
	w.api.fault = func(action string, n int) fault {
		if action == list && w.api.calls[len(w.api.calls)-1].id == home {
			return lostBefore
		}
		return fault{}
	}
	got := sweepOnce(w)
	if got[0].Outcome != OutcomeDeferred || got[1].Outcome != OutcomeDeferred || got[2].Outcome != OutcomeCreated {
		t.Errorf("got %q %q %q", got[0].Outcome, got[1].Outcome, got[2].Outcome)
	}
	for _, call := range w.api.calls {
		if call.action == create && call.at != epoch {
			t.Errorf("the healthy region waited %s", call.at.Sub(epoch))
		}
	}
}

func TestSweepDeadline(t *testing.T) {
	t.Parallel()
	w := fleet()
	for _, got := range w.Tick(within(w.clock, -time.Second), Tick{Sweep: true, Time: epoch}) {
		if got.Outcome != OutcomeDeferred || code(got.Error) != CodeNoTime || got.Target == "" {
			t.Errorf("got %+v", got)
		}
	}
	wantCalls(t, w)
}

// TestSweepTellsOfDone: people hear of an accomplished snapshot until somebody says that they did, and then no more, even
// when another process sweeps next. In the log it is no warning.
func TestSweepTellsOfDone(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.TellDone = true
	w.fill(w.ours("daily", 25*time.Hour, Accomplished), w.ours("daily", time.Hour, Accomplished), w.foreign(time.Hour, Accomplished))
	var lines bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&lines, nil))
	sweepOnce(w)
	if !strings.Contains(lines.String(), "level=INFO msg=fact kind=done") {
		t.Errorf("the log is\n%s", &lines)
	}
	w.restart()
	sweepOnce(w)
	if got := factKinds(w); !slices.Equal(got, []NotificationKind{NotifyDone, NotifyDone}) || w.facts[0] != w.facts[1] {
		t.Errorf("facts %v", got)
	}
	w.Told(within(w.clock, time.Minute), w.facts[1], Notification{Kind: NotifyFailed, SnapshotID: w.facts[1].SnapshotID})
	w.restart()
	sweepOnce(w)
	if got := factKinds(w); len(got) != 2 {
		t.Errorf("facts %v", got)
	}
	wantCalls(t, w, list, list, "TagResources", list)
	w = newWorld(Slots{"daily", 2})
	w.fill(w.ours("daily", time.Hour, Accomplished))
	sweepOnce(w)
	wantCalls(t, w, list)
}

// TestFactsSayWhatToDo: each fact names the target, what happened and what mends it.
func TestFactsSayWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.fill(w.foreign(50*time.Hour, Accomplished), w.foreign(49*time.Hour, Accomplished), w.ours("daily", 48*time.Hour, Accomplished))
	w.fill(w.ours("weekly", 60*time.Hour, Failed))
	w.Policy.Targets[0].Keep = nil
	sweepOnce(w)
	for _, fact := range w.facts {
		if fact.Target != "web-1" || fact.What == "" || fact.Advice == "" || fact.Since.IsZero() || fact.Key == "" || !strings.Contains(fact.DiskID, "d-") {
			t.Errorf("%+v", fact)
		}
	}
	if len(w.facts) != 3 {
		t.Errorf("%d facts: %v", len(w.facts), factKinds(w))
	}
}

// TestLateSweep: a sweep looks at the state as it is, so its own age is no reason to leave a stale target so.
func TestLateSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.fill(w.ours("daily", 48*time.Hour, Accomplished))
	got := w.Tick(within(w.clock, time.Minute), Tick{Sweep: true, Time: epoch.Add(-56 * time.Hour)})
	if len(got) != 1 || got[0].Outcome != OutcomeCreated {
		t.Errorf("got %+v", got)
	}
	if got := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", Time: epoch.Add(-56 * time.Hour)}); code(got[0].Error) != CodeTooOld {
		t.Errorf("a tick that is as old gets %+v", got)
	}
}
