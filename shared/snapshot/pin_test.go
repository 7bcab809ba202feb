package snapshot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// tagOf returns the value of a tag of a snapshot as it truly is.
func (a *account) tagOf(id, key string) string {
	for _, one := range a.Snapshots() {
		if i := slices.IndexFunc(one.Tags, func(t simulator.Tag) bool { return t.Key == key }); one.ID == id && i >= 0 {
			return one.Tags[i].Value
		}
	}
	return ""
}

func TestPinUntil(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ until, code, keep string }{
		"for ever":          {"forever", "", "forever"},
		"unsaid":            {"", "", "forever"},
		"a day to come":     {"2000-12-01", "", "2000-12-01"},
		"today":             {"2000-01-10", "", "2000-01-10"},
		"yesterday":         {"2000-01-09", snapshot.CodeInvalidOrder, ""},
		"no day":            {"2000-02-30", snapshot.CodeInvalidOrder, ""},
		"the word for none": {"no", snapshot.CodeInvalidOrder, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 2)))
				a.add("s-1", "daily", time.Hour)
				got, err := a.service().Pin(t.Context(), "s-1", c.until, nil)
				if codeOf(t, err) != c.code || got.Keep != c.keep || a.tagOf("s-1", snapshot.TagKeep) != c.keep {
					t.Errorf("got %+v %v", got, err)
				}
			})
		})
	}
}

// TestPinnedTags: a pin sends token and meta again, so that the snapshot stays ours where TagResources replaces all tags.
func TestPinnedTags(t *testing.T) {
	t.Parallel()
	for _, replace := range []bool{false, true} {
		t.Run(fmt.Sprint("replaces ", replace), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1)), func(c *simulator.Config) { c.ReplaceTags = replace })
				a.add("s-1", "daily", 2*time.Hour)
				a.add("s-2", "daily", time.Hour)
				if _, err := a.service().Pin(t.Context(), "s-1", "", nil); err != nil {
					t.Fatal(err)
				}
				a.sweep()
				a.wantIDs("s-1", "s-2")
				if _, err := a.service().Unpin(t.Context(), "s-1", nil); err != nil {
					t.Fatal(err)
				}
				if a.tagOf("s-1", snapshot.TagToken) != "token-s-1" || a.tagOf("s-1",
					snapshot.TagMeta) != "daily/api/0123456789ab/5i5fgz" {
					t.Errorf("tags %v", a.Snapshots())
				}
				a.sweep()
				a.wantIDs("s-2")
			})
		})
	}
}

func TestPinCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
		a.add("s-1", "daily", 2*time.Hour)
		a.add("s-2", "", time.Hour, foreign)
		denied := errors.New("denied")
		if _, err := a.service().Pin(t.Context(), "s-1", "", func(target snapshot.Target) error {
			if target.Name != "web-1" {
				t.Errorf("asked for %q", target.Name)
			}
			return denied
		}); !errors.Is(err, denied) {
			t.Errorf("got %v", err)
		}
		if _, err := a.service().Pin(t.Context(), "s-2", "", nil); codeOf(t, err) != snapshot.CodeForeign {
			t.Errorf("foreign: got %v", err)
		}
		if _, err := a.service().Pin(t.Context(), "s-9", "", nil); codeOf(t, err) != snapshot.CodeNoSuchID {
			t.Errorf("unknown: got %v", err)
		}
		a.wantCalls(list, list, list)
		for range 2 { // the second changes nothing
			if _, err := a.service().Pin(t.Context(), "s-1", "", nil); err != nil {
				t.Error(err)
			}
		}
		a.wantCalls(list, tag, list)
		for range 2 {
			if got, err := a.service().Unpin(t.Context(), "s-1", nil); err != nil || got.Keep != "" || got.Warning != "" {
				t.Errorf("unpin: got %+v %v", got, err)
			}
		}
		a.wantCalls(list, tag, list)
		a.Fault(forever(refusal(tag, "NoPermission")))
		if _, err := a.service().Pin(t.Context(), "s-1", "", nil); codeOf(t, err) != "NoPermission" {
			t.Errorf("got %v", err)
		}
	})
}

// TestPinWarning: the answer to a pin says what it leaves of the slots, and the plan and the sweep repeat it.
func TestPinWarning(t *testing.T) {
	t.Parallel()
	defaults := []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}
	cases := map[string]struct {
		keep  []snapshot.Slots
		setup func(*account)
		want  string
	}{
		"of a full policy": {defaults, func(a *account) {
			a.add("s-1", "daily", 20*time.Hour)
			a.add("s-2", "deploy", time.Hour)
		}, "web-1 has no free slot while this is pinned: orders for role deploy will be blocked"},
		"a second one": {defaults, func(a *account) {
			a.add("s-1", "daily", 20*time.Hour)
			a.add("s-2", "deploy", time.Hour, pinned)
			a.add("s-3", "deploy", time.Minute)
		}, "web-1 has no free slot while these are pinned: "},
		"of a policy with slots to spare": {[]snapshot.Slots{slots("daily", 1, daily)}, func(a *account) {
			a.add("s-1",
				"daily", 20*time.Hour)
		}, ""},
		"of a schedule with slots to spare": {[]snapshot.Slots{slots("daily", 2, daily)}, func(a *account) {
			a.add("s-1",
				"daily", 20*time.Hour)
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				c.setup(a)
				got, err := a.service().Pin(t.Context(), "s-1", "", nil)
				if err != nil || !strings.HasPrefix(got.Warning, c.want) || (got.Warning == "") != (c.want == "") {
					t.Errorf("got %q %v", got.Warning, err)
				}
				a.sent = nil
				a.sweep()
				said := slices.ContainsFunc(a.sent, func(n snapshot.Notification) bool {
					return n.Kind == snapshot.NotifyBlocked &&
						n.What == got.Warning
				})
				if said != (c.want != "") {
					t.Errorf("notified %+v", a.sent)
				}
				plan, err := a.service().Plan(t.Context(), "web-1")
				if repeated := strings.Contains(strings.Join(plan.Warnings, "; "), got.Warning); err != nil || !repeated {
					t.Errorf("the plan warns %q, not %q, %v", plan.Warnings, got.Warning, err)
				}
			})
		})
	}
}
