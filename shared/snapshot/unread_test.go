package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestNotificationsOfOrders: a notification is sent for what no caller reads or repeats.
func TestNotificationsOfOrders(t *testing.T) {
	t.Parallel()
	const none = snapshot.NotificationKind("")
	surplus := func(a *account) {
		a.add("s-1", "deploy", 3*time.Hour)
		a.add("s-2", "deploy", 2*time.Hour)
		a.add("s-3", "deploy", time.Hour)
	}
	blocked := func(a *account) {
		for _, id := range []string{"s-1", "s-2", "s-3"} {
			a.add(id, "deploy", time.Hour, pinned)
		}
	}
	fault := func(f simulator.Fault) func(*account) { return func(a *account) { a.Fault(forever(f)) } }
	cases := map[string]struct {
		setup func(*account)
		role  string
		// what is notified to a caller who reads the answer and repeats the order, who only reads it, and to none
		repeated, read, unread snapshot.NotificationKind
	}{
		"done":      {func(*account) {}, "deploy", none, none, none},
		"deferred":  {surplus, "deploy", none, snapshot.NotifyBlocked, snapshot.NotifyBlocked},
		"blocked":   {blocked, "deploy", snapshot.NotifyBlocked, snapshot.NotifyBlocked, snapshot.NotifyBlocked},
		"no answer": {fault(lost(create, false)), "deploy", none, snapshot.NotifyFailed, snapshot.NotifyFailed},
		"busy": {func(a *account) { a.add("s-1", "", time.Minute, running, foreign) }, "deploy", none,
			snapshot.NotifyFailed, snapshot.NotifyFailed},
		"no permission": {fault(refusal(create, "NoPermission")), "deploy", snapshot.NotifyFailed, snapshot.NotifyFailed,
			snapshot.NotifyFailed},
		"role not kept": {func(*account) {}, "manual", none, none, snapshot.NotifyFailed},
		"bad parameter": {fault(refusal(create, "InvalidParameter")), "deploy", none, none, snapshot.NotifyFailed},
		"mismatch":      {fault(refusal(create, snapshot.CodeMismatch)), "deploy", none, none, snapshot.NotifyFailed},
	}
	for name, c := range cases {
		for caller, want := range map[string]snapshot.NotificationKind{"repeated": c.repeated, "read": c.read,
			"unread": c.unread} {
			for _, dry := range []bool{false, true} {
				t.Run(name+" "+caller+map[bool]string{true: " dry run"}[dry], func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
						c.setup(a)
						o := order(c.role, "k")
						o.Repeated, o.Unread, o.DryRun = caller == "repeated", caller == "unread", dry
						a.take(o)
						var got snapshot.NotificationKind
						if len(a.sent) > 0 {
							got = a.sent[0].Kind
							if one := a.sent[0]; one.Key == "" || one.What == "" || one.Advice == "" || one.Target != "web-1" ||
								one.RegionID != region {
								t.Errorf("incomplete: %+v", one)
							}
						}
						if dry && got != none || !dry && got != want || len(a.sent) > 1 {
							t.Errorf("notified %+v, want %q", a.sent, want)
						}
					})
				})
			}
		}
	}
}

// TestDryRun: a dry run says what a real order would get, and what the next sweep does; it changes nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	three := func(change ...func(*simulator.Snapshot)) func(*account) {
		return func(a *account) {
			a.add("s-1", "deploy", 3*time.Hour, change...)
			a.add("s-2", "deploy", 2*time.Hour, change...)
			a.add("s-3", "deploy", time.Hour, change...)
		}
	}
	cases := map[string]struct {
		setup   func(*account)
		change  func(*snapshot.Order)
		warning string
		action  snapshot.Action // of the first item
		real    snapshot.Outcome
	}{
		"free slot": {func(a *account) { a.add("s-1", "daily", time.Hour) }, nil, "", snapshot.ActionCreate,
			snapshot.OutcomeCreated},
		"full": {three(), nil, "would be deferred: the next sweeps free a slot", snapshot.ActionKeep,
			snapshot.OutcomeDeferred},
		"all pinned": {three(pinned), nil, "would be blocked: s-3 (deploy, pinned for ever)", snapshot.ActionKeep,
			snapshot.OutcomeBlocked},
		"in progress": {func(a *account) { a.add("s-1", "daily", time.Minute, running) }, nil, "would be joined: s-1",
			snapshot.ActionKeep, snapshot.OutcomeJoined},
		"foreign runs": {func(a *account) { a.add("s-1", "", time.Minute, running, foreign) }, nil, "would be deferred: s-1",
			snapshot.ActionForeign, snapshot.OutcomeDeferred},
		"its own": {func(a *account) { a.addOwn(order("deploy", "k"), time.Hour) }, nil, "would be replayed",
			snapshot.ActionKeep, snapshot.OutcomeReplayed},
		"fresh enough": {func(a *account) { a.add("s-1", "daily", time.Minute) },
			func(o *snapshot.Order) { o.MaxAge = time.Hour }, "would be reused: s-1", snapshot.ActionKeep,
			snapshot.OutcomeReused},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
				c.setup(a)
				before := a.ids()
				o := order("deploy", "k")
				if c.change != nil {
					c.change(&o)
				}
				o.DryRun = true
				got := a.take(o)
				if got.Outcome != snapshot.OutcomePlanned || got.Error != nil || !strings.Contains(got.Warning, c.warning) ||
					(got.Warning == "") != (c.warning == "") {
					t.Errorf("got %q %v, warning %q", got.Outcome, got.Error, got.Warning)
				}
				if len(got.Plan) == 0 || got.Plan[0].Action != c.action {
					t.Errorf("plan %+v", got.Plan)
				}
				a.wantCalls(list)
				a.wantIDs(before...)
				o.DryRun = false
				if got := a.take(o); got.Outcome != c.real {
					t.Errorf("the real one: %q %v", got.Outcome, got.Error)
				}
			})
		})
	}
}

// TestTakeNeverDeletes: whatever the state, an order deletes nothing; its key has no permission to.
func TestTakeNeverDeletes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.add("s-1", "deploy", 3*time.Hour, failed)
		a.add("s-2", "deploy", 2*time.Hour)
		a.add("s-3", "deploy", time.Hour)
		for _, o := range []snapshot.Order{order("deploy", "1"), order("daily", "2"), {Target: "web-1", Role: "deploy",
			Key: "3", Time: time.Now().Add(-time.Hour)}} {
			a.take(o)
			o.DryRun = true
			a.take(o)
		}
		a.wantIDs("s-1", "s-2", "s-3")
		if n := a.CallCounts()[remove]; n > 0 {
			t.Errorf("%d deletions", n)
		}
		ctx := t.Context()
		if err := (caller{a.Simulator, "take"}).DeleteSnapshot(ctx, region, "s-1", "t"); err == nil {
			t.Error("the key of orders may delete")
		}
		if _, deletes := any(struct{ snapshot.API }{}).(snapshot.Deleter); deletes {
			t.Error("the API of orders can delete")
		}
	})
}
