package snapshot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// codeOf returns the code of an error, or "".
func codeOf(t *testing.T, err error) string {
	t.Helper()
	var known *snapshot.Error
	if err != nil && !errors.As(err, &known) {
		t.Fatalf("%T is no *Error: %v", err, err)
	}
	if known == nil {
		return ""
	}
	return known.Code
}

func TestList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 2)))
		a.add("s-1", "daily", 2*time.Hour, pinned)
		a.add("s-2", "", time.Hour, foreign)
		got, err := a.service().List(t.Context(), "web-1")
		if err != nil || got.Slots != (snapshot.SlotCount{Used: 2, Of: 3}) || len(got.Listed) != 2 {
			t.Fatalf("got %+v %v", got, err)
		}
		if newest := got.Listed[0]; newest.Role != "" || newest.Target != "web-1" ||
			newest.CreationTime != "2000-01-09T23:00:00Z" || newest.Keep != "" {
			t.Errorf("newest %+v", newest)
		}
		if pinned := got.Listed[1]; pinned.Role != "daily" || pinned.Keep != "forever" ||
			pinned.Status != snapshot.Accomplished {
			t.Errorf("pinned %+v", pinned)
		}
		a.wantCalls(list)
		// A snapshot of a data disk occupies a slot of its server, although it does not name it.
		a.add("s-3", "", time.Minute, foreign, onDisk("d-2"))
		if got, err := a.service().List(t.Context(), "web-1"); err != nil || got.Slots.Used != 3 ||
			got.Listed[0].Target != "" {
			t.Errorf("got %+v %v", got, err)
		}
		a.wantCalls(list, disks)
		if _, err := a.service().List(t.Context(), "web-2"); codeOf(t, err) != snapshot.CodeUnknownTarget {
			t.Errorf("got %v", err)
		}
	})
}

// TestServerOfADataDisk: where the server of a target's disk is not known, the disks are listed: the snapshots of its other
// disks occupy its slots.
func TestServerOfADataDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, snapshot.Policy{Targets: []snapshot.Target{{Name: "web-1", DiskID: "d-2",
			Keep: []snapshot.Slots{slots("deploy", 1)}}}})
		if got, err := a.service().List(t.Context(), "web-1"); err != nil || got.Slots.Used != 0 {
			t.Errorf("got %+v %v", got, err)
		}
		a.wantCalls(list) // nothing can occupy a slot
		for _, id := range []string{"s-1", "s-2", "s-3"} {
			a.add(id, "deploy", time.Hour)
		}
		if got, err := a.service().List(t.Context(), "web-1"); err != nil || got.Slots.Used != 3 {
			t.Errorf("got %+v %v", got, err)
		}
		a.wantCalls(list, disks)
		if got := a.take(order("deploy", "k")); got.Outcome != snapshot.OutcomeBlocked {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
}

// TestViewsFail: errors of views are those of the calls.
func TestViewsFail(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]simulator.Fault{
		snapshot.CodeNoAnswer: lost(list, false), "NoPermission": refusal(list, "NoPermission"),
		"Throttling.User": refusal(list, "Throttling.User"),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 2)))
				a.Fault(forever(f))
				_, err := a.service().List(t.Context(), "web-1")
				_, planned := a.service().Plan(t.Context(), "web-1")
				_, _, found := a.service().Find(t.Context(), "s-1")
				if codeOf(t, err) != name || codeOf(t, planned) != name || codeOf(t, found) != name {
					t.Errorf("got %v, %v, %v", err, planned, found)
				}
			})
		})
	}
}

func TestFind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, snapshot.Policy{Targets: []snapshot.Target{{Name: "web-0", DiskID: "d-0"}, {Name: "web-1",
			InstanceID: "i-1"},
			{Name: "web-2", DiskID: "d-2", RegionID: "cn-shanghai"}}}, func(c *simulator.Config) {
			c.Instances = nil
			servers(c, 4)
			c.Instances[2].RegionID = "cn-shanghai"
		})
		for n, want := range []string{"web-0", "web-1", "web-2", ""} {
			id := []string{"s-0", "s-1", "s-2", "s-3"}[n]
			a.add(id, "daily", time.Hour, onDisk([]string{"d-0", "d-1", "d-2", "d-3"}[n]))
			one, target, err := a.service().Find(t.Context(), id)
			if target.Name != want || (want == "") != (codeOf(t, err) == snapshot.CodeNoSuchID) || want != "" && (one.ID != id ||
				target.DiskID != one.DiskID) {
				t.Errorf("%s: got %q %v", id, target.Name, err)
			}
		}
		// A region that does not answer may hold it: it is not unknown.
		a.Fault(refusal(list, "NoPermission"))
		if _, _, err := a.service().Find(t.Context(), "s-none"); codeOf(t, err) != "NoPermission" {
			t.Errorf("got %v", err)
		}
		a.policy.Targets = nil
		if _, _, err := a.service().Find(t.Context(), "s-0"); codeOf(t, err) != snapshot.CodeNoSuchID {
			t.Errorf("got %v", err)
		}
	})
}

// TestForecast: what a plan says of later sweeps, of the next time of each role, and of what will be blocked.
func TestForecast(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		keep    []snapshot.Slots
		setup   func(*account)
		later   []string
		outlook []string // role, next, and whether it will be blocked
		blocked string   // now
	}{
		"default policy": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "daily", 20*time.Hour)
			a.add("s-2", "deploy", time.Hour)
		}, nil, []string{"daily 10 03:00", "deploy"}, ""},
		"in progress": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "deploy", 20*time.Hour)
			a.add("s-2", "daily", 20*time.Hour)
			a.add("s-3", "deploy", time.Minute, running)
		}, []string{"s-1"}, []string{"daily 10 03:00", "deploy"}, ""},
		"in progress, several": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "deploy", 20*time.Hour)
			a.add("s-2", "deploy", 19*time.Hour)
			a.add("s-3", "deploy", time.Minute, running)
		}, []string{"s-1", "s-2"}, []string{"daily 10 03:00", "deploy"}, ""},
		"a pin": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "daily", 30*time.Hour, pinned)
			a.add("s-2", "daily", 20*time.Hour)
			a.add("s-3", "deploy", time.Hour)
		}, nil, []string{"daily 10 03:00", "deploy blocked"}, ""},
		"all foreign": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			for _, id := range []string{"s-1", "s-2", "s-3"} {
				a.add(id, "", time.Hour, foreign)
			}
		}, nil, []string{"daily 10 03:00 blocked", "deploy blocked"},
			"role daily of web-1 is due since 2000-01-09 03:00 UTC and finds no slot: s-3 (not ours)"},
		"by schedule alone": {[]snapshot.Slots{slots("daily", 2, daily), slots("weekly", 1, weekly)}, func(a *account) {
			a.add("s-1", "daily", 44*time.Hour)
			a.add("s-2", "weekly", 20*time.Hour)
			a.add("s-3", "daily", 20*time.Hour)
		}, nil, []string{"daily 10 03:00", "weekly 16 04:00"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				c.setup(a)
				plan, err := a.service().Plan(t.Context(), "web-1")
				var later, outlook []string
				for _, item := range plan.Later {
					later = append(later, item.SnapshotID)
				}
				for _, one := range plan.Outlook {
					line := one.Role
					if !one.Next.IsZero() {
						line += one.Next.Format(" 02 15:04")
					}
					if one.Blocked != "" {
						line += " blocked"
					}
					outlook = append(outlook, line)
				}
				if err != nil || !slices.Equal(later, c.later) || !slices.Equal(outlook, c.outlook) {
					t.Errorf("got later %q, outlook %q, %v", later, plan.Outlook, err)
				}
				if !strings.Contains(plan.Blocked, c.blocked) || (plan.Blocked == "") != (c.blocked == "") {
					t.Errorf("blocked: got %q", plan.Blocked)
				}
			})
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"web-1", "db", "mail-server"}
	for name, want := range map[string]string{"web-2": "web-1", "WEB1": "web-1", "mial-server": "mail-server", "db1": "db",
		"x": "", "zz": "", "": "",
		"wbe-1": "web-1", "webserver": ""} {
		if got := snapshot.Nearest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
