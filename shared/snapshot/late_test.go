package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestLateOrdersLookFirst: an order whose event is older than a minute gets what was taken for it, or after its event.
func TestLateOrdersLookFirst(t *testing.T) {
	t.Parallel()
	const event = 10 * time.Minute // age of the event
	cases := map[string]struct {
		setup   func(*account, snapshot.Order)
		outcome snapshot.Outcome
		code    string
		id      string
		calls   []string
		status  snapshot.Status
	}{
		"nothing there": {func(*account, snapshot.Order) {}, snapshot.OutcomeCreated, "", "", []string{list, create},
			snapshot.Progressing},
		"its own": {func(a *account, o snapshot.Order) { a.addOwn(o, event) }, snapshot.OutcomeReplayed, "", "own",
			[]string{list}, snapshot.Accomplished},
		"its own, failed": {func(a *account, o snapshot.Order) { a.addOwn(o, event, failed) },
			snapshot.OutcomeReplayed, "", "own", []string{list}, snapshot.Failed},
		"its own, other parameters": {func(a *account, o snapshot.Order) {
			a.addOwn(o, event, func(one *simulator.Snapshot) { one.Tags[1].Value = "deploy/api/other/5i5fgz" })
		}, "", snapshot.CodeMismatch, "", []string{list}, ""},
		"its name, tags hidden": {func(a *account, o snapshot.Order) { a.addOwn(o, event, foreign) },
			snapshot.OutcomeReplayed, "", "own", []string{list}, snapshot.Accomplished},
		"joined by it": {func(a *account, o snapshot.Order) {
			a.add("s-1", "daily", event, joinedBy(a, o, ""))
		}, snapshot.OutcomeReplayed, "", "s-1", []string{list}, snapshot.Accomplished},
		"joined by it, host failed": {func(a *account, o snapshot.Order) {
			a.add("s-1", "daily", event, joinedBy(a, o, ""), failed)
		}, snapshot.OutcomeReplayed, "", "s-1", []string{list}, snapshot.Failed},
		"joined under its key with other parameters": {func(a *account, o snapshot.Order) {
			a.add("s-1", "daily", event, joinedBy(a, o, "deploy/api/other/5i5fgz"))
		}, "", snapshot.CodeMismatch, "", []string{list}, ""},
		"newer of its role": {func(a *account, _ snapshot.Order) { a.add("s-1", "deploy", event-time.Minute) },
			snapshot.OutcomeReused, "", "s-1", []string{list}, snapshot.Accomplished},
		"newer of its role, in progress": {func(a *account, _ snapshot.Order) {
			a.add("s-1", "deploy", event-time.Minute,
				running)
		},
			snapshot.OutcomeReused, "", "s-1", []string{list}, snapshot.Progressing},
		"newer of its role, failed": {func(a *account, _ snapshot.Order) {
			a.add("s-1", "deploy", event-time.Minute,
				failed)
		},
			snapshot.OutcomeCreated, "", "", []string{list, create}, snapshot.Progressing},
		"older of its role": {func(a *account, _ snapshot.Order) { a.add("s-1", "deploy", event+time.Minute) },
			snapshot.OutcomeCreated, "", "", []string{list, create}, snapshot.Progressing},
		"newer of another role": {func(a *account, _ snapshot.Order) { a.add("s-1", "daily", event-time.Minute) },
			snapshot.OutcomeCreated, "", "", []string{list, create}, snapshot.Progressing},
		"newer foreign": {func(a *account, _ snapshot.Order) { a.add("s-1", "deploy", event-time.Minute, foreign) },
			snapshot.OutcomeCreated, "", "", []string{list, create}, snapshot.Progressing},
		"newer of another disk": {func(a *account, _ snapshot.Order) {
			a.add("s-1", "deploy", event-time.Minute,
				onDisk("d-2"))
		},
			snapshot.OutcomeCreated, "", "", []string{list, create}, snapshot.Progressing},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
				o := order("deploy", "k")
				o.Time = time.Now().Add(-event)
				c.setup(a, o)
				got := a.take(o)
				if got.Outcome != c.outcome || code(got) != c.code || c.id != "" && got.SnapshotID != c.id ||
					got.Status != c.status {
					t.Errorf("got %q %s %s %v", got.Outcome, got.SnapshotID, got.Status, got.Error)
				}
				if c.status == snapshot.Failed && !strings.Contains(got.Warning, "failed") {
					t.Errorf("warning %q", got.Warning)
				}
				a.wantCalls(c.calls...)
			})
		})
	}
}

// joinedBy marks a snapshot as joined by an order; meta "" is the order's own.
func joinedBy(a *account, o snapshot.Order, meta string) func(*simulator.Snapshot) {
	request, own := snapshot.Identity(a.policy, o, snapshot.Target{Name: "web-1", RegionID: region, DiskID: "d-1"})
	if meta == "" {
		meta = own
	}
	return func(one *simulator.Snapshot) {
		one.Tags = append(one.Tags, simulator.Tag{Key: snapshot.JoinedTag(request.ClientToken), Value: meta})
	}
}

// TestLateStuckSnapshotIsNotReused: one that has been in progress for hours will hardly restore anything.
func TestLateStuckSnapshotIsNotReused(t *testing.T) {
	for name, change := range map[string]func(*account, *snapshot.Order){
		"late": func(a *account, o *snapshot.Order) {
			a.policy.MaxEventAge = 24 * time.Hour
			o.Time = time.Now().Add(-4 * time.Hour)
		},
		"minInterval": func(a *account, o *snapshot.Order) {
			a.policy.Targets[0].MinInterval = 24 * time.Hour
			o.Paced = true
		},
		"maxAge": func(_ *account, o *snapshot.Order) { o.MaxAge = 24 * time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("deploy", 1)))
				a.StallNext("d-1")
				a.take(order("deploy", "host"))
				time.Sleep(3 * time.Hour)
				o := order("deploy", "k")
				change(a, &o)
				if got := a.take(o); got.Outcome != snapshot.OutcomeDeferred || code(got) != snapshot.CodeCreatingSnapshot {
					t.Errorf("got %q %v", got.Outcome, got.Error)
				}
			})
		})
	}
}

// TestEventAge: an order that is too old or in the future is refused, before any call.
func TestEventAge(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		age, limit time.Duration
		refused    bool
	}{
		"at the default":         {time.Hour, 0, false},
		"beyond the default":     {time.Hour + 1, 0, true},
		"at the limit":           {4 * time.Hour, 4 * time.Hour, false},
		"beyond the limit":       {4*time.Hour + 1, 4 * time.Hour, true},
		"5 minutes ahead":        {-5 * time.Minute, 0, false},
		"more than that ahead":   {-5*time.Minute - 1, 0, true},
		"without a time":         {0, 0, false},
		"now":                    {1, 0, false},
		"a limit below a minute": {30 * time.Second, 20 * time.Second, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("deploy", 1)))
				a.policy.MaxEventAge = c.limit
				for _, unread := range []bool{false, true} {
					o := order("deploy", "k")
					if c.age != 0 {
						o.Time = time.Now().Add(-c.age)
					}
					o.Unread = unread
					got := a.take(o)
					if refused := code(got) == snapshot.CodeTooOld; refused != c.refused || refused && (got.Error.Retryable ||
						got.Outcome != "") {
						t.Errorf("got %q %v", got.Outcome, got.Error)
					}
					if c.refused {
						a.wantCalls()
						if told := len(a.sent) > 0; told != unread {
							t.Errorf("unread %v: notified %v", unread, told)
						}
					}
				}
			})
		})
	}
}

// TestFreshEnough: maxAge and minInterval get a snapshot that is young enough, and look for it by one list.
func TestFreshEnough(t *testing.T) {
	t.Parallel()
	maxAge := func(o *snapshot.Order) { o.MaxAge = time.Hour }
	paced := func(o *snapshot.Order) { o.Paced = true }
	add := func(role string, old time.Duration, change ...func(*simulator.Snapshot)) func(*account) {
		return func(a *account) { a.add("s-1", role, old, change...) }
	}
	none := func(*account) {}
	cases := map[string]struct {
		setup    func(*account)
		interval time.Duration
		change   func(*snapshot.Order)
		outcome  snapshot.Outcome
		calls    []string
	}{
		"maxAge, younger": {add("daily", time.Hour-time.Second), 0, maxAge, snapshot.OutcomeReused,
			[]string{list}},
		"maxAge, foreign and younger": {add("", time.Minute, foreign), 0, maxAge, snapshot.OutcomeReused, []string{list}},
		"maxAge, as old": {add("daily", time.Hour), 0, maxAge, snapshot.OutcomeCreated, []string{list,
			create}},
		"maxAge, failed": {add("daily", time.Minute, failed), 0, maxAge, snapshot.OutcomeCreated,
			[]string{list, create}},
		"maxAge, in progress": {add("daily", time.Minute, running), 0, maxAge, snapshot.OutcomeJoined,
			[]string{list, tag}},
		"maxAge, foreign in progress": {add("", time.Minute, running, foreign), 0, maxAge, snapshot.OutcomeDeferred,
			[]string{list, create, list}},
		"maxAge, of another disk": {add("daily", time.Minute, onDisk("d-2")), 0, maxAge, snapshot.OutcomeCreated,
			[]string{list, create}},
		"maxAge, its own": {func(a *account) { a.addOwn(order("deploy", "k"), 3*time.Hour) }, 0, maxAge,
			snapshot.OutcomeReplayed, []string{list}},
		"maxAge, none": {none, 0, maxAge, snapshot.OutcomeCreated, []string{list, create}},
		"minInterval, younger": {add("daily", time.Minute-time.Second), time.Minute, paced, snapshot.OutcomeReused,
			[]string{list}},
		"minInterval, in progress": {add("", time.Second, running, foreign), time.Minute, paced, snapshot.OutcomeReused,
			[]string{list}},
		"minInterval, as old": {add("daily", time.Minute), time.Minute, paced, snapshot.OutcomeCreated,
			[]string{list, create}},
		"minInterval, failed": {add("daily", time.Second, failed), time.Minute, paced, snapshot.OutcomeCreated,
			[]string{list, create}},
		"minInterval, none": {add("daily", time.Second), 0, paced, snapshot.OutcomeCreated, []string{create}},
		"minInterval, not an HTTP one": {add("daily", time.Second), time.Hour, func(*snapshot.Order) {},
			snapshot.OutcomeCreated, []string{create}},
		"neither, with something young": {add("deploy", time.Second), 0, func(*snapshot.Order) {}, snapshot.OutcomeCreated,
			[]string{create}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
				a.policy.Targets[0].MinInterval = c.interval
				c.setup(a)
				o := order("deploy", "k")
				c.change(&o)
				got := a.take(o)
				if got.Outcome != c.outcome || (got.Error != nil) != (c.outcome == snapshot.OutcomeDeferred) {
					t.Errorf("got %q %v", got.Outcome, got.Error)
				}
				if got.Outcome == snapshot.OutcomeReused && got.CreationTime == "" {
					t.Error("a reused snapshot has a creation time")
				}
				a.wantCalls(c.calls...)
			})
		})
	}
}
