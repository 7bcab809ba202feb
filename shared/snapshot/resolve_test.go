package snapshot

import (
	"strings"
	"testing"
	"time"
)

func TestTakeEventAge(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		age, limit time.Duration
		code       string
	}{
		"at the default":     {defaultMaxEventAge, 0, ""},
		"beyond the default": {defaultMaxEventAge + 1, 0, CodeTooOld},
		"at the limit":       {time.Hour, time.Hour, ""},
		"beyond the limit":   {time.Hour + 1, time.Hour, CodeTooOld},
		"in the future":      {-time.Hour, time.Hour, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Policy.MaxEventAge = c.limit
			o := order("daily", "k")
			o.Time = w.clock.Now().Add(-c.age)
			got := w.Take(within(w.clock, time.Minute), o)
			if code(got.Error) != c.code {
				t.Errorf("got %v", got.Error)
			}
			if c.code != "" && (len(w.api.calls) > 0 || got.Error.Retryable) {
				t.Errorf("a refused order made %v", w.actions())
			}
		})
	}
}

// TestTakeRefuses: what is wrong with an order is said before any call.
func TestTakeRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		order Order
		code  string
		text  string
	}{
		"unknown target, close": {Order{Target: "wep-1", Key: "k"}, CodeUnknownTarget, "did you mean web-1?"},
		"unknown target, far":   {Order{Target: "mailserver", Key: "k"}, CodeUnknownTarget, "name one of its targets"},
		"no target":             {Order{Key: "k"}, CodeInvalidOrder, "target: is missing"},
		"no key":                {Order{Target: "web-1"}, CodeInvalidOrder, "key: is missing"},
		"all at once":           {Order{Target: "web-1", SnapshotName: "x", ResourceGroupID: "x"}, CodeInvalidOrder, "key: is missing: give the ID of the event, the same at each retry; SnapshotName: has 1 characters: use 2 to 50; ResourceGroupId"},
		"one code of the API's": {Order{Target: "web-1", Key: "k", SnapshotName: "x"}, CodeNameUnsupported, "SnapshotName"},
		"disk of another form":  {Order{DiskID: "disk", Key: "k"}, codeInvalidDisk, "DiskId"},
		"region of a raw disk":  {Order{DiskID: "d-1", RegionID: "X", Key: "k"}, CodeInvalidRegion, "RegionId"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			got := w.Take(within(w.clock, time.Minute), c.order)
			if code(got.Error) != c.code || !strings.Contains(got.Error.Message, c.text) || got.Error.Retryable {
				t.Errorf("got %v", got.Error)
			}
			wantCalls(t, w)
		})
	}
}

func TestTakeRawDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 1})
	got := w.Take(within(w.clock, time.Minute), Order{DiskID: diskID, Key: "k"})
	if got.Target != "web-1" || got.Role != RoleManual || got.Outcome != OutcomeCreated {
		t.Errorf("a disk of the policy: %+v", got)
	}
	w.api.server("cn-beijing", "raw", false)
	for range 3 {
		one := w.ours("manual", time.Hour, Accomplished)
		one.DiskID = "d-raw"
		w.fill(one)
	}
	got = w.Take(within(w.clock, time.Minute), Order{DiskID: "d-raw", RegionID: "cn-beijing", Key: "k"})
	if got.Target != "" || got.RegionID != "cn-beijing" || got.Outcome != OutcomeBlocked || w.api.count[remove] > 0 {
		t.Errorf("a disk beside the policy: %+v", got)
	}
}

func TestTakeByServer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.api.server(home, "app", true)
	w.Policy.Targets = []Target{{Name: "app", InstanceID: "i-app"}, {Name: "gone", InstanceID: "i-gone"}}
	got := w.TakeAll(within(w.clock, time.Minute), []Order{
		{Target: "app", Key: "k"}, {Target: "gone", Key: "k"}, {Target: "app", Key: ""},
	})
	if got[0].Outcome != OutcomeCreated || got[0].DiskID != "d-app" || code(got[1].Error) != CodeDiskGone || code(got[2].Error) != CodeInvalidOrder {
		t.Errorf("got %+v", got)
	}
	wantCalls(t, w, disks, create)
	w.Take(within(w.clock, time.Minute), Order{Target: "app", Key: "l"})
	if n := w.api.count[disks]; n != 1 {
		t.Errorf("the system disk was looked up %d times", n)
	}
}

// TestMisspeltRole: a role that keep does not name is never deleted, so a typing error must not go unsaid.
func TestMisspeltRole(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{"dialy": "did you mean daily?", "daily": "", "manual": "", "release": ""} {
		w := newWorld(Slots{"daily", 2})
		got := w.Take(within(w.clock, time.Minute), order(role, "k"))
		if got.Outcome != OutcomeCreated || (want == "") != (got.Warning == "") || !strings.Contains(got.Warning, want) {
			t.Errorf("%s: got %q, warning %q", role, got.Outcome, got.Warning)
		}
		o := order(role, "other")
		o.DryRun = true
		if dry := w.Take(within(w.clock, time.Minute), o); !strings.Contains(dry.Warning, want) {
			t.Errorf("%s: dry run warns %q", role, dry.Warning)
		}
	}
}
