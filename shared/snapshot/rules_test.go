package snapshot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// shown renders the plan of web-1, a line an item, the newest first: its ID, action and reason.
func (a *account) shown(s *snapshot.Service) []string {
	a.t.Helper()
	plan, err := s.Plan(a.t.Context(), "web-1")
	if err != nil {
		a.t.Fatal(err)
	}
	var lines []string
	for _, item := range plan.Items {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s: %s", item.SnapshotID, item.Action, item.Reason)))
	}
	return lines
}

// deleted returns the IDs that a sweep deleted, and the calls of DeleteSnapshot that it made for them.
func (a *account) deleted(s *snapshot.Service) (ids, calls []string) {
	a.ResetCalls()
	for _, result := range a.sweepBy(s, snapshot.Tick{Time: time.Now()}) {
		for _, one := range result.Deleted {
			ids = append(ids, one.SnapshotID)
		}
	}
	for _, call := range a.Calls() {
		if call.Action == remove {
			calls = append(calls, call.Params["SnapshotId"])
		}
	}
	return ids, calls
}

// noDate hides the creation time of s-1 in lists.
func noDate(c *simulator.Config) {
	c.ListView = func(_ string, current, _ []simulator.Snapshot) []simulator.Snapshot {
		for i := range current {
			if current[i].ID == "s-1" {
				current[i].CreationTime = time.Time{}
			}
		}
		return current
	}
}

// TestEachRuleMatters has a situation for each row of the tables in rules.go, in which this row alone decides.
func TestEachRuleMatters(t *testing.T) {
	t.Parallel()
	one := []snapshot.Slots{slots("daily", 1)}
	three := func(a *account) {
		a.add("s-1", "daily", 3*time.Hour)
		a.add("s-2", "daily", 2*time.Hour)
		a.add("s-3", "daily", time.Hour)
	}
	cases := map[string]struct {
		keep          []snapshot.Slots
		setup         func(*account)
		config        func(*simulator.Config)
		with, without string // the calls of DeleteSnapshot with the row, and with it disabled
		text          string // of the plan with the row, where the row changes nothing else
	}{
		"failed": {keep: one, setup: func(a *account) {
			a.add("s-1", "daily", 2*time.Hour, failed)
			a.add("s-2", "daily", time.Hour)
		}, with: "s-1"},
		"surplus": {keep: one, setup: func(a *account) {
			a.add("s-1", "daily", 2*time.Hour)
			a.add("s-2", "daily", time.Hour)
		}, with: "s-1"},
		"unkept role": {keep: one, setup: func(a *account) {
			a.add("s-1", "manual", 7*day)
			a.add("s-2", "daily", time.Hour)
		}, with: "s-1"},
		"no target": {keep: one, setup: func(a *account) { a.add("s-1", "daily", time.Hour, failed, onDisk("d-2")) },
			without: "s-1"},
		"no keep": {setup: func(a *account) { a.add("s-1", "daily", time.Hour, failed) }, without: "s-1"},
		"shared disk": {keep: one, setup: func(a *account) {
			a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: "web-2", DiskID: "d-1", Keep: one})
			a.add("s-1", "daily", time.Hour, failed)
		}, without: "s-1"},
		"in progress": {keep: one, setup: func(a *account) { a.add("s-1", "daily", 10*time.Minute, running) },
			text: "s-1 keep: in progress 50%"},
		"unknown status": {keep: one, setup: func(a *account) {
			a.add("s-1", "daily", time.Hour, func(one *simulator.Snapshot) { one.Status = "archived" })
		}, text: `s-1 keep: its status "archived" is unknown`},
		"no date": {keep: one, setup: func(a *account) {
			a.add("s-1", "daily", 2*time.Hour)
			a.add("s-2", "daily", time.Hour)
		}, config: noDate, without: "s-1"},
		"pinned": {keep: one, setup: func(a *account) {
			a.add("s-1", "daily", 2*time.Hour, pinned)
			a.add("s-2", "daily", time.Hour)
		}, without: "s-1"},
		"last accomplished": {keep: one, setup: func(a *account) { a.add("s-1", "daily", time.Hour) },
			text: "s-1 keep: the last accomplished one of its disk"},
		"disk gone": {keep: one, setup: func(a *account) {
			three(a)
			a.RemoveDisk("d-1")
		}, without: "s-1"},
		"refused": {keep: one, setup: func(a *account) {
			three(a)
			a.MakeImage("s-1", "m-1")
		}, with: "s-1 s-2", without: "s-1 s-1 s-1 s-1"},
		"one a server": {keep: one, setup: three, with: "s-1", without: "s-1 s-2"},
		"others": {keep: []snapshot.Slots{slots("daily", 2, daily)}, setup: func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "", day, foreign)
		}, without: "s-1"},
	}
	if rows := snapshot.Rows(); len(rows) != len(cases) {
		t.Errorf("%d rows and %d situations", len(rows), len(cases))
	}
	for _, row := range snapshot.Rows() {
		c, ok := cases[row]
		if !ok {
			t.Errorf("the row %q has no situation", row)
			continue
		}
		for _, disabled := range []bool{false, true} {
			t.Run(row+map[bool]string{true: " disabled"}[disabled], func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					a := newAccount(t, web(c.keep...), func(config *simulator.Config) {
						if c.config != nil {
							c.config(config)
						}
					})
					c.setup(a)
					s := a.service()
					s.Instance = snapshot.NewInstance(10)
					want := c.with
					if disabled {
						snapshot.Disable(s, row)
						want = c.without
					}
					if c.text != "" {
						if lines := a.shown(s); slices.Contains(lines, c.text) == disabled {
							t.Errorf("plan %q", lines)
						}
					}
					if _, calls := a.deleted(s); strings.Join(calls, " ") != want {
						t.Errorf("deletions %v, want %q", calls, want)
					}
				})
			})
		}
	}
}
