package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestRoles: which role an order gets, and which ones are refused, before any call.
func TestRoles(t *testing.T) {
	t.Parallel()
	two := []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}
	cases := map[string]struct {
		keep      []snapshot.Slots
		role, def string
		want      string // "": refused
		text      string
	}{
		"kept":                       {two, "deploy", "", "deploy", ""},
		"kept and scheduled":         {two, "daily", "", "daily", ""},
		"not kept":                   {two, "manual", "", "", "use one of daily, deploy"},
		"misspelt":                   {two, "dialy", "", "", "did you mean daily?"},
		"none, one without schedule": {two, "", "manual", "deploy", ""},
		"none, two without schedule": {[]snapshot.Slots{slots("deploy", 1), slots("manual", 1)}, "", "", "",
			"name one of deploy, manual"},
		"none, all with a schedule": {[]snapshot.Slots{slots("daily", 1, daily), slots("weekly", 1, weekly)}, "", "", "",
			"name one of daily, weekly"},
		"sum of 3": {[]snapshot.Slots{slots("daily", 2, daily), slots("weekly", 1, weekly)}, "daily",
			"", "", "fills all 3 slots"},
		"sum of 3, role not kept": {[]snapshot.Slots{slots("daily", 2, daily), slots("weekly", 1, weekly)}, "deploy",
			"", "", "fills all 3 slots"},
		"without keep, any":              {nil, "release", "", "release", ""},
		"without keep, none":             {nil, "", "", "deploy", ""},
		"without keep, none from a chat": {nil, "", snapshot.RoleManual, "manual", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				for _, raw := range []bool{false, true} {
					a := newAccount(t, web(c.keep...))
					o := order(c.role, "k")
					o.DefaultRole = c.def
					if raw {
						o.Target, o.DiskID = "", "d-1"
					}
					for _, dry := range []bool{true, false} {
						o.DryRun = dry
						got := a.take(o)
						if refused := code(got) == snapshot.CodeUnknownRole; refused != (c.want == "") || !refused &&
							got.Role != c.want || got.Target != "web-1" {
							t.Errorf("raw %v, dry run %v: role %q, %v", raw, dry, got.Role, got.Error)
						}
						if c.want == "" {
							if got.Error == nil || !strings.Contains(got.Error.Message, c.text) || got.Error.Retryable || got.Outcome != "" {
								t.Errorf("got %q %v, want %q", got.Outcome, got.Error, c.text)
							}
							a.wantCalls()
						}
					}
				}
			})
		})
	}
}

// TestRawOrderOfAServersDisk: a raw order for the system disk of a target that names its server obeys the target's keep,
// too, although the disk is not known yet.
func TestRawOrderOfAServersDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, snapshot.Policy{Targets: []snapshot.Target{{Name: "web-1", InstanceID: "i-1",
			Keep: []snapshot.Slots{slots("daily", 1, daily)}}}})
		got := a.take(snapshot.Order{DiskID: "d-1", Role: "deploy", Sender: "event", Key: "k"})
		if code(got) != snapshot.CodeUnknownRole || got.Target != "web-1" {
			t.Errorf("got %q of %q, %v", got.Outcome, got.Target, got.Error)
		}
		a.wantCalls(disks)
		if got := a.take(snapshot.Order{DiskID: "d-2", Role: "deploy", Sender: "event",
			Key: "k"}); got.Outcome != snapshot.OutcomeCreated || got.Target != "" {
			t.Errorf("another disk: %q of %q, %v", got.Outcome, got.Target, got.Error)
		}
	})
}

// TestRefusedAtOnce: what is wrong with an order is said before any call.
func TestRefusedAtOnce(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		order snapshot.Order
		code  string
		text  string
	}{
		"unknown target, close": {snapshot.Order{Target: "wep-1", Key: "k"}, snapshot.CodeUnknownTarget,
			"did you mean web-1?"},
		"unknown target, far": {snapshot.Order{Target: "mailserver", Key: "k"}, snapshot.CodeUnknownTarget,
			"name one of its targets"},
		"no target": {snapshot.Order{Key: "k"}, snapshot.CodeInvalidOrder, "target: is missing"},
		"no key":    {snapshot.Order{Target: "web-1"}, snapshot.CodeInvalidOrder, "key: is missing"},
		"all at once": {snapshot.Order{Target: "web-1", SnapshotName: "x", ResourceGroupID: "x"}, snapshot.CodeInvalidOrder,
			"key: is missing: give the ID of the event, the same at each retry; SnapshotName: has 1 characters: use 2 to 50; ResourceGroupId"},
		"one code of the API's": {snapshot.Order{Target: "web-1", Key: "k", SnapshotName: "x"}, snapshot.CodeNameUnsupported,
			"SnapshotName"},
		"disk of another form": {snapshot.Order{DiskID: "disk", Key: "k"}, "InvalidDiskId", "DiskId"},
		"region of a raw disk": {snapshot.Order{DiskID: "d-1", RegionID: "X", Key: "k"}, snapshot.CodeInvalidRegion,
			"RegionId"},
		"eleven tags": {snapshot.Order{Target: "web-1", Key: "k", Tags: elevenTags()}, "InvalidTag",
			"use at most 10"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("deploy", 1)))
				got := a.take(c.order)
				if code(got) != c.code || !strings.Contains(got.Error.Message, c.text) || got.Error.Retryable || got.Outcome != "" {
					t.Errorf("got %q %v", got.Outcome, got.Error)
				}
				a.wantCalls()
			})
		})
	}
}

func elevenTags() []snapshot.Tag {
	var all []snapshot.Tag
	for _, key := range "abcdefghijk" {
		all = append(all, snapshot.Tag{Key: string(key), Value: "v"})
	}
	return all
}

// TestTargetByServer: the system disk of a server is looked up once in a process.
func TestTargetByServer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, snapshot.Policy{Targets: []snapshot.Target{{Name: "app", InstanceID: "i-1"}, {Name: "gone",
			InstanceID: "i-9"}}})
		s := a.service()
		got := s.TakeAll(t.Context(), []snapshot.Order{{Target: "app", Key: "k"}, {Target: "gone", Key: "k"}, {Target: "app",
			Key: ""}})
		if got[0].Outcome != snapshot.OutcomeCreated || got[0].DiskID != "d-1" || code(got[1]) != snapshot.CodeDiskGone ||
			code(got[2]) != snapshot.CodeInvalidOrder {
			t.Errorf("got %+v", got)
		}
		if n := a.CallCounts()[disks]; n != 1 {
			t.Errorf("%d lists of disks", n)
		}
		a.calls()
		takeBy(s, snapshot.Order{Target: "app", Key: "l"}, 15*time.Second)
		if n := a.CallCounts()[disks]; n != 0 {
			t.Errorf("%d more lists of disks", n)
		}
	})
}

// TestDisksNotListed: an order that cannot find its disk now is deferred; one that its caller repeats is not notified.
func TestDisksNotListed(t *testing.T) {
	for name, o := range map[string]snapshot.Order{
		"target": {Target: "app", Key: "k", Repeated: true}, "raw": {DiskID: "d-1", Key: "k", Repeated: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, snapshot.Policy{Targets: []snapshot.Target{{Name: "app", InstanceID: "i-1"}}})
				a.Fault(forever(lost(disks, false)))
				if got := a.take(o); got.Outcome != snapshot.OutcomeDeferred || code(got) != snapshot.CodeNoAnswer ||
					len(a.sent) > 0 {
					t.Errorf("got %q %v, notified %v", got.Outcome, got.Error, a.sent)
				}
			})
		})
	}
}

// TestRequestOfAnOrder: the parameters and tags with which an order's snapshot is taken.
func TestRequestOfAnOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("deploy", 1)))
		a.policy.Deployment = "production"
		target := &a.policy.Targets[0]
		target.ResourceGroupID, target.Tags = "rg-1", []snapshot.Tag{{Key: "team", Value: "web"}, {Key: "a", Value: "policy"}}
		o := order("deploy", "k")
		o.Tags = []snapshot.Tag{{Key: "a", Value: "caller"}}
		got := a.take(o)
		one := a.Snapshots()[0]
		token, meta := one.Tags[2], one.Tags[3]
		want := []simulator.Tag{{Key: "team", Value: "web"}, {Key: "a", Value: "caller"}, {Key: snapshot.TagToken,
			Value: got.ClientToken}, meta}
		for i := range want {
			if len(one.Tags) != len(want) || one.Tags[i] != want[i] {
				t.Fatalf("tags %v, want %v", one.Tags, want)
			}
		}
		if parts := strings.Split(meta.Value, "/"); len(parts) != 4 || parts[0] != "deploy" || parts[1] != "api" ||
			len(parts[3]) != 6 || one.ResourceGroupID != "rg-1" ||
			!strings.HasSuffix(one.Name, "-"+token.Value[4:12]) {
			t.Errorf("meta %q, group %q, name %q", meta.Value, one.ResourceGroupID, one.Name)
		}
		// The API's own parameters are sent as they are.
		time.Sleep(time.Hour)
		a.take(snapshot.Order{DiskID: "d-1", Role: "deploy", Sender: "event", Key: "raw", SnapshotName: "mine",
			ClientToken: "own", ResourceGroupID: "rg-2"})
		if raw := a.Snapshots()[0]; raw.Name != "mine" || raw.ResourceGroupID != "rg-2" || len(raw.Tags) != 2 ||
			raw.Tags[0].Value != "own" {
			t.Errorf("raw: %+v", raw)
		}
	})
}
