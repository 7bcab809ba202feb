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

// surplus is a target that keeps one daily, with three; s-1 goes first.
func surplus(t *testing.T, change ...func(*simulator.Config)) *account {
	a := newAccount(t, web(slots("daily", 1)), change...)
	a.add("s-1", "daily", 3*day)
	a.add("s-2", "daily", 2*day)
	a.add("s-3", "daily", day)
	return a
}

// inMiddle does something after a while, beside the sweep.
func inMiddle(after time.Duration, do func()) {
	go func() {
		time.Sleep(after)
		do()
	}()
}

func (a *account) operatorPins(id string) {
	tags := []snapshot.Tag{{Key: snapshot.TagKeep, Value: "forever"}}
	if err := (caller{a.Simulator, "take"}).TagSnapshot(a.t.Context(), region, id, tags); err != nil {
		a.t.Error(err)
	}
}

func (a *account) operatorDeletes(ids ...string) {
	for _, id := range ids {
		if err := (caller{a.Simulator, "sweep"}).DeleteSnapshot(a.t.Context(), region, id, "operator "+id); err != nil {
			a.t.Error(err)
		}
	}
}

// byOperator leaves the operator's deletions out of calls.
func (a *account) sweepCalls() []string {
	var actions []string
	for _, call := range a.Calls() {
		if call.Key == "sweep" && !strings.HasPrefix(call.Params["ClientToken"], "operator") {
			actions = append(actions, call.Action)
		}
	}
	a.ResetCalls()
	return actions
}

// TestDeletionReliesOnAFreshList: what an operator does until about a second before a deletion is seen.
func TestDeletionReliesOnAFreshList(t *testing.T) {
	t.Parallel()
	again := []string{list, disks, list, remove, disks, list, remove}
	cases := map[string]struct {
		fault simulator.Fault
		after time.Duration // what the operator does
		do    func(*account)
		gone  []string // by the sweep
		calls []string
		code  string
	}{
		"nothing in between": {gone: []string{"s-1"}, calls: []string{list, disks, list, remove}},
		"a slow ListDisks, a pin": {fault: simulator.Fault{Action: disks, Delay: 20 * time.Second}, after: 10 * time.Second,
			do: func(a *account) { a.operatorPins("s-1") }, gone: []string{"s-2"}, calls: []string{list, disks, list, remove}},
		"a slow ListDisks, all others are deleted": {fault: simulator.Fault{Action: disks, Delay: 20 * time.Second},
			after: 10 * time.Second,
			do:    func(a *account) { a.operatorDeletes("s-2", "s-3") }, calls: []string{list, disks, list}},
		"a slow list, a pin": {fault: simulator.Fault{Action: list, Skip: 1, Delay: 6 * time.Second}, after: 2 * time.Second,
			do: func(a *account) { a.operatorPins("s-1") }, gone: []string{"s-2"},
			calls: []string{list, disks, list, disks, list, remove}},
		"a throttled deletion": {fault: refusal(remove, "Throttling.User"), gone: []string{"s-1"}, calls: again},
		"a throttled deletion, a pin": {fault: refusal(remove, "Throttling.User"), after: time.Second,
			do: func(a *account) { a.operatorPins("s-1") }, gone: []string{"s-2"}, calls: again},
		"a throttled deletion, all others are deleted": {fault: refusal(remove, "Throttling.User"), after: time.Second,
			do: func(a *account) { a.operatorDeletes("s-2", "s-3") }, calls: []string{list, disks, list, remove, disks, list}},
		"throttled for long": {fault: forever(refusal(remove, "Throttling.User")), code: snapshot.CodeDelayed,
			calls: []string{
				list, disks, list, remove, disks, list, remove, disks, list, remove}},
		"the list fails once": {fault: simulator.Fault{Action: list, Skip: 1, Answer: simulator.AnswerLost},
			gone: []string{"s-1"}, calls: []string{list, disks, list, list, remove}},
		"the list of disks is lost": {fault: simulator.Fault{Action: disks, Answer: simulator.AnswerLost},
			gone: []string{"s-1"}, calls: []string{list, disks, disks, list, remove}},
		"no answer, without effect": {fault: lost(remove, false), gone: []string{"s-1"}, calls: []string{list, disks, list,
			remove}},
		"no answer, with effect": {fault: lost(remove, true), gone: []string{"s-1"}, calls: []string{list, disks, list,
			remove}},
		"an answer of another form": {fault: refusal(remove, snapshot.CodeUnknownAnswer), gone: []string{"s-1"},
			calls: []string{list, disks, list, remove}},
		"InternalError": {fault: refusal(remove, "InternalError"), gone: []string{"s-1"}, calls: []string{list,
			disks, list, remove}},
		"gone already": {fault: refusal(remove, snapshot.CodeSnapshotNotFound), gone: []string{"s-1"},
			calls: []string{list, disks, list, remove}},
		"no permission": {fault: forever(refusal(remove, "NoPermission")), code: "NoPermission",
			calls: []string{list, disks, list, remove}},
		"refused":                {fault: refusal(remove, "SnapshotCreatedImage"), gone: []string{"s-2"}, calls: again},
		"refused, unknown to us": {fault: refusal(remove, "SomethingNew"), gone: []string{"s-2"}, calls: again},
		"all refused":            {fault: forever(refusal(remove, "SnapshotCreatedImage")), calls: again},
		"the list of disks is empty": {fault: simulator.Fault{}, do: func(a *account) { a.RemoveDisk("d-1") },
			code: snapshot.CodeDiskGone, calls: []string{list, disks, list}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := surplus(t)
				if c.fault.Action != "" {
					a.Fault(c.fault)
				}
				if c.do != nil {
					if c.after == 0 {
						c.do(a)
					} else {
						inMiddle(c.after, func() { c.do(a) })
					}
				}
				got := a.sweep()
				var gone []string
				for _, one := range got[0].Deleted {
					gone = append(gone, one.SnapshotID)
				}
				if !slices.Equal(gone, c.gone) || len(got) != 1 || code(got[0]) != c.code {
					t.Errorf("deleted %v, %v, want %v %q", gone, got[0].Error, c.gone, c.code)
				}
				if calls := a.sweepCalls(); !slices.Equal(calls, c.calls) {
					t.Errorf("calls: got %v, want %v", calls, c.calls)
				}
			})
		})
	}
}

// TestOldListIsNotUsed: where the answer of a list is more than a second old at the end of the list, it is asked for again,
// three times in all.
func TestOldListIsNotUsed(t *testing.T) {
	t.Parallel()
	for slow, want := range map[int]string{0: "s-1", 1: "s-1", 2: "s-1", 3: snapshot.CodeDelayed} {
		t.Run(fmt.Sprint(slow, " slow lists"), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := surplus(t)
				for n := range 100 { // so that lists have two pages
					a.add(fmt.Sprint("x-", n), "", 9*day, foreign, onDisk("d-2"))
				}
				for n := range slow {
					a.Fault(simulator.Fault{Action: list, Skip: 3 + n,
						Delay: 1100 * time.Millisecond}) // the second page, from the second list on
				}
				got := a.sweep()[0]
				if n := len(got.Deleted); want == "s-1" && (n != 1 || got.Deleted[0].SnapshotID != want) || want != "s-1" &&
					(n > 0 || code(got) != want) {
					t.Errorf("deleted %v, %v", got.Deleted, got.Error)
				}
				if want != "s-1" && (!got.Error.Retryable || !strings.Contains(got.Error.Message,
					"the list was 1.1s old when s-1 was to be deleted")) {
					t.Errorf("the error does not name the delay: %v", got.Error)
				}
				if n := a.CallCounts()[disks]; n != min(3, slow+1) {
					t.Errorf("%d lists of disks", n)
				}
			})
		})
	}
}

// TestPaceBeforeTheList: the permission of the pace is taken before the list, so that a deletion never waits after it.
func TestPaceBeforeTheList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, snapshot.Policy{}, func(c *simulator.Config) { c.Instances = nil; servers(c, 4) })
		for n := range 4 {
			disk := fmt.Sprint("d-", n)
			a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: fmt.Sprint("web-", n), DiskID: disk,
				Keep: []snapshot.Slots{slots("daily", 1)}})
			a.add(fmt.Sprint("s-", n), "daily", 2*day, onDisk(disk))
			a.add(fmt.Sprint("t-", n), "daily", day, onDisk(disk))
		}
		s := a.service()
		s.Instance = snapshot.NewInstance(2)
		for range 3 { // 2 deletions a minute do not all fit in one sweep
			a.sweepBy(s, snapshot.Tick{Time: time.Now()})
		}
		a.wantIDs("t-0", "t-1", "t-2", "t-3")
		a.wantOrder()
		calls := make(map[string][]time.Time)
		for _, call := range a.Calls() {
			calls[call.Action] = append(calls[call.Action], call.Time)
		}
		for action, times := range calls {
			for i := 2; i < len(times); i++ {
				if times[i].Sub(times[i-2]) < time.Minute {
					t.Errorf("3 calls of %s in %s", action, times[i].Sub(times[i-2]))
				}
			}
		}
	})
}

// servers adds servers i-0 to i-<n-1> with the disks d-0 to d-<n-1>.
func servers(c *simulator.Config, n int) {
	for i := range n {
		c.Instances = append(c.Instances, simulator.Instance{ID: fmt.Sprint("i-", i), RegionID: region,
			Disks: []simulator.Disk{{ID: fmt.Sprint("d-", i)}}})
	}
}

// wantOrder checks that each deletion comes right after a list of disks and one of snapshots, within a second of it.
func (a *account) wantOrder() {
	a.t.Helper()
	calls := a.Calls()
	for i, call := range calls {
		if call.Action != remove {
			continue
		}
		if i < 2 || calls[i-1].Action != list || calls[i-2].Action != disks || call.Time.Sub(calls[i-1].Time) > time.Second {
			a.t.Errorf("call %d, a deletion, does not come right after its lists", i)
		}
	}
}

// TestRefusedDeletionIsNotified: what the API will not delete is notified with the reason.
func TestRefusedDeletionIsNotified(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := surplus(t)
		if err := a.MakeImage("s-1", "m-1"); err != nil {
			t.Fatal(err)
		}
		got := a.sweep()
		wantBrief(t, got, "web-1")
		i := slices.IndexFunc(a.sent, func(n snapshot.Notification) bool { return n.Kind == snapshot.NotifyFailed })
		if i < 0 || a.sent[i].SnapshotID != "s-1" || !strings.Contains(a.sent[i].What, "SnapshotCreatedImage") ||
			!strings.Contains(a.sent[i].Advice, "custom image") {
			t.Errorf("notified %+v", a.sent)
		}
		a.wantIDs("s-1", "s-3")
	})
}

// TestDeletionIsReported: each deletion is in the answer and notified, with its reason.
func TestDeletionIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := surplus(t)
		got := a.sweep()[0]
		const reason = "surplus: keep of web-1 is daily 1, and 2 newer or pinned ones exist"
		if want := (snapshot.Deleted{SnapshotID: "s-1", SnapshotName: "daily-web-1-s-1", CreationTime: "2000-01-07T00:00:00Z",
			Reason: reason}); len(got.Deleted) != 1 || got.Deleted[0] != want {
			t.Errorf("got %+v", got.Deleted)
		}
		if len(a.sent) != 1 || a.sent[0].Kind != snapshot.NotifyDeleted || a.sent[0].SnapshotID != "s-1" ||
			!strings.Contains(a.sent[0].What, reason) {
			t.Errorf("notified %+v", a.sent)
		}
	})
}

// TestSurplusRemainsUntilDeleted: as long as the deletion fails, the due role is not ordered into the slot that is not free.
func TestSurplusRemainsUntilDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.add("s-1", "daily", 4*day)
		a.add("s-2", "deploy", 3*day)
		a.add("s-3", "deploy", 2*day)
		a.Fault(forever(refusal(remove, "Throttling.User")))
		got := a.sweep()
		wantBrief(t, got, "web-1 daily deferred", "web-1 DeletionDelayed")
		if n := a.CallCounts()[create]; n != 0 || !strings.HasPrefix(got[0].Warning,
			"no slot of the server is free yet; the next attempt") {
			t.Errorf("%d creates, warning %q", n, got[0].Warning)
		}
	})
}

// TestReplacementNotMade: a due role whose replacement could not be deleted waits, and says why.
func TestReplacementNotMade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 2, daily), slots("weekly", 1, weekly)))
		a.add("s-1", "daily", 4*day)
		a.add("s-2", "daily", 3*day)
		a.add("s-3", "weekly", time.Hour)
		a.Fault(forever(refusal(remove, "Throttling.User")))
		got := a.sweep()
		wantBrief(t, got, "web-1 daily deferred", "web-1 DeletionDelayed")
		if n := a.CallCounts()[create]; n != 0 || !strings.HasPrefix(got[0].Warning,
			"no slot of the server is free yet; the next attempt") {
			t.Errorf("%d creates, warning %q", n, got[0].Warning)
		}
	})
}
