package snapshot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestSweepResults: one element for each due role of a target, else one without role, outcome or error; what was deleted
// stands in the target's first.
func TestSweepResults(t *testing.T) {
	t.Parallel()
	both := []snapshot.Slots{slots("daily", 1, daily), slots("weekly", 1, weekly)}
	cases := map[string]struct {
		keep    []snapshot.Slots
		setup   func(*account)
		want    []string
		deleted string // IDs, in the first element
		text    string // in the first error or warning
	}{
		"nothing due": {both, func(a *account) {
			a.add("s-1", "daily", time.Hour)
			a.add("s-2", "weekly",
				time.Hour)
		}, []string{"web-1"}, "", ""},
		"one due": {both, func(a *account) { a.add("s-2", "weekly", time.Hour) }, []string{"web-1 daily created"},
			"", ""},
		"two due": {both, func(*account) {}, []string{"web-1 weekly created", "web-1 daily deferred"}, "", ""},
		"two due, a deletion": {both, func(a *account) { a.add("s-1", "daily", 3*day, failed) },
			[]string{"web-1 weekly created", "web-1 daily deferred"}, "s-1", ""},
		"a deletion alone": {[]snapshot.Slots{slots("daily", 1)}, func(a *account) { a.add("s-1", "daily", day, failed) },
			[]string{"web-1"}, "s-1", ""},
		"two blocked": {both, func(a *account) {
			a.add("s-1", "", day, foreign)
			a.add("s-2", "", day, foreign)
			a.add("s-3", "", day, foreign)
		}, []string{"web-1 weekly blocked SlotsFull", "web-1 daily blocked SlotsFull"}, "",
			"no slot of the server is free (s-3 (not ours), s-2 (not ours), s-1 (not ours)): delete or unpin one"},
		"in progress": {both, func(a *account) { a.add("s-1", "", time.Minute, foreign, running) },
			[]string{"web-1 weekly deferred", "web-1 daily deferred"}, "", "s-1 of the disk is in progress"},
		"the disk is gone": {both[:1], func(a *account) {
			a.RemoveDisk("d-1")
			a.add("s-1", "daily", 2*day, func(one *simulator.Snapshot) { one.RegionID, one.InstanceID = region, "i-1" })
			a.add("s-2", "daily", day, func(one *simulator.Snapshot) { one.RegionID, one.InstanceID = region, "i-1" })
		}, []string{"web-1 daily InvalidDiskId.NotFound", "web-1 DiskGone"}, "", "region has no such disk"},
		"no such server": {both, func(a *account) { a.policy.Targets[0].DiskID, a.policy.Targets[0].InstanceID = "", "i-9" },
			[]string{"web-1 DiskGone"}, "", "i-9"},
		"no permission": {both, func(a *account) { a.Fault(forever(refusal(create, "NoPermission"))) },
			[]string{"web-1 weekly NoPermission", "web-1 daily NoPermission"}, "", "swas-open:CreateSnapshot"},
		"one refused": {both, func(a *account) { a.Fault(refusal(create, "InvalidParam")) },
			[]string{"web-1 weekly InvalidParam", "web-1 daily created"}, "", "refuses a parameter"},
		"hidden tags": {both[:1], func(a *account) { a.addOwn(order("daily", "k"), time.Hour, foreign) },
			[]string{"web-1 daily created"}, "",
			"own has a name of ours and no tags: the API shows no tags"},
		"another deployment": {both[:1], func(a *account) {
			a.add("s-1", "daily", time.Hour, func(one *simulator.Snapshot) { one.Tags[1].Value = "daily/api/x/abcdef" })
		}, []string{"web-1"}, "", "another deployment"},
		"another deployment's is surplus, too": {[]snapshot.Slots{slots("daily", 1)}, func(a *account) {
			a.add("s-1", "daily", 2*time.Hour, func(one *simulator.Snapshot) { one.Tags[1].Value = "daily/api/x/abcdef" })
			a.add("s-2", "daily", time.Hour)
		}, []string{"web-1"}, "s-1", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				c.setup(a)
				got := a.sweep()
				wantBrief(t, got, c.want...)
				var ids []string
				for i, r := range got {
					for _, one := range r.Deleted {
						ids = append(ids, one.SnapshotID)
						if i > 0 {
							t.Errorf("element %d names %s", i, one.SnapshotID)
						}
					}
					if (r.Outcome == snapshot.OutcomeBlocked) != (r.Plan != nil) || r.Outcome == snapshot.OutcomeDeferred &&
						r.Error == nil && !strings.Contains(r.Warning, "the next attempt is at") {
						t.Errorf("element %d: %+v", i, r)
					}
				}
				text := got[0].Warning
				if got[0].Error != nil {
					text += got[0].Error.Message
				}
				if strings.Join(ids, " ") != c.deleted || !strings.Contains(text, c.text) {
					t.Errorf("deleted %v, text %q", ids, text)
				}
			})
		})
	}
}

// TestStuckSnapshot: one that stays in progress beyond two hours is an error of each sweep, and nothing of the disk is taken.
func TestStuckSnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily), slots("deploy", 1)))
		a.StallNext("d-1")
		a.sweep()
		time.Sleep(2*time.Hour - time.Minute)
		wantBrief(t, a.sweep(), "web-1")
		time.Sleep(time.Minute)
		got := a.sweep()
		wantBrief(t, got, "web-1 SnapshotStuck")
		if !strings.Contains(got[0].Error.Message, "has been in progress since 2000-01-10 00:00 UTC") {
			t.Errorf("got %v", got[0].Error)
		}
		if err := a.SetSnapshotStatus(a.ids()[0], simulator.Failed); err != nil {
			t.Fatal(err)
		}
		wantBrief(t, a.sweep(), "web-1 daily created")
	})
}

// TestSharedDisk: of a disk that two targets name nothing is deleted, and both say why.
func TestSharedDisk(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]snapshot.Target{"by its disk": {Name: "web-2", DiskID: "d-1"},
		"by its server": {Name: "web-2", InstanceID: "i-1"}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := surplus(t)
				second.Keep = []snapshot.Slots{slots("deploy", 1)}
				a.policy.Targets = append(a.policy.Targets, second)
				a.add("s-4", "daily", time.Hour, failed)
				wantBrief(t, a.sweep(), "web-1 SharedDisk", "web-2 SharedDisk")
				a.wantIDs("s-1", "s-2", "s-3", "s-4")
				plan, err := a.service().Plan(t.Context(), "web-2")
				if err != nil || len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0],
					"the targets web-1 and web-2 name the same disk d-1") {
					t.Errorf("got %q %v", plan.Warnings, err)
				}
			})
		})
	}
}

// TestResultForm: the JSON of results, as callers get it.
func TestResultForm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1, daily)))
		a.add("s-1", "daily", 2*day, failed)
		a.policy.Location = shanghai
		got := a.sweep()[0]
		got.SnapshotID, got.RequestID = "s-new", "R"
		text, err := json.Marshal(got)
		const want = `{"target":"web-1","regionId":"cn-hangzhou","diskId":"d-1","role":"daily","outcome":"created","snapshotId":"s-new",` +
			`"snapshotName":"daily-web-1-20000109T0300-hjzjznen","clientToken":"sn1-hjzjznennmhcuolmwzkli4hqwueoodlm64ahiw7scpcxc4rcwzuq",` +
			`"status":"progressing","progress":"0%","requestId":"R","deleted":[{"snapshotId":"s-1","snapshotName":"daily-web-1-s-1",` +
			`"creationTime":"2000-01-08T00:00:00Z","reason":"failed: it cannot restore anything"}]}`
		if err != nil || string(text) != want {
			t.Errorf("got %s\nwant %s", text, want)
		}
	})
}
