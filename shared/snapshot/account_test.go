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

// fleet is an account of seven servers with a target each, web-0 to web-6, and an eighth without.
func fleet(t *testing.T, keep []snapshot.Slots, change ...func(*simulator.Config)) *account {
	a := newAccount(t, snapshot.Policy{},
		append([]func(*simulator.Config){func(c *simulator.Config) { c.Instances = nil; servers(c, 8) }}, change...)...)
	for n := range 7 {
		a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: fmt.Sprint("web-", n), DiskID: fmt.Sprint("d-", n),
			Keep: keep})
	}
	return a
}

// addPairs uses the account's 15 slots: two snapshots of each target, and a foreign one.
func (a *account) addPairs(first, second string, old time.Duration) {
	for n := range 7 {
		disk := fmt.Sprint("d-", n)
		a.add(fmt.Sprint("s-", n), first, old-time.Duration(n)*time.Minute, onDisk(disk))
		a.add(fmt.Sprint("t-", n), second, old-time.Hour, onDisk(disk))
	}
	a.add("x", "", day, foreign, onDisk("d-7"))
}

// TestAccountCap: where only the account is full, one snapshot is replaced in a run, after all regions were listed again.
func TestAccountCap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := fleet(t, []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)})
		a.addPairs("daily", "deploy", 3*day)
		got := a.sweep()
		var made, waits int
		for _, r := range got {
			switch {
			case r.Outcome == snapshot.OutcomeCreated && len(r.Deleted) == 1:
				made++
				if r.Target != "web-0" || r.Deleted[0].SnapshotID != "s-0" || !strings.Contains(r.Deleted[0].Reason,
					"the account has no free slot; remaining: t-0 (deploy, 2d23h old)") {
					t.Errorf("got %+v", r)
				}
			case r.Outcome == snapshot.OutcomeDeferred && r.Error == nil && strings.Contains(r.Warning,
				"the account has no free slot; the next attempt is at"):
				waits++
			}
		}
		if made != 1 || waits != 6 {
			t.Errorf("%d made and %d wait: %v", made, waits, brief(got))
		}
		a.wantCalls(list, disks, list, remove, create)
		time.Sleep(10 * time.Minute)
		for _, r := range a.sweep() { // nothing is replaced while one is in progress
			if r.Outcome == snapshot.OutcomeCreated || r.Error != nil {
				t.Errorf("got %+v", r)
			}
		}
		a.wantCalls(list)
		a.sweeps(4 * time.Hour)
		for n := range 7 {
			if i := slices.IndexFunc(a.Snapshots(), func(one simulator.Snapshot) bool {
				return one.DiskID == fmt.Sprint("d-", n) && time.Since(one.CreationTime) < 5*time.Hour
			}); i < 0 {
				t.Errorf("web-%d has no new daily", n)
			}
		}
	})
}

// TestAccountCapBlocked: where nothing of the account may go for the due roles, they are blocked.
func TestAccountCapBlocked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := fleet(t, []snapshot.Slots{slots("daily", 2, daily)})
		a.addPairs("daily", "daily", 3*day)
		for _, r := range a.sweep() {
			if r.Outcome != snapshot.OutcomeBlocked || code(r) != snapshot.CodeBlocked || !strings.Contains(r.Error.Message,
				"the account has no free slot (15 used)") {
				t.Errorf("got %q %v", r.Outcome, r.Error)
			}
		}
		a.wantCalls(list)
	})
}

// TestAccountCapSkipsWhatCannotGo: a due role for which nothing may go does not hold up the next one, and neither does a
// deletion that the API refuses.
func TestAccountCapSkipsWhatCannotGo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*account)
		want   string
	}{
		"pinned": {func(a *account) { a.operatorPins("s-0") }, "s-1"},
		"image":  {func(a *account) { a.MakeImage("s-0", "m-1") }, "s-1"},
		"forgotten by an operator": {func(a *account) {
			a.operatorDeletes("s-0")
			a.add("y", "", day, foreign, onDisk("d-7"))
		}, "s-1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := fleet(t, []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)})
				a.addPairs("daily", "deploy", 3*day)
				c.change(a)
				gone, _ := a.deleted(a.service())
				if strings.Join(gone, " ") != c.want {
					t.Errorf("deleted %v, want %s", gone, c.want)
				}
			})
		})
	}
}

// TestAccountCapServesTheLongestPeriodFirst: in whichever region it is.
func TestAccountCapServesTheLongestPeriodFirst(t *testing.T) {
	t.Parallel()
	for _, free := range []bool{true, false} {
		t.Run(fmt.Sprint("free slot ", free), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, snapshot.Policy{}, func(c *simulator.Config) {
					c.Instances = nil
					servers(c, 6)
					for i := range c.Instances[3:] {
						c.Instances[3+i].RegionID = "cn-shanghai"
					}
				})
				target := func(name, disk, where string, keep ...snapshot.Slots) {
					a.policy.Targets = append(a.policy.Targets, snapshot.Target{Name: name, DiskID: disk, RegionID: where, Keep: keep})
				}
				target("web-0", "d-0", region, slots("daily", 1, daily), slots("deploy", 1))
				target("web-3", "d-3", "cn-shanghai", slots("weekly", 1, weekly), slots("deploy", 1))
				a.add("s-0", "daily", 3*day, onDisk("d-0"))
				a.add("t-0", "deploy", 3*day, onDisk("d-0"))
				a.add("s-3", "weekly", 9*day, onDisk("d-3"))
				a.add("t-3", "deploy", 3*day, onDisk("d-3"))
				for n := range 11 {
					if n > 0 || !free {
						a.add(fmt.Sprint("x-", n), "", day, foreign, onDisk([]string{"d-1", "d-2", "d-4", "d-5"}[n%4]))
					}
				}
				got := a.sweep()
				wantBrief(t, got, "web-0 daily deferred", "web-3 weekly created")
				if gone := len(got[1].Deleted); gone == 1 == free {
					t.Errorf("%d deletions", gone)
				}
			})
		})
	}
}

// TestAccountCapNeedsAllRegions: a replacement for the account begins only if every region was listed and is quiet.
func TestAccountCapNeedsAllRegions(t *testing.T) {
	t.Parallel()
	far := func(c *simulator.Config) { c.Instances[6].RegionID = "cn-shanghai" }
	for name, change := range map[string]func(*account){
		"another region is not listed": func(a *account) { a.Fault(forever(refusal(list, "Throttling.User"))) },
		"in progress on another server": func(a *account) {
			a.operatorDeletes("x")
			a.add("y", "deploy", time.Minute, running, onDisk("d-5"))
		},
		"surplus on another server": func(a *account) {
			a.operatorDeletes("x")
			a.add("y", "deploy", time.Minute, onDisk("d-5"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := fleet(t, []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, far)
				a.policy.Targets[6].RegionID = "cn-shanghai"
				a.addPairs("daily", "deploy", 3*day)
				change(a)
				gone, _ := a.deleted(a.service())
				if slices.ContainsFunc(gone, func(id string) bool { return strings.HasPrefix(id, "s-") }) {
					t.Errorf("deleted %v", gone)
				}
			})
		})
	}
}

// TestAccountCapReliesOnFreshLists: a replacement for the account relies on the lists of all regions, and none may be old.
func TestAccountCapReliesOnFreshLists(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault simulator.Fault
		calls []string
		gone  string
	}{
		"no fault": {simulator.Fault{}, []string{list, list, disks, disks, list, list, remove, create}, "s-0"},
		"slow disks": {simulator.Fault{Action: disks, Skip: 1, Delay: 20 * time.Second}, []string{list, list, disks,
			disks, list, list}, ""},
		"slow list": {simulator.Fault{Action: list, Skip: 3, Delay: 20 * time.Second}, []string{list, list, disks,
			disks, list, list, disks, disks, list, list}, ""},
		"failed deletion": {refusal(remove, "Throttling.User"), []string{list, list, disks, disks, list, list, remove, disks,
			disks, list, list}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := fleet(t, []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}, func(c *simulator.Config) {
					c.Instances[6].RegionID, c.Instances[7].RegionID = "cn-shanghai", "cn-shanghai"
				})
				a.policy.Targets[6].RegionID = "cn-shanghai"
				a.addPairs("daily", "deploy", 3*day)
				if c.fault.Action != "" {
					a.Fault(c.fault)
					inMiddle(time.Second, func() { // something begins in the other region
						if err := (caller{a.Simulator, "sweep"}).DeleteSnapshot(t.Context(), "cn-shanghai", "x", "operator"); err != nil {
							t.Error(err)
						}
						a.AddSnapshot(simulator.Snapshot{ID: "y", DiskID: "d-7", Status: simulator.Progressing})
					})
				}
				var gone []string
				for _, r := range a.sweep() {
					for _, one := range r.Deleted {
						gone = append(gone, one.SnapshotID)
					}
				}
				if calls := a.sweepCalls(); strings.Join(gone, " ") != c.gone || !slices.Equal(calls, c.calls) {
					t.Errorf("deleted %v by %v, want %s by %v", gone, calls, c.gone, c.calls)
				}
			})
		})
	}
}
