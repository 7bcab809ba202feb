package snapshot_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestRefusedCreates: what a refusal of CreateSnapshot means for a due role. It is never a reason for a deletion.
func TestRefusedCreates(t *testing.T) {
	t.Parallel()
	slot := snapshot.Order{Target: "web-1", Role: "daily", Sender: "timer", Key: "slot:daily:2000-01-09T03:00Z:21",
		Time: time.Date(2000, 1, 9, 3, 0, 0, 0, time.UTC)}
	late := func(a *account) { a.SetLag(simulator.Lag{Created: time.Hour}) }
	cases := map[string]struct {
		setup func(*account)
		fault simulator.Fault
		want  string
		calls []string
		text  string
	}{
		"CreatingSnapshot": {fault: refusal(create, snapshot.CodeCreatingSnapshot), want: "web-1 daily deferred",
			calls: []string{list, create},
			text:  "another snapshot of the disk is in progress; the next attempt is at 2000-01-10 00:10 UTC"},
		"LimitExceed": {fault: refusal(create, snapshot.CodeLimitExceed), want: "web-1 daily deferred", calls: []string{list,
			create},
			text: "the API has no free slot, although the list shows one"},
		"Duplicate, not listed yet": {fault: refusal(create, snapshot.CodeNameDuplicate), want: "web-1 daily deferred",
			calls: []string{list, create, list},
			text:  "the list does not show it yet"},
		"Mismatch, gone": {fault: refusal(create, snapshot.CodeMismatch), want: "web-1 daily deferred", calls: []string{list,
			create, list},
			text: "its snapshot is gone; the next attempt is at 2000-01-10 01:00 UTC"},
		"this attempt failed": {setup: func(a *account) { a.addOwn(slot, time.Minute, failed, pinned) },
			want: "web-1 daily deferred", calls: []string{list},
			text: "the attempt of this hour failed; the next attempt is at 2000-01-10 01:00 UTC"},
		"an earlier one failed": {setup: func(a *account) {
			earlier := slot
			earlier.Key = "slot:daily:2000-01-09T03:00Z:20"
			a.addOwn(earlier, time.Hour, failed, pinned)
		}, want: "web-1 daily created", calls: []string{list, create}},
		"Duplicate, of a late list": {setup: func(a *account) { a.addOwn(slot, time.Minute); late(a) },
			want: "web-1 daily deferred", calls: []string{list, create, list},
			text: "the list does not show it yet"},
		"no answer, with effect": {fault: lost(create, true), want: "web-1 daily created", calls: []string{list, create,
			create}},
		"IncorrectStatus": {fault: forever(refusal(create, snapshot.CodeIncorrectStatus)),
			want: "web-1 daily IncorrectStatus", calls: []string{list, create, create, create}},
		"disk not found": {fault: refusal(create, "InvalidDiskId.NotFound"),
			want: "web-1 daily InvalidDiskId.NotFound", calls: []string{list, create}},
		"no permission": {fault: refusal(create, "NoPermission"), want: "web-1 daily NoPermission",
			calls: []string{list, create}, text: "swas-open:CreateSnapshot"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
				a.add("s-1", "daily", 2*day)
				if c.setup != nil {
					c.setup(a)
				}
				if c.fault.Action != "" {
					a.Fault(c.fault)
				}
				got := a.sweep()
				wantBrief(t, got, c.want)
				a.wantCalls(c.calls...)
				text := got[0].Warning
				if got[0].Error != nil {
					text = got[0].Error.Message
				}
				if !strings.Contains(text, c.text) || !slices.Contains(a.ids(), "s-1") {
					t.Errorf("got %q, snapshots %v", text, a.ids())
				}
			})
		})
	}
}

// TestSameAttemptByAnother: where another process made this hour's attempt and the first list did not show it, the answer
// names it.
func TestSameAttemptByAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		views := 0
		a := newAccount(t, web(slots("daily", 1, daily)), func(c *simulator.Config) {
			c.ListView = func(_ string, current, _ []simulator.Snapshot) []simulator.Snapshot {
				if views++; views == 2 { // the first list of the second sweep is late
					return nil
				}
				return current
			}
		})
		first := a.sweep()[0]
		for _, forgotten := range []bool{false, true} {
			views = 1
			if forgotten {
				a.ForgetTokens()
			}
			got := a.sweep()[0]
			if got.SnapshotID != first.SnapshotID || got.Error != nil || len(a.ids()) != 1 {
				t.Errorf("token forgotten %v: %q %s %v", forgotten, got.Outcome, got.SnapshotID, got.Error)
			}
		}
	})
}

// TestFreedSlotGoesToItsRole: after a replacement the create of its role and disk comes before any other.
func TestFreedSlotGoesToItsRole(t *testing.T) {
	bubble(t, func(t *testing.T) {
		policy := web(slots("weekly", 1, weekly))
		policy.Targets = append(policy.Targets, snapshot.Target{Name: "data", DiskID: "d-2",
			Keep: []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}})
		a := newAccount(t, policy)
		a.add("s-1", "daily", 3*day, onDisk("d-2"))
		a.add("s-2", "deploy", 3*day, onDisk("d-2"))
		a.add("s-3", "", day, foreign)
		got := a.sweep()
		wantBrief(t, got, "web-1 weekly blocked SlotsFull", "data daily created")
		if len(got[1].Deleted) != 1 || got[1].Deleted[0].SnapshotID != "s-1" {
			t.Errorf("got %+v", got)
		}
		a.wantCalls(list, disks, list, remove, create)
	})
}

// TestRefusedReplacement: where the oldest of the role may not be deleted, the next oldest goes.
func TestRefusedReplacement(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 2, daily), slots("weekly", 1, weekly)))
		a.add("s-1", "daily", 3*day)
		a.add("s-2", "daily", 2*day)
		a.add("s-3", "weekly", time.Hour)
		a.MakeImage("s-1", "m-1")
		got := a.sweep()
		wantBrief(t, got, "web-1 daily created")
		a.wantCalls(list, disks, list, remove, disks, list, remove, create)
		if len(got[0].Deleted) != 1 || got[0].Deleted[0].SnapshotID != "s-2" {
			t.Errorf("got %+v", got[0])
		}
	})
}

// TestReplacedAndNotTaken: where no new snapshot could be started after a replacement, the answer says so.
func TestReplacedAndNotTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 2, daily), slots("weekly", 1, weekly)))
		a.add("s-1", "daily", 3*day)
		a.add("s-2", "daily", 2*day)
		a.add("s-3", "weekly", time.Hour)
		a.Fault(forever(lost(create, false)))
		got := a.sweep()
		wantBrief(t, got, "web-1 daily NoAnswer")
		if len(got[0].Deleted) != 1 || !strings.HasPrefix(got[0].Error.Message,
			"s-1 was deleted for role daily, and the new snapshot failed: ") {
			t.Errorf("got %+v %v", got[0].Deleted, got[0].Error)
		}
		a.ClearFaults()
		wantBrief(t, a.sweep(), "web-1 daily created")
	})
}

// TestAskedBesideASchedule: a role that only a tick makes due, and that a schedule makes due only later, is not promised for
// the next sweep, which does not know of the tick.
func TestAskedBesideASchedule(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.add("s-1", "daily", 20*time.Hour)
		a.add("s-2", "deploy", time.Minute, running)
		got := a.sweepBy(a.service(), snapshot.Tick{Role: "daily", Time: time.Now()})
		wantBrief(t, got, "web-1 daily deferred")
		if !strings.HasSuffix(got[0].Warning, "the next attempt is at 2000-01-10 03:00 UTC") {
			t.Errorf("got %q", got[0].Warning)
		}
	})
}
