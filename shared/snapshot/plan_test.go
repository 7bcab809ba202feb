package snapshot_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

func until(text string) func(*simulator.Snapshot) {
	return func(one *simulator.Snapshot) {
		one.Tags = append(one.Tags, simulator.Tag{Key: snapshot.TagKeep, Value: text})
	}
}

// TestPlans is the plan of web-1 in many situations, as users read it.
func TestPlans(t *testing.T) {
	t.Parallel()
	const role = "daily: keep is 1"
	one := []snapshot.Slots{slots("daily", 1)}
	cases := map[string]struct {
		keep  []snapshot.Slots
		setup func(*account)
		want  []string
	}{
		"empty": {one, func(*account) {}, nil},
		"as kept": {[]snapshot.Slots{slots("daily", 1), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "deploy", 2*day)
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: daily: keep is 1", "s-1 keep: deploy: keep is 1"}},
		"one too many": {one, func(a *account) {
			a.add("s-1", "daily", 2*day)
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role, "s-1 delete: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist"}},
		"two too many, the oldest goes": {one, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "daily", day)
		}, []string{"s-3 keep: " + role,
			"s-2 keep: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist; a later sweep deletes it",
			"s-1 delete: surplus: keep of web-1 is daily 1, and 2 newer or pinned ones exist"}},
		"equal times, by ID": {one, func(a *account) {
			a.add("s-2", "daily", day)
			a.add("s-1", "daily", day)
		}, []string{"s-2 keep: " + role, "s-1 delete: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist"}},
		"failed goes before surplus": {one, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "daily", day, failed)
		}, []string{"s-3 delete: failed: it cannot restore anything", "s-2 keep: " + role,
			"s-1 keep: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist; a later sweep deletes it"}},
		"failed does not count as newer": {one, func(a *account) {
			a.add("s-1", "daily", 2*day)
			a.add("s-2", "daily", day, failed)
		}, []string{"s-2 delete: failed: it cannot restore anything", "s-1 keep: the last accomplished one of its disk"}},
		"failed, the only one": {one, func(a *account) { a.add("s-1", "daily", day, failed) },
			[]string{"s-1 delete: failed: it cannot restore anything"}},
		"in progress does not count as newer": {one, func(a *account) {
			a.add("s-1", "daily", day)
			a.add("s-2", "daily", 10*time.Minute, running)
		}, []string{"s-2 keep: in progress 50%", "s-1 keep: the last accomplished one of its disk"}},
		"pinned counts as newer": {one, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day, pinned)
			a.add("s-3", "daily", day)
		}, []string{"s-3 keep: " + role,
			"s-2 keep: pinned for ever; surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist",
			"s-1 delete: surplus: keep of web-1 is daily 1, and 2 newer or pinned ones exist"}},
		"the newest of a role stays beside pinned ones": {one, func(a *account) {
			a.add("s-1", "daily", 3*day, pinned)
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role,
			"s-1 keep: pinned for ever; surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist"}},
		"pinned and failed": {one, func(a *account) { a.add("s-1", "daily", day, failed, pinned) },
			[]string{"s-1 keep: pinned for ever; failed: it cannot restore anything"}},
		"pinned until yesterday": {one, func(a *account) {
			a.add("s-1", "daily", 2*day, until("2000-01-09"))
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role, "s-1 delete: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist"}},
		"pinned until today": {one, func(a *account) { a.add("s-1", "daily", 2*day, until("2000-01-10")) },
			[]string{"s-1 keep: pinned until 2000-01-10"}},
		"pin that cannot be read": {one, func(a *account) { a.add("s-1", "daily", 2*day, until("next week")) },
			[]string{"s-1 keep: pinned: its tag swas-snapshot/keep is neither a date nor forever"}},
		"unpinned": {one, func(a *account) {
			a.add("s-1", "daily", 2*day, until("no"))
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role, "s-1 delete: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist"}},
		"roles do not evict each other": {[]snapshot.Slots{slots("daily", 1), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "deploy", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "daily", day)
		}, []string{"s-3 keep: " + role, "s-2 delete: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist",
			"s-1 keep: deploy: keep is 1"}},
		"role not kept, young": {one, func(a *account) {
			a.add("s-1", "manual", 7*day-time.Second)
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role,
			"s-1 keep: keep of web-1 does not name role manual: surplus from 2000-01-10 00:00 UTC on, once another one exists"}},
		"role not kept, 7 days old": {one, func(a *account) {
			a.add("s-1", "manual", 7*day)
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role,
			"s-1 delete: surplus: keep of web-1 does not name role manual, and it is older than 7 days"}},
		"role not kept, the only one": {one, func(a *account) { a.add("s-1", "manual", 9*day) },
			[]string{"s-1 keep: the last accomplished one of its disk"}},
		"role not kept, beside a foreign one": {one, func(a *account) {
			a.add("s-1", "manual", 9*day)
			a.add("s-2", "", day, foreign)
		}, []string{"s-2 foreign: not ours: no swas-snapshot tags", "s-1 keep: the last accomplished one of its disk"}},
		"role not kept, beside one of another disk": {one, func(a *account) {
			a.add("s-1", "manual", 9*day)
			a.add("s-2", "daily", day, onDisk("d-2"))
		}, []string{"s-2 keep: no target of the policy has its disk", "s-1 keep: the last accomplished one of its disk"}},
		"role not kept, failed": {one, func(a *account) { a.add("s-1", "manual", time.Hour, failed) },
			[]string{"s-1 delete: failed: it cannot restore anything"}},
		"foreign ones": {one, func(a *account) {
			a.add("s-1", "", 9*day, foreign)
			a.add("s-2", "", 8*day, foreign, failed)
			a.add("s-3", "", 7*day, foreign, func(one *simulator.Snapshot) {
				one.Tags = []simulator.Tag{{Key: snapshot.TagMeta, Value: "daily/timer/x"}}
			})
		}, []string{"s-3 foreign: not ours: no swas-snapshot tags", "s-2 foreign: not ours: no swas-snapshot tags",
			"s-1 foreign: not ours: no swas-snapshot tags"}},
		"foreign ones do not count as newer": {one, func(a *account) {
			a.add("s-1", "daily", 9*day)
			a.add("s-2", "daily", 8*day, foreign)
		}, []string{"s-2 foreign: not ours: no swas-snapshot tags", "s-1 keep: the last accomplished one of its disk"}},
		"meta that cannot be read": {one, func(a *account) {
			a.add("s-1", "daily", 9*day, func(one *simulator.Snapshot) { one.Tags[1].Value = "?" })
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: " + role, "s-1 keep: its tag swas-snapshot/meta cannot be read"}},
		"without keep": {nil, func(a *account) {
			a.add("s-1", "daily", 9*day)
			a.add("s-2", "daily", day)
		}, []string{"s-2 keep: the policy has no keep for web-1", "s-1 keep: the policy has no keep for web-1"}},
		"status in capitals": {one, func(a *account) {
			a.add("s-1", "daily", 2*day, func(one *simulator.Snapshot) { one.Status = " Accomplished" })
			a.add("s-2", "daily", day, func(one *simulator.Snapshot) { one.Status = "ACCOMPLISHED" })
		}, []string{"s-2 keep: " + role, "s-1 delete: surplus: keep of web-1 is daily 1, and 1 newer or pinned ones exist"}},
		"due": {[]snapshot.Slots{slots("daily", 1, daily)}, func(a *account) { a.add("s-1", "daily", 2*day) },
			[]string{"create: role daily is due since 2000-01-09 03:00 UTC", "s-1 keep: the last accomplished one of its disk"}},
		"due and no slot": {[]snapshot.Slots{slots("daily", 2, daily), slots("weekly", 1, weekly)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", 2*time.Hour)
		}, []string{"create: role daily is due since 2000-01-09 03:00 UTC, in the slot of the snapshot that it replaces",
			"s-3 keep: weekly: keep is 1",
			"s-2 keep: daily: keep is 2",
			"s-1 delete: replaced: role daily is due and the server has no free slot; remaining: s-3 (weekly, 2h0m old), s-2 (daily, 2d0h old)"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				c.setup(a)
				before := a.ids()
				if got := a.shown(a.service()); !slices.Equal(got, c.want) {
					t.Errorf("got:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
				}
				a.wantIDs(before...)
				// The next sweep does what the plan says.
				var want []string
				for _, line := range c.want {
					if id, action, _ := strings.Cut(line, " "); strings.HasPrefix(action, "delete:") {
						want = append(want, id)
					}
				}
				if got, _ := a.deleted(a.service()); !slices.Equal(got, want) {
					t.Errorf("the sweep deleted %v, want %v", got, want)
				}
			})
		})
	}
}

// TestReplacement: which snapshot goes for a due role that finds no slot, and on what conditions.
func TestReplacement(t *testing.T) {
	t.Parallel()
	scheduled := []snapshot.Slots{slots("daily", 2, daily), slots("weekly", 1, weekly)}
	cases := map[string]struct {
		keep  []snapshot.Slots
		setup func(*account)
		want  string // the snapshot that goes
	}{
		"two others": {scheduled, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", 2*time.Hour)
		}, "s-1"},
		"a free slot": {scheduled, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
		}, ""},
		"one other of the same role": {[]snapshot.Slots{slots("daily", 2, daily)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "", day, foreign)
		}, ""},
		"one other that is pinned": {[]snapshot.Slots{slots("daily", 2, daily)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day, pinned)
			a.add("s-3", "", day, foreign)
		}, "s-1"},
		"one other without a schedule": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "deploy", 4*day)
			a.add("s-3", "", day, foreign)
		}, "s-1"},
		"one other of a longer period": {[]snapshot.Slots{slots("daily", 1, daily), slots("weekly", 1, weekly)},
			func(a *account) {
				a.add("s-1", "daily", 3*day)
				a.add("s-2", "weekly", 2*time.Hour)
				a.add("s-3", "", day, foreign)
			}, "s-1"},
		"one other of a shorter period": {[]snapshot.Slots{slots("daily", 1, daily), slots("weekly", 1, weekly)},
			func(a *account) {
				a.add("s-1", "weekly", 8*day)
				a.add("s-2", "daily", 2*time.Hour)
				a.add("s-3", "", day, foreign)
			}, ""},
		"one other whose role is not kept": {[]snapshot.Slots{slots("daily", 1, daily)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "manual", 2*day)
			a.add("s-3", "", day, foreign)
		}, "s-1"},
		"others of another disk do not count": {[]snapshot.Slots{slots("daily", 1, daily)}, func(a *account) {
			a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: "data", DiskID: "d-2",
				Keep: []snapshot.Slots{slots("deploy", 2)}})
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "deploy", 2*day, onDisk("d-2"))
			a.add("s-3", "deploy", 2*day, onDisk("d-2"))
		}, ""},
		"one of another role never goes": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 2)}, func(a *account) {
			a.add("s-1", "deploy", 4*day)
			a.add("s-2", "deploy", 3*day)
			a.add("s-3", "", day, foreign)
		}, ""},
		"the oldest is pinned": {scheduled, func(a *account) {
			a.add("s-1", "daily", 3*day, pinned)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", 2*time.Hour)
		}, "s-2"},
		"something failed": {scheduled, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", 2*time.Hour, failed)
		}, "s-3"},
		"surplus there": {[]snapshot.Slots{slots("daily", 1, daily), slots("weekly", 1, weekly)}, func(a *account) {
			a.add("s-1", "weekly", 20*day)
			a.add("s-2", "daily", 3*day)
			a.add("s-3", "daily", 2*day)
		}, "s-2"},
		"in progress on the disk": {scheduled, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", time.Minute, running)
		}, ""},
		"in progress on the server": {[]snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "deploy", 2*day)
			a.add("s-3", "", time.Minute, foreign, running, onDisk("d-2"))
		}, ""},
		"only by a timer of the user's own": {[]snapshot.Slots{slots("daily", 2), slots("weekly", 1)}, func(a *account) {
			a.add("s-1", "daily", 3*day)
			a.add("s-2", "daily", 2*day)
			a.add("s-3", "weekly", 2*time.Hour)
		}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(c.keep...))
				c.setup(a)
				before := a.ids()
				a.sweepBy(a.service(), snapshot.Tick{Role: "daily", Time: time.Now()})
				after := a.ids()
				gone := slices.DeleteFunc(before, func(id string) bool { return slices.Contains(after, id) })
				if got := strings.Join(gone, " "); got != c.want {
					t.Errorf("%q was deleted, want %q", got, c.want)
				}
			})
		})
	}
}
