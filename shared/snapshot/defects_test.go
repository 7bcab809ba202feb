package snapshot_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// Each test of this file shows a defect of commit 32d28b1 that was seen from outside: it fails there.

// TestUnkeptRoleDoesNotStopTheDaily: an order for a role that keep does not name occupied its slot for ever, and from then
// on every daily was blocked.
func TestUnkeptRoleDoesNotStopTheDaily(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		if got := a.take(order("manual", "k")); code(got) != snapshot.CodeUnknownRole {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
		a.add("s-1", "manual", time.Hour) // one from before: surplus in a week
		for range 14 {
			time.Sleep(time.Until(time.Now().Truncate(day).Add(day + 3*time.Hour)))
			if got := a.sweep(); got[0].Outcome != snapshot.OutcomeCreated {
				t.Fatalf("%s: %q %v", time.Now(), got[0].Outcome, got[0].Error)
			}
			a.sweeps(time.Hour)
			if slices.Contains(a.ids(), "s-1") && time.Since(epoch) > 17*day {
				t.Error("it still occupies a slot")
			}
		}
		if got := a.take(order("deploy", "d")); got.Outcome != snapshot.OutcomeCreated {
			t.Errorf("a deployment then: %q %v", got.Outcome, got.Error)
		}
	})
}

// TestTwoOrdersOnAFullServerDeleteNothing: two at once deleted two good snapshots and took one.
func TestTwoOrdersOnAFullServerDeleteNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.add("s-1", "daily", 2*day)
		a.add("s-2", "deploy", 2*day)
		a.add("s-3", "deploy", day)
		for _, action := range []string{list, create, remove} { // each call takes a second, so that all runs overlap
			a.Fault(simulator.Fault{Action: action, Delay: time.Second, Count: 3})
		}
		var all sync.WaitGroup
		results := make([]snapshot.Result, 2)
		all.Go(func() { results[0] = a.take(order("deploy", "k")) })
		all.Go(func() { results[1] = a.take(order("deploy", "l")) })
		all.Go(func() { a.sweep() })
		all.Wait()
		for _, r := range results {
			if r.Outcome != snapshot.OutcomeDeferred && r.Outcome != snapshot.OutcomeJoined &&
				r.Outcome != snapshot.OutcomeCreated {
				t.Errorf("got %q %v", r.Outcome, r.Error)
			}
		}
		if !slices.Contains(a.ids(), "s-1") || !slices.Contains(a.ids(), "s-3") {
			t.Errorf("deleted more than the surplus: %v", a.ids())
		}
	})
}

// TestPinBeforeTheDeletionIsSeen: a pin that was answered while a deletion waited was not seen.
func TestPinBeforeTheDeletionIsSeen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := surplus(t)
		a.Fault(simulator.Fault{Action: disks, Delay: 20 * time.Second})
		a.Fault(refusal(remove, "Throttling.User"))
		inMiddle(10*time.Second, func() { a.operatorPins("s-1") })
		inMiddle(21*time.Second, func() { a.operatorPins("s-2") })
		a.sweep()
		a.wantIDs("s-1", "s-2", "s-3")
	})
}

// TestLeakedKeyDoesNotRemoveTheHistory: three orders with a stolen secret removed all other snapshots.
func TestLeakedKeyDoesNotRemoveTheHistory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.add("s-1", "daily", 20*time.Hour)
		a.add("s-2", "deploy", 20*time.Hour, pinned)
		for n := range 4 { // until before the next daily
			a.take(order("deploy", string(rune('a'+n))))
			a.sweeps(40 * time.Minute)
		}
		if ids := a.ids(); !slices.Contains(ids, "s-1") || !slices.Contains(ids, "s-2") {
			t.Errorf("got %v", ids)
		}
	})
}

// TestLateDeliveryDoesNotReplaceANewerSnapshot: the snapshot before a deployment was replaced by one taken after it, when a
// joined order was delivered again.
func TestLateDeliveryDoesNotReplaceANewerSnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		host := a.sweep()[0] // the daily is in progress
		o := order("deploy", "k")
		o.Time = time.Now()
		if got := a.take(o); got.Outcome != snapshot.OutcomeJoined {
			t.Fatalf("got %q %v", got.Outcome, got.Error)
		}
		time.Sleep(50 * time.Minute)
		if got := a.take(o); got.Outcome != snapshot.OutcomeReplayed || got.SnapshotID != host.SnapshotID {
			t.Errorf("delivered again: %q %s %v", got.Outcome, got.SnapshotID, got.Error)
		}
		if n := len(a.ids()); n != 1 {
			t.Errorf("%d snapshots", n)
		}
	})
}

// TestOnlyDailyStaysWhileADeployIsSurplus: the only daily was deleted while a surplus deploy was kept.
func TestOnlyDailyStaysWhileADeployIsSurplus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.add("s-1", "daily", 2*day)
		a.add("s-2", "deploy", 2*time.Hour)
		a.add("s-3", "deploy", time.Hour)
		got := a.sweep()
		if len(got[0].Deleted) != 1 || got[0].Deleted[0].SnapshotID != "s-2" || got[0].Outcome != snapshot.OutcomeCreated {
			t.Errorf("got %+v", got[0])
		}
	})
}

// TestNewProcessRepeatsNoNotification: every new process sent the same notification again.
func TestNewProcessRepeatsNoNotification(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1)))
		a.policy.Targets[0].MaxAge = 26 * time.Hour
		a.add("s-1", "daily", 20*time.Hour)
		if got := a.notified(12*time.Hour, snapshot.NotifyStale, snapshot.NotifyBlocked,
			snapshot.NotifyFailed); !slices.Equal(got, []string{"10 06:00 stale s-1"}) {
			t.Errorf("notified %q", got)
		}
	})
}
