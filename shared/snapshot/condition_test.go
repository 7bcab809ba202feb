package snapshot_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

var shanghai = time.FixedZone("CST", 8*3600)

// notified sweeps every ten minutes for a while, each time as a new process, and returns when what was notified: the
// time, the kind and the snapshot. Notifications of other kinds than those asked for are left out.
func (a *account) notified(d time.Duration, kinds ...snapshot.NotificationKind) []string {
	var lines []string
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Until(time.Now().Truncate(10 * time.Minute).Add(10 * time.Minute)))
		a.sent = nil
		a.sweep()
		for _, n := range a.sent {
			if slices.Contains(kinds, n.Kind) {
				lines = append(lines, strings.TrimSpace(time.Now().Format("02 15:04")+" "+string(n.Kind)+" "+n.SnapshotID))
			}
		}
	}
	return lines
}

// TestConditions: a condition is notified when it begins, and at each local midnight, whatever the process.
func TestConditions(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		policy func(*snapshot.Target)
		setup  func(*account)
		kind   snapshot.NotificationKind
		want   []string // in two days from the 10th, 00:00 UTC; midnight is 16:00 UTC
	}{
		"stale": {func(t *snapshot.Target) { t.MaxAge = 26 * time.Hour }, func(a *account) {
			a.add("s-1", "daily",
				23*time.Hour)
		}, snapshot.NotifyStale,
			[]string{"10 03:00 stale s-1", "10 16:00 stale s-1", "11 16:00 stale s-1"}},
		"stale, between two ticks": {func(t *snapshot.Target) { t.MaxAge = 26 * time.Hour },
			func(a *account) { a.add("s-1", "daily", 23*time.Hour-time.Second) }, snapshot.NotifyStale,
			[]string{"10 03:10 stale s-1", "10 16:00 stale s-1", "11 16:00 stale s-1"}},
		"not stale, while a newer one exists": {func(t *snapshot.Target) { t.MaxAge = 60 * time.Hour }, func(a *account) {
			a.add("s-1", "daily", 59*time.Hour)
			a.add("s-2", "", time.Hour, foreign)
		}, snapshot.NotifyStale, nil},
		"blocked": {func(t *snapshot.Target) { t.Keep[0].Schedule = daily }, func(a *account) {
			a.add("s-1", "daily", time.Hour, foreign)
			a.add("s-2", "daily", 2*time.Hour, foreign)
			a.add("s-3", "daily", time.Minute, foreign)
		}, snapshot.NotifyBlocked, []string{
			"10 03:00 blocked", "10 16:00 blocked", "11 03:00 blocked", "11 16:00 blocked"}},
		"stuck": {func(*snapshot.Target) {}, func(a *account) {
			a.StallNext("d-1")
			a.take(order("daily", "k"))
		}, snapshot.NotifyFailed, []string{"10 02:00 failed stuck", "10 16:00 failed stuck", "11 16:00 failed stuck"}},
		"done": {func(*snapshot.Target) {}, func(a *account) { a.take(order("daily", "k")) }, snapshot.NotifyDone,
			[]string{"10 00:40 done stuck"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1)))
				a.policy.Location = shanghai
				c.policy(&a.policy.Targets[0])
				c.setup(a)
				got := a.notified(2*day, c.kind)
				want := slices.Clone(c.want)
				for i, line := range want {
					if strings.HasSuffix(line, "stuck") {
						want[i] = strings.TrimSuffix(line, "stuck") + a.Snapshots()[0].ID
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestLostTick: a tick that is lost delays a notification to the next local midnight; one that is doubled or late repeats
// the same notification, with the same key.
func TestLostTick(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1)))
		a.policy.Targets[0].MaxAge = 26 * time.Hour
		a.policy.Location = shanghai
		a.add("s-1", "daily", 23*time.Hour)
		time.Sleep(3 * time.Hour)
		a.sweep()
		time.Sleep(30 * time.Second)
		a.sweep()
		time.Sleep(5 * time.Minute)
		a.sweepBy(a.service(), snapshot.Tick{Time: time.Now().Truncate(10 * time.Minute)})
		if len(a.sent) != 3 || a.sent[0].Key != a.sent[1].Key || a.sent[0].Key != a.sent[2].Key {
			t.Errorf("notified %+v", a.sent)
		}
		// The same without the tick of 03:00.
		time.Sleep(20 * time.Minute)
		a.sent = nil
		if got := a.notified(16*time.Hour, snapshot.NotifyStale); !slices.Equal(got, []string{"10 16:00 stale s-1"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestSeenFirst: what has no beginning in the list is notified when a process first sees it, and at midnight: once a day
// under one key.
func TestSeenFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setup func(*account)
		kind  snapshot.NotificationKind
		text  string
	}{
		"failed and pinned": {func(a *account) { a.add("s-1", "daily", day, failed, pinned) }, snapshot.NotifyFailed,
			"failed and stays: pinned for ever"},
		"pins": {func(a *account) {
			a.add("s-1", "deploy", 3*day, pinned)
			a.add("s-2", "daily", 2*day, pinned)
			a.add("s-3", "daily", day)
		}, snapshot.NotifyBlocked,
			"web-1 has no free slot while these are pinned: orders for role daily, orders for role deploy will be blocked"},
		"none at all": {func(a *account) { a.policy.Targets[0].MaxAge = time.Hour }, snapshot.NotifyStale,
			"there is no accomplished snapshot yet"},
		"an unknown status": {func(a *account) {
			a.add("s-1", "daily", time.Hour, func(one *simulator.Snapshot) { one.Status = "archived" })
		}, snapshot.NotifyFailed, `the status "archived", which the API does not document`},
		"hidden tags": {func(a *account) { a.addOwn(order("daily", "k"), time.Hour, foreign) }, snapshot.NotifyFailed,
			"the API shows no tags"},
		"another deployment": {func(a *account) {
			a.add("s-1", "daily", time.Hour, func(one *simulator.Snapshot) { one.Tags[1].Value = "daily/api/x/abcdef" })
		}, snapshot.NotifyFailed, "another deployment of swas-snapshot"},
		"two targets, one disk": {func(a *account) {
			a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: "web-2", DiskID: "d-1"})
		}, snapshot.NotifyFailed, "the targets web-1 and web-2 name the same disk d-1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
				a.policy.Location = shanghai
				c.setup(a)
				s := a.service()
				keys := make(map[string]bool)
				for range 24 * 6 {
					a.sent = nil
					a.sweepBy(s, snapshot.Tick{Time: time.Now()})
					for _, n := range a.sent {
						if n.Target == "web-1" && n.Kind == c.kind && strings.Contains(n.What, c.text) {
							keys[n.Key] = true
						}
					}
					time.Sleep(10 * time.Minute)
				}
				if len(keys) != 2 { // of the 10th and, from 16:00 UTC on, of the 11th
					t.Errorf("keys %v, the last notified %+v", keys, a.sent)
				}
			})
		})
	}
}

// TestBlockedBegins: a due role that was to wait is notified as blocked when its server's newest snapshot took the slot.
func TestBlockedBegins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily)))
		a.add("s-1", "", day, foreign)
		a.add("s-2", "", day, foreign)
		time.Sleep(3*time.Hour - time.Minute)
		a.add("s-3", "", -5*time.Minute, foreign) // an operator takes the last slot at 03:04
		if got := a.notified(30*time.Minute, snapshot.NotifyBlocked); !slices.Equal(got, []string{"10 03:10 blocked"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestRefusedForAnHour: a due role that the API gives no slot although the list shows one is notified after an hour.
func TestRefusedForAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily)))
		a.add("s-1", "daily", 20*time.Hour)
		time.Sleep(2 * time.Hour)
		a.Fault(forever(refusal(create, snapshot.CodeLimitExceed)))
		if got := a.notified(4*time.Hour, snapshot.NotifyBlocked, snapshot.NotifyFailed); !slices.Equal(got,
			[]string{"10 04:00 blocked"}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestFailuresAreNotified: a scheduled snapshot that fails is notified by the sweep that deletes it, and the attempt that it
// used up once more by the last sweep of the hour, with the time of the next.
func TestFailuresAreNotified(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily)))
		a.add("s-1", "daily", 20*time.Hour)
		a.FailNext("d-1")
		got := a.notified(5*time.Hour, snapshot.NotifyFailed, snapshot.NotifyDeleted)
		if len(got) != 4 || !strings.HasPrefix(got[0], "10 03:10 deleted ") || !strings.HasPrefix(got[1],
			"10 03:10 failed ") || got[2] != "10 03:50 failed" || got[3] != "10 04:20 deleted s-1" {
			t.Errorf("got %q", got)
		}
	})
}

// TestSecondFailedSnapshot: one that a later sweep deletes is not notified before.
func TestSecondFailedSnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1)))
		a.add("s-1", "daily", 2*time.Hour, failed)
		a.add("s-2", "daily", time.Hour, failed)
		want := []string{"10 00:10 deleted s-1", "10 00:10 failed s-1", "10 00:20 deleted s-2", "10 00:20 failed s-2"}
		if got := a.notified(30*time.Minute, snapshot.NotifyFailed, snapshot.NotifyDeleted); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}
