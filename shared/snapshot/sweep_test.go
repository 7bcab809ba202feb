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

// TestSweepCalls: what a sweep costs. One list a region, one create for what is due, and for each deletion a list of disks
// and one of snapshots more.
func TestSweepCalls(t *testing.T) {
	t.Parallel()
	sum := []snapshot.Slots{slots("daily", 2, daily), slots("weekly", 1, weekly)}
	cases := map[string]struct {
		keep  []snapshot.Slots
		setup func(*account)
		calls []string
	}{
		"nothing to do": {[]snapshot.Slots{slots("daily", 1)}, func(a *account) { a.add("s-1", "daily", time.Hour) },
			[]string{list}},
		"a due role": {[]snapshot.Slots{slots("daily", 1, daily)}, func(*account) {}, []string{list, create}},
		"a deletion": {[]snapshot.Slots{slots("daily", 1)}, func(a *account) { a.add("s-1", "daily", time.Hour, failed) },
			[]string{list, disks, list, remove}},
		"both, one disk": {[]snapshot.Slots{slots("daily", 1, daily)}, func(a *account) {
			a.add("s-1", "daily", time.Hour,
				failed)
		}, []string{list, disks, list, remove, create}},
		"a replacement": {sum, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", time.Hour)
		}, []string{list, disks, list, remove, create}},
		"nothing may go": {sum, func(a *account) {
			a.add("s-1", "", day, foreign)
			a.add("s-2", "", day, foreign)
			a.add("s-3", "", day, foreign)
		}, []string{list}},
		"by its server": {nil, func(a *account) { a.policy.Targets[0].DiskID, a.policy.Targets[0].InstanceID = "", "i-1" },
			[]string{disks, list}},
		"without targets": {nil, func(a *account) { a.policy.Targets = nil }, nil},
		"a data disk fills the server, nothing may go": {sum, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "", time.Hour, foreign, onDisk("d-2"))
		}, []string{list, create}},
		"a data disk of a full server": {sum, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "weekly", time.Hour)
			a.add("s-3", "", time.Hour, foreign, onDisk("d-2"))
		}, []string{list, disks, list, remove, create}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				c.setup(a)
				start := time.Now()
				a.sweep()
				a.wantOrder()
				a.wantCalls(c.calls...)
				if time.Since(start) > time.Second {
					t.Errorf("the sweep waited %s", time.Since(start))
				}
			})
		})
	}
}

// TestOneDeletionAServer: several servers lose one snapshot each in a run, with a list each.
func TestOneDeletionAServer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := fleet(t, []snapshot.Slots{slots("daily", 1)})
		for n := range 3 {
			for i := range 3 {
				a.add(fmt.Sprintf("s-%d%d", n, i), "daily", day-time.Duration(i)*time.Hour, onDisk(fmt.Sprint("d-", n)))
			}
		}
		a.sweep()
		a.wantOrder()
		one := []string{disks, list, remove}
		a.wantCalls(slices.Concat([]string{list}, one, one, one)...)
		a.wantIDs("s-01", "s-02", "s-11", "s-12", "s-21", "s-22")
		a.sweep()
		a.sweep()
		a.calls()
		a.sweep()
		a.wantCalls(list)
		a.wantIDs("s-02", "s-12", "s-22")
	})
}

// TestRegionsInParallel: a region that does not answer holds up no other, and its targets get the error.
func TestRegionsInParallel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var policy snapshot.Policy
		a := newAccount(t, policy, func(c *simulator.Config) {
			c.Instances = nil
			servers(c, 4)
			for i := range c.Instances {
				c.Instances[i].RegionID = []string{region, "cn-shanghai", "cn-beijing", "cn-shenzhen"}[i]
			}
		})
		for n, where := range []string{region, "cn-shanghai", "cn-beijing", "cn-shenzhen"} {
			a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: fmt.Sprint("web-", n), DiskID: fmt.Sprint("d-", n),
				RegionID: where,
				Keep:     []snapshot.Slots{slots("daily", 1, daily)}})
		}
		a.Fault(simulator.Fault{Action: list, Delay: 10 * time.Second, Count: 3})
		a.Fault(forever(refusal(list, "NoPermission"))) // the fourth list
		start := time.Now()
		got := a.sweep()
		var done, refused int
		for _, r := range got {
			switch {
			case r.Outcome == snapshot.OutcomeCreated:
				done++
			case code(r) == "NoPermission" && r.Outcome == "" && r.Role == "":
				refused++
			}
		}
		if done != 3 || refused != 1 || time.Since(start) > 11*time.Second {
			t.Errorf("got %v after %s", brief(got), time.Since(start))
		}
	})
}

// TestOutage: a sweep gives up early where the API does not answer, and says so for each target.
func TestOutage(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]simulator.Fault{
		"no answer": lost("", false), "throttled": refusal("", "Throttling.User"), "unavailable": refusal("",
			"ServiceUnavailable"),
		"only creates": lost(create, false), "only lists": lost(list, false),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := fleet(t, []snapshot.Slots{slots("daily", 1, daily)})
				a.add("s-1", "daily", 2*day, onDisk("d-0"), failed)
				a.Fault(forever(f))
				start := time.Now()
				got := a.sweep()
				if took := time.Since(start); took > 40*time.Second || len(got) != 7 {
					t.Errorf("%d results after %s", len(got), took)
				}
				for _, r := range got {
					if r.Error == nil || !r.Error.Retryable || r.Outcome != "" {
						t.Errorf("got %q %v", r.Outcome, r.Error)
					}
				}
				a.ClearFaults()
				for _, r := range a.sweep() {
					if r.Outcome != snapshot.OutcomeCreated {
						t.Errorf("then: %q %v", r.Outcome, r.Error)
					}
				}
			})
		})
	}
}

// TestTicks: what a timer's payload may say.
func TestTicks(t *testing.T) {
	t.Parallel()
	policy := func() snapshot.Policy {
		p := web(slots("daily", 1), slots("deploy", 1))
		p.Targets = append(p.Targets, snapshot.Target{Name: "data", DiskID: "d-2"})
		return p
	}
	now := 9 * day
	cases := map[string]struct {
		tick snapshot.Tick
		want []string
		text string
	}{
		"sweep":             {snapshot.Tick{}, []string{"web-1", "data"}, ""},
		"sweep with a time": {snapshot.Tick{Time: epoch.Add(now)}, []string{"web-1", "data"}, ""},
		"role": {snapshot.Tick{Role: "daily", Time: epoch.Add(now)}, []string{"web-1 daily created",
			"data"}, ""},
		"role and target": {snapshot.Tick{Role: "daily", Targets: []string{"web-1"}, Time: epoch.Add(now)},
			[]string{"web-1 daily created", "data"}, ""},
		"role at a target without keep": {snapshot.Tick{Role: "any", Targets: []string{"data"}, Time: epoch.Add(now)},
			[]string{"web-1", "data any created"}, ""},
		"role, long ago": {snapshot.Tick{Role: "daily", Time: epoch}, []string{"web-1 daily created", "data"},
			""},
		"role, 5 minutes ahead": {snapshot.Tick{Role: "daily", Time: epoch.Add(now + 5*time.Minute)},
			[]string{"web-1 daily created", "data"}, ""},
		"role, 6 minutes ahead": {snapshot.Tick{Role: "daily", Time: epoch.Add(now + 6*time.Minute)},
			[]string{"daily EventTooOld"}, "in the future"},
		"role without time": {snapshot.Tick{Role: "daily"}, []string{"daily MalformedEvent"}, "has no time"},
		"targets without role": {snapshot.Tick{Targets: []string{"web-1"}, Time: epoch.Add(now)},
			[]string{"MalformedEvent"}, "add a role"},
		"unknown role": {snapshot.Tick{Role: "weekly", Time: epoch.Add(now)}, []string{"weekly UnknownRole"},
			"no target keeps role"},
		"unknown role of a target": {snapshot.Tick{Role: "dialy", Targets: []string{"web-1"}, Time: epoch.Add(now)},
			[]string{"dialy UnknownRole"}, "did you mean daily?"},
		"unknown target": {snapshot.Tick{Role: "daily", Targets: []string{"web-2"}, Time: epoch.Add(now)},
			[]string{"daily UnknownTarget"}, "did you mean web-1?"},
		"one known, one unknown": {snapshot.Tick{Role: "daily", Targets: []string{"web-1", "x"}, Time: epoch.Add(now)},
			[]string{"daily UnknownTarget"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, policy())
				got := a.sweepBy(a.service(), c.tick)
				wantBrief(t, got, c.want...)
				if c.text != "" && !strings.Contains(got[0].Error.Message, c.text) {
					t.Errorf("got %q", got[0].Error.Message)
				}
				if got[0].Error != nil {
					a.wantCalls() // nothing was done
				}
			})
		})
	}
}

// TestTickOfARole: a role of a tick is due at its minute; the same minute by schedule is the same order.
func TestTickOfARole(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		time.Sleep(3*time.Hour + 20*time.Second)
		at := time.Now()
		bySchedule := a.sweep()[0]
		time.Sleep(30 * time.Minute)
		byTimer := a.sweepBy(a.service(), snapshot.Tick{Role: "daily", Time: at})[0]
		if byTimer.SnapshotID != "" || byTimer.Role != "" || len(a.ids()) != 1 ||
			bySchedule.Outcome != snapshot.OutcomeCreated {
			t.Errorf("got %+v, then %+v", bySchedule, byTimer)
		}
		time.Sleep(2 * time.Hour)
		later := a.sweepBy(a.service(), snapshot.Tick{Role: "daily", Time: time.Now()})[0]
		if want := "daily-web-1-20000110T0530-"; later.Outcome != snapshot.OutcomeCreated ||
			!strings.HasPrefix(later.SnapshotName, want) {
			t.Errorf("got %+v", later)
		}
		time.Sleep(time.Minute)
		if again := a.sweepBy(a.service(), snapshot.Tick{Role: "daily",
			Time: time.Now().Add(-time.Minute)})[0]; again.Role != "" {
			t.Errorf("the same tick again: %+v", again)
		}
		// A role without a snapshot is due by both: the schedule says for which time.
		b := newAccount(t, web(slots("daily", 1, daily)))
		both := b.sweepBy(b.service(), snapshot.Tick{Role: "daily", Time: time.Now()})
		wantBrief(t, both, "web-1 daily created")
		if !strings.HasPrefix(both[0].SnapshotName, "daily-web-1-20000110T0300-") {
			t.Errorf("got %+v", both[0])
		}
	})
}

// TestTickWithoutASlot: without a schedule no later sweep takes a tick's role, so that it is an error.
func TestTickWithoutASlot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keep []snapshot.Slots
		want string
		kept bool // a schedule takes it later
	}{
		"without a schedule": {[]snapshot.Slots{slots("daily", 1), slots("deploy", 1)},
			"web-1 daily deferred IncorrectDiskStatus.CreatingSnapshot", false},
		"with a schedule": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, "web-1 daily deferred", true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				a.add("s-1", "deploy", time.Minute, running)
				tick := snapshot.Tick{Role: "daily", Time: time.Now()}
				got := a.sweepBy(a.service(), tick)
				wantBrief(t, got, c.want)
				if got[0].Error != nil && (!got[0].Error.Retryable || !strings.Contains(got[0].Error.Message,
					"only a retry of this tick or the next one takes it")) {
					t.Errorf("got %v", got[0].Error)
				}
				time.Sleep(20 * time.Minute)
				if again := a.sweepBy(a.service(), tick)[0]; again.Outcome != snapshot.OutcomeCreated {
					t.Errorf("the platform's retry: %q %v", again.Outcome, again.Error)
				}
			})
		})
	}
}
