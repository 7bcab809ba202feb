package snapshot

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestTakeWithoutDisks: a role that may not list disks rotates all the same, as far as the snapshots tell their server.
func TestTakeWithoutDisks(t *testing.T) {
	t.Parallel()
	refused := func(code string) func(string, int) fault {
		return func(action string, _ int) fault {
			if action == "ListDisks" {
				return fault{code: code}
			}
			return fault{}
		}
	}
	cases := map[string]struct {
		code    string
		keep    int
		setup   func(*world)
		outcome Outcome
		err     string
		deleted int
	}{
		"forbidden":      {CodeForbiddenRAM, 3, nil, OutcomeCreated, "", 1},
		"unknown action": {"InvalidAction.NotFound", 3, nil, OutcomeCreated, "", 1},
		"within count":   {CodeForbiddenRAM, 4, nil, OutcomeBlocked, CodeBlocked, 0},
		"pinned": {CodeForbiddenRAM, 3, func(w *world) {
			for i := range w.api.snapshots {
				w.api.snapshots[i].Tags = append(w.api.snapshots[i].Tags, Tag{TagKeep, pinForever})
			}
		}, OutcomeBlocked, CodeBlocked, 0},
		"a snapshot of another disk that names no server": {CodeForbiddenRAM, 3, func(w *world) {
			w.api.server(home, "db", true)
			one := w.foreign(time.Hour, Accomplished)
			one.DiskID = "d-dbdata" // might be of this server, for all that the list tells
			w.fill(one)
		}, "", CodeForbiddenRAM, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"daily", c.keep})
			for n := range 3 {
				w.fill(w.ours("daily", time.Duration(n+1)*24*time.Hour, Accomplished))
			}
			if c.setup != nil {
				c.setup(w)
			}
			w.api.fault = refused(c.code)
			before := len(w.api.snapshots)
			got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
			if got.Outcome != c.outcome || code(got.Error) != c.err || len(got.Deleted) != c.deleted {
				t.Errorf("got %q %v, deleted %v", got.Outcome, got.Error, got.Deleted)
			}
			if c.deleted == 0 && len(w.api.snapshots) != before {
				t.Errorf("there are %d snapshots, were %d", len(w.api.snapshots), before)
			}
		})
	}
}

// TestPlanIsThere: a blocked result has a plan, even one of nothing.
func TestPlanIsThere(t *testing.T) {
	t.Parallel()
	for _, dry := range []bool{false, true} {
		w := newWorld(Slots{"daily", 2})
		w.api.fault = always(create, fault{code: CodeLimitExceed})
		o := order("daily", "k")
		o.DryRun = dry
		text, err := json.Marshal(w.Take(within(w.clock, time.Minute), o))
		if err != nil || !strings.Contains(string(text), `"plan":[`) {
			t.Errorf("dry run %v: %s, %v", dry, text, err)
		}
	}
}
