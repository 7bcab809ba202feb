package snapshot

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// fleet makes a world of three servers: web-1 keeps daily and weekly, db-1 daily, free keeps nothing.
func fleet() *world {
	w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
	w.api.server(home, "db", false)
	w.api.server("cn-beijing", "free", false)
	w.Policy.Targets = append(w.Policy.Targets,
		Target{Name: "db-1", DiskID: "d-db", Keep: []Slots{{"daily", 1}}},
		Target{Name: "free", DiskID: "d-free", RegionID: "cn-beijing"})
	return w
}

func TestTick(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tick Tick
		want []string // target, outcome, code
	}{
		"every target of a role":   {Tick{Role: "daily", Time: epoch}, []string{"web-1 created ", "db-1 created ", "free created "}},
		"the one target of a role": {Tick{Role: "weekly", Time: epoch}, []string{"web-1 created ", "free created "}},
		"named targets":            {Tick{Role: "daily", Targets: []string{"db-1"}, Time: epoch}, []string{"db-1 created "}},
		"a target without keep":    {Tick{Role: "daily", Targets: []string{"free"}, Time: epoch}, []string{"free created "}},
		"unknown target":           {Tick{Role: "daily", Targets: []string{"web-9", "db-1"}, Time: epoch}, []string{"web-9  UnknownTarget", "db-1 created "}},
		"unknown role":             {Tick{Role: "dialy", Time: epoch}, []string{"  UnknownRole"}},
		"a role the target has not": {
			Tick{Role: "weekly", Targets: []string{"db-1", "web-1"}, Time: epoch}, []string{"db-1  UnknownRole", "web-1 created "}},
		"no role":             {Tick{Time: epoch}, []string{"  UnknownRole"}},
		"too old":             {Tick{Role: "weekly", Time: epoch.Add(-25 * time.Hour)}, []string{"web-1  EventTooOld", "free  EventTooOld"}},
		"neither time nor ID": {Tick{Role: "weekly"}, []string{"web-1  InvalidOrder", "free  InvalidOrder"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := fleet()
			var got []string
			for _, one := range w.Tick(within(w.clock, time.Minute), c.tick) {
				got = append(got, one.Target+" "+string(one.Outcome)+" "+code(one.Error))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if w.api.count[create] != strings.Count(strings.Join(got, "\n"), "created") {
				t.Errorf("calls %v", w.actions())
			}
		})
	}
	t.Run("what is said of a role", func(t *testing.T) {
		t.Parallel()
		w := fleet()
		for want, tick := range map[string]Tick{
			`no target keeps role "dialy"`:            {Role: "dialy", Time: epoch},
			`target db-1 does not keep role "weekly"`: {Role: "weekly", Targets: []string{"db-1"}, Time: epoch},
		} {
			if got := w.Tick(within(w.clock, time.Minute), tick); !strings.Contains(got[0].Error.Message, want) {
				t.Errorf("got %q, want %s", got[0].Error.Message, want)
			}
		}
	})
	t.Run("empty policy", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.Policy.Targets = nil
		for _, tick := range []Tick{{Role: "daily", Time: epoch}, {Sweep: true, Time: epoch}} {
			if got := w.Tick(within(w.clock, time.Minute), tick); len(got) != 1 || code(got[0].Error) != CodeUnknownTarget {
				t.Errorf("got %+v", got)
			}
		}
	})
}

// TestTickIdentity: the minute is the identity, whichever platform, time zone or second fired.
func TestTickIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	first := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", Time: epoch, Trigger: "fc-daily"})
	w.restart()
	china := epoch.Add(59 * time.Second).In(time.FixedZone("CST", 8*3600))
	again := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", Time: china, Trigger: "arn:aws:scheduler:daily", RequestID: "other"})
	if again[0].SnapshotID != first[0].SnapshotID || again[0].ClientToken != first[0].ClientToken || again[0].SnapshotName != first[0].SnapshotName {
		t.Errorf("two platforms took %+v and %+v", first[0], again[0])
	}
	w.clock.advance(time.Hour)
	next := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", Time: epoch.Add(time.Minute)})
	if next[0].ClientToken == first[0].ClientToken || next[0].Outcome != OutcomeCreated {
		t.Errorf("the next minute got %+v", next[0])
	}
}

func TestTickWithoutTime(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	one := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", RequestID: "r-1"})[0]
	same := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", RequestID: "r-1"})[0]
	w.clock.advance(time.Hour)
	other := w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", RequestID: "r-2"})[0]
	if one.SnapshotID != same.SnapshotID || one.SnapshotID == other.SnapshotID || other.Outcome != OutcomeCreated {
		t.Errorf("got %s, %s and %s", one.SnapshotID, same.SnapshotID, other.SnapshotID)
	}
	if strings.Contains(one.SnapshotName, "2026") {
		t.Errorf("name %q has a time that the event has not", one.SnapshotName)
	}
}

// TestTickCost: a run over N targets costs N creations, and at full servers one list for each region.
func TestTickCost(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", Time: epoch})
	wantCalls(t, w, create, create, create)
	w = newWorld()
	w.Policy.Targets = nil
	for _, name := range []string{"a", "b", "c", "d"} {
		w.api.server(home, name, false)
		w.Policy.Targets = append(w.Policy.Targets, Target{Name: name, DiskID: "d-" + name, Keep: []Slots{{"daily", 3}}})
		for i := range 3 {
			one := w.ours("daily", time.Duration(i+1)*time.Hour, Accomplished)
			one.DiskID = "d-" + name
			w.fill(one)
		}
	}
	for _, got := range w.Tick(within(w.clock, time.Minute), Tick{Role: "daily", Time: epoch}) {
		if got.Outcome != OutcomeCreated || len(got.Deleted) != 1 {
			t.Errorf("%s: %q %v", got.Target, got.Outcome, got.Error)
		}
	}
	if c := w.api.count; c[list] != 1 || c[disks] != 1 || c[remove] != 4 || c[create] != 5 {
		t.Errorf("calls: %v", c)
	}
}
