package snapshot

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.api.server(home, "db", true)
	w.fill(w.ours("daily", 2*time.Hour, Accomplished, Tag{TagKeep, "forever"}), w.foreign(time.Hour, Accomplished))
	one := w.foreign(time.Minute, Accomplished)
	one.DiskID = "d-db"
	w.fill(one)
	got, err := w.List(within(w.clock, time.Minute), "web-1")
	if err != nil || got.Slots != (SlotCount{2, 3}) || len(got.Listed) != 2 {
		t.Fatalf("got %+v %v", got, err)
	}
	if newest := got.Listed[0]; newest.Role != "" || newest.Target != "web-1" || newest.CreationTime != "2026-03-01T01:00:00Z" {
		t.Errorf("newest %+v", newest)
	}
	if pinned := got.Listed[1]; pinned.Role != "daily" || pinned.Keep != "forever" || pinned.Status != Accomplished {
		t.Errorf("pinned %+v", pinned)
	}
	wantCalls(t, w, list)
	if _, err := w.List(within(w.clock, time.Minute), "web-2"); code(AsError(err)) != CodeUnknownTarget {
		t.Errorf("got %v", err)
	}
}

// TestListCountsDataDisks: a snapshot of a data disk occupies a slot of its server, although it does not name it.
func TestListCountsDataDisks(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.api.disks[0].Status = "In_use"
	w.api.disks = append(w.api.disks, Disk{ID: "d-extra", InstanceID: "i-web"})
	w.api.regionOf["d-extra"] = home
	one := w.foreign(time.Minute, Accomplished)
	one.DiskID = "d-extra"
	w.fill(w.ours("daily", time.Hour, Accomplished), one)
	got, err := w.List(within(w.clock, time.Minute), "web-1")
	if err != nil || got.Slots.Used != 2 {
		t.Errorf("got %+v %v", got.Slots, err)
	}
	wantCalls(t, w, list, disks)
}

func TestPlan(t *testing.T) {
	t.Parallel()
	items := func(p Plan) (all []string) {
		for _, item := range p.Items {
			all = append(all, string(item.Action)+": "+item.Reason)
		}
		return all
	}
	cases := map[string]struct {
		role  string
		setup func(*world)
		want  []string
		code  string
	}{
		"sweep, nothing to do": {"", func(w *world) { w.fill(w.ours("daily", time.Hour, Accomplished)) }, []string{"keep: the newest good snapshot of this disk"}, ""},
		"sweep, stale": {"", func(w *world) { w.fill(w.ours("daily", 30*time.Hour, Accomplished)) }, []string{
			"create: a new daily snapshot: a slot is free (1 of 3 used)", "keep: the newest good snapshot of this disk"}, ""},
		"sweep, stale, in progress": {"", func(w *world) {
			w.fill(w.ours("daily", 30*time.Hour, Accomplished), w.ours("daily", time.Minute, Progressing))
		}, []string{"keep: in progress", "keep: the newest good snapshot of this disk"}, ""},
		"role, nothing there": {"daily", func(*world) {}, []string{"create: a new daily snapshot: a slot is free (0 of 3 used)"}, ""},
		"role, no role":       {"1", func(*world) {}, nil, CodeInvalidOrder},
		"outage":              {"daily", func(w *world) { w.api.fault = always(list, lostBefore) }, nil, CodeNoAnswer},
		"forbidden":           {"daily", func(w *world) { w.api.fault = always(list, fault{code: CodeForbiddenRAM}) }, nil, CodeForbiddenRAM},
		"recovers":            {"", func(w *world) { w.api.fault = scripted(list, lostBefore, throttled) }, []string{"create: a new daily snapshot: a slot is free (0 of 3 used)"}, ""},
		"no region":           {"", func(w *world) { w.Policy.RegionID = "" }, nil, codeMissingRegion},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"daily", 2})
			c.setup(w)
			plan, err := w.Plan(within(w.clock, 50*time.Second), "web-1", c.role)
			if got := items(plan); !slices.Equal(got, c.want) || code(AsError(err)) != c.code {
				t.Errorf("got %q %v", got, err)
			}
			var known *Error
			if err != nil && (!errors.As(err, &known) || known == nil) {
				t.Errorf("%T is no *Error", err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.api.server(home, "app", false)
	w.Policy.Targets = append(w.Policy.Targets, Target{Name: "app", InstanceID: "i-app"})
	put := func(disk string) string {
		one := w.foreign(time.Hour, Accomplished)
		one.DiskID = disk
		return w.fill(one)[0].ID
	}
	w.api.server(home, "other", false)
	for disk, want := range map[string]string{"d-web": "web-1", "d-free": "free", "d-app": "app", "d-other": ""} {
		id := put(disk)
		one, target, err := w.Find(within(w.clock, time.Minute), id)
		if target.Name != want || (want == "") != (code(AsError(err)) == CodeNoSuchID) || want != "" && one.ID != id {
			t.Errorf("%s: got %q %v", disk, target.Name, err)
		}
	}
	// A region that does not answer may hold it: it is not unknown.
	w.api.fault = func(action string, _ int) fault {
		if w.api.calls[len(w.api.calls)-1].id == "cn-beijing" {
			return fault{code: CodeForbiddenRAM}
		}
		return fault{}
	}
	if _, _, err := w.Find(within(w.clock, time.Minute), "s-none"); code(AsError(err)) != CodeForbiddenRAM {
		t.Errorf("got %v", err)
	}
	if _, _, err := w.Find(within(w.clock, time.Minute), put("d-web")); err != nil {
		t.Errorf("got %v", err)
	}
	w.Policy.Targets = nil
	if _, _, err := w.Find(within(w.clock, time.Minute), "s-none"); code(AsError(err)) != CodeNoSuchID {
		t.Errorf("got %v", err)
	}
}

func TestPin(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		until string
		code  string
		keep  string
	}{
		"for ever":          {"forever", "", "forever"},
		"unsaid":            {"", "", "forever"},
		"a day to come":     {"2026-12-01", "", "2026-12-01"},
		"today":             {"2026-03-01", "", "2026-03-01"},
		"yesterday":         {"2026-02-28", CodeInvalidOrder, ""},
		"no day":            {"2026-02-30", CodeInvalidOrder, ""},
		"the word for none": {"no", CodeInvalidOrder, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"daily", 2})
			id := w.fill(w.ours("daily", time.Hour, Accomplished))[0].ID
			got, err := w.Pin(within(w.clock, time.Minute), id, c.until, nil)
			if code(AsError(err)) != c.code || got.Keep != c.keep {
				t.Errorf("got %+v %v", got, err)
			}
			if now, _ := w.api.state()[0].Tag(TagKeep); now != c.keep {
				t.Errorf("the tag is %q", now)
			}
		})
	}
}

func TestPinWhom(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 1}, Slots{"deploy", 1})
	put := w.fill(w.ours("daily", 2*time.Hour, Accomplished), w.ours("deploy", time.Hour, Accomplished), w.foreign(time.Hour, Accomplished))
	denied := errors.New("denied")
	if _, err := w.Pin(within(w.clock, time.Minute), put[0].ID, "", func(target Target) error {
		if target.Name != "web-1" {
			t.Errorf("asked for %q", target.Name)
		}
		return denied
	}); !errors.Is(err, denied) || w.api.count["TagResources"] > 0 {
		t.Errorf("got %v", err)
	}
	if _, err := w.Pin(within(w.clock, time.Minute), put[2].ID, "", nil); code(AsError(err)) != CodeForeign {
		t.Errorf("foreign: got %v", err)
	}
	if _, err := w.Pin(within(w.clock, time.Minute), "s-none", "", nil); code(AsError(err)) != CodeNoSuchID {
		t.Errorf("none: got %v", err)
	}
	got, err := w.Pin(within(w.clock, time.Minute), put[0].ID, "", nil)
	if err != nil || !strings.Contains(got.Warning, "1 of 3 slots pinned: 2 rotate; every slot of role daily (1) is pinned") {
		t.Errorf("last of a role: got %q %v", got.Warning, err)
	}
	for range 2 { // the second changes nothing
		if _, err := w.Pin(within(w.clock, time.Minute), put[0].ID, "", nil); err != nil {
			t.Error(err)
		}
	}
	if n := w.api.count["TagResources"]; n != 1 {
		t.Errorf("%d calls to tag", n)
	}
	for range 2 {
		if got, err := w.Unpin(within(w.clock, time.Minute), put[0].ID, nil); err != nil || got.Keep != "" || got.Warning != "" {
			t.Errorf("unpin: got %+v %v", got, err)
		}
	}
	if n := w.api.count["TagResources"]; n != 2 {
		t.Errorf("%d calls to tag", n)
	}
}

func TestPinLastSlot(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 3})
	put := w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", time.Hour, Accomplished))
	for i, want := range []string{"", "", "3 of 3 slots pinned: 0 rotate: the next order for this server will be blocked"} {
		got, err := w.Pin(within(w.clock, time.Minute), put[i].ID, "2026-04-01", nil)
		if err != nil || got.Warning != want {
			t.Errorf("pin %d: got %q %v", i+1, got.Warning, err)
		}
	}
	if got := w.Take(within(w.clock, time.Minute), order("daily", "k")); got.Outcome != OutcomeBlocked {
		t.Errorf("got %q", got.Outcome)
	}
	w.clock.advance(32 * 24 * time.Hour) // the pins have ended
	if got := w.Take(within(w.clock, time.Minute), order("daily", "l")); got.Outcome != OutcomeCreated || len(got.Deleted) != 1 {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"web-1", "db", "mail-server"}
	for name, want := range map[string]string{"web-2": "web-1", "WEB1": "web-1", "mial-server": "mail-server", "db1": "db", "x": "", "zz": "", "": "", "wbe-1": "web-1", "webserver": ""} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
