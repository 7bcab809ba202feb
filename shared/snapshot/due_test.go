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

// brief renders the results of a sweep: target, role, outcome and error of each.
func brief(results []snapshot.Result) []string {
	var lines []string
	for _, r := range results {
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprint(r.Target, " ", r.Role, " ", r.Outcome, " ", code(r))),
			" "))
	}
	return lines
}

func wantBrief(t *testing.T, results []snapshot.Result, want ...string) {
	t.Helper()
	if got := brief(results); !slices.Equal(got, want) {
		t.Errorf("results: got %q, want %q", got, want)
	}
}

// TestDue: a role is due when no snapshot of it, in progress or accomplished, belongs to its latest time or a later moment.
func TestDue(t *testing.T) {
	t.Parallel()
	const latest = 21 * time.Hour // ago: 03:00 of the day before
	slot := time.Date(2000, 1, 9, 3, 0, 0, 0, time.UTC)
	byTimer := func(at time.Time) snapshot.Order {
		return snapshot.Order{Target: "web-1", Role: "daily", Sender: "timer",
			Key: "slot:daily:" + at.Format("2006-01-02T15:04Z"), Time: at}
	}
	cases := map[string]struct {
		setup func(*account)
		due   bool
	}{
		"nothing there":           {func(*account) {}, true},
		"of the time":             {func(a *account) { a.add("s-1", "daily", latest) }, false},
		"later, by an order":      {func(a *account) { a.add("s-1", "daily", time.Hour) }, false},
		"later, in progress":      {func(a *account) { a.add("s-1", "daily", time.Minute, running) }, false},
		"later, failed":           {func(a *account) { a.add("s-1", "daily", time.Hour, failed) }, true},
		"earlier":                 {func(a *account) { a.add("s-1", "daily", latest+time.Second) }, true},
		"earlier, named after it": {func(a *account) { a.addOwn(byTimer(slot), latest+time.Minute) }, false},
		"later, named before it":  {func(a *account) { a.addOwn(byTimer(slot.Add(-day)), time.Hour) }, false},
		"earlier, another's token": {func(a *account) {
			a.addOwn(byTimer(slot), latest+time.Minute, func(one *simulator.Snapshot) { one.Tags[0].Value = "x" })
		}, true},
		"another role": {func(a *account) { a.add("s-1", "deploy", time.Hour) }, true},
		"another disk": {func(a *account) { a.add("s-1", "daily", time.Hour, onDisk("d-2")) }, true},
		"foreign":      {func(a *account) { a.add("s-1", "daily", time.Hour, foreign) }, true},
		"of unknown status": {func(a *account) {
			a.add("s-1", "daily", time.Hour, func(one *simulator.Snapshot) { one.Status = "archived" })
		}, true},
		"tags hidden":               {func(a *account) { a.addOwn(byTimer(slot), latest, foreign) }, false},
		"tags of an earlier hidden": {func(a *account) { a.addOwn(byTimer(slot.Add(-day)), latest+day, foreign) }, true},
		"of an earlier version": {func(a *account) {
			a.addOwn(byTimer(slot), latest, func(one *simulator.Snapshot) { one.Tags[1].Value = "daily/timer/x" })
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
				c.setup(a)
				plan, err := a.service().Plan(t.Context(), "web-1")
				if due := len(plan.Items) > 0 && plan.Items[0].Action == snapshot.ActionCreate; due != c.due || err != nil {
					t.Errorf("due: got %v %v", due, err)
				}
			})
		})
	}
}

// TestDueIsTaken: the order of a due role is that of its time, whenever it is taken.
func TestDueIsTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		got := a.sweep()
		wantBrief(t, got, "web-1 daily created")
		a.wantCalls(list, create)
		if want := "daily-web-1-20000109T0300-" + got[0].ClientToken[4:12]; got[0].SnapshotName != want ||
			got[0].Status != snapshot.Progressing || got[0].CreationTime != "" {
			t.Errorf("got %+v, want name %s", got[0], want)
		}
		time.Sleep(10 * time.Minute)
		wantBrief(t, a.sweep(), "web-1")
		a.wantCalls(list)
		a.sweeps(3 * day)
		if roles := a.roles(); roles["daily"] != 1 || roles["deploy"] != 0 || len(a.ids()) != 1 {
			t.Errorf("got %v", roles)
		}
	})
}

// TestAttempts: a due role whose snapshot failed or was deleted is ordered again, at most once in an hour.
func TestAttempts(t *testing.T) {
	t.Parallel()
	t.Run("failed", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a := newAccount(t, web(slots("daily", 1, daily)))
			time.Sleep(3 * time.Hour)
			a.sweep() // the daily of now
			time.Sleep(time.Hour)
			a.ResetCalls()
			for range 4 {
				a.FailNext("d-1")
			}
			time.Sleep(23 * time.Hour) // 03:00
			var names []string
			for range 6 * 4 {
				for _, r := range a.sweep() {
					if r.Outcome == snapshot.OutcomeCreated {
						names = append(names, r.SnapshotName[:len("daily-web-1-20000111T0300")])
					}
					if r.Outcome == snapshot.OutcomeDeferred && (r.Error != nil || !strings.Contains(r.Warning,
						"the next attempt is at 2000-01-11 0")) {
						t.Errorf("got %+v", r)
					}
				}
				time.Sleep(10 * time.Minute)
			}
			if want := slices.Repeat([]string{"daily-web-1-20000111T0300"}, 4); !slices.Equal(names, want) {
				t.Errorf("attempts %v, want %v", names, want)
			}
			a.sweep() // the fifth succeeds
			time.Sleep(30 * time.Minute)
			wantBrief(t, a.sweep(), "web-1")
		})
	})
	t.Run("deleted by an operator", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a := newAccount(t, web(slots("daily", 1, daily)))
			a.add("s-old", "daily", 21*time.Hour)
			time.Sleep(3 * time.Hour)
			first := a.sweep()[0]
			time.Sleep(30 * time.Minute)
			operator := caller{a.Simulator, "sweep"}
			if err := operator.DeleteSnapshot(t.Context(), region, first.SnapshotID, "operator"); err != nil {
				t.Fatal(err)
			}
			a.calls()
			got := a.sweep()
			wantBrief(t, got, "web-1 daily deferred")
			if !strings.Contains(got[0].Warning, "is gone; the next attempt is at 2000-01-10 04:00 UTC") ||
				got[0].SnapshotID != "" {
				t.Errorf("got %+v", got[0])
			}
			a.wantCalls(list, create, list)
			time.Sleep(30 * time.Minute)
			wantBrief(t, a.sweep(), "web-1 daily created")
		})
	})
}

// TestFailedAndGone: in the hour of a first daily that failed and was deleted, no process answers that it took one.
func TestFailedAndGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily)))
		time.Sleep(3 * time.Hour)
		a.FailNext("d-1")
		wantBrief(t, a.sweep(), "web-1 daily created")
		for range 5 {
			time.Sleep(10 * time.Minute)
			wantBrief(t, a.sweep(), "web-1 daily deferred")
		}
		time.Sleep(10 * time.Minute)
		wantBrief(t, a.sweep(), "web-1 daily created")
	})
}

// TestUsedUpDoesNotHoldUpOthers: a role whose attempt is used up leaves the disk to the next role.
func TestUsedUpDoesNotHoldUpOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("weekly", 1, weekly)))
		a.FailNext("d-1")
		wantBrief(t, a.sweep(), "web-1 weekly created", "web-1 daily deferred")
		time.Sleep(20 * time.Minute)
		got := a.sweep()
		wantBrief(t, got, "web-1 weekly deferred", "web-1 daily created")
		if len(got[0].Deleted) != 1 || !strings.Contains(got[0].Warning, "at 2000-01-10 01:00 UTC") {
			t.Errorf("got %+v", got[0])
		}
	})
}

// TestServedFirst: of due roles that one disk serves in turn, the longest period goes first, then the one due longest,
// then by target and role.
func TestServedFirst(t *testing.T) {
	t.Parallel()
	hourly := every{time.Hour, 0}
	late := every{day, 5 * time.Hour}
	cases := map[string]struct {
		keep []snapshot.Slots
		want []string
	}{
		"period": {[]snapshot.Slots{slots("daily", 1, daily), slots("weekly", 1, weekly)}, []string{"web-1 weekly created",
			"web-1 daily deferred"}},
		"time": {[]snapshot.Slots{slots("b", 1, late), slots("c", 1, daily)}, []string{"web-1 c created",
			"web-1 b deferred"}},
		"role": {[]snapshot.Slots{slots("d", 1, daily), slots("c", 1, daily)}, []string{"web-1 c created",
			"web-1 d deferred"}},
		"shorter": {[]snapshot.Slots{slots("hourly", 1, hourly), slots("daily", 1, daily)}, []string{"web-1 daily created",
			"web-1 hourly deferred"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				got := a.sweep()
				wantBrief(t, got, c.want...)
				if !strings.Contains(got[1].Warning, "is in progress; the next attempt is at 2000-01-10 00:10 UTC") ||
					got[1].Error != nil {
					t.Errorf("the one that waits: %+v", got[1])
				}
				a.wantCalls(list, create)
				time.Sleep(20 * time.Minute)
				if got := a.sweep(); got[0].Outcome != snapshot.OutcomeCreated {
					t.Errorf("then: %+v", got)
				}
			})
		})
	}
}

// TestTwoDisksOneFreeSlot: of two roles due on two disks of one server with one free slot, one takes it. The other waits:
// a slot was free, so nothing is replaced.
func TestTwoDisksOneFreeSlot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		policy := web(slots("daily", 1, daily), slots("deploy", 1))
		policy.Targets[0].DiskID, policy.Targets[0].InstanceID = "", "i-1" // so that the disks are listed
		policy.Targets = append(policy.Targets, snapshot.Target{Name: "data", DiskID: "d-2",
			Keep: []snapshot.Slots{slots("daily", 1, daily)}})
		a := newAccount(t, policy)
		a.add("s-1", "daily", 2*day)
		a.add("s-2", "deploy", 2*day)
		got := a.sweep()
		wantBrief(t, got, "web-1 daily deferred", "data daily created")
		if n := a.CallCounts()[remove]; n > 0 {
			t.Errorf("%d deletions", n)
		}
	})
}
