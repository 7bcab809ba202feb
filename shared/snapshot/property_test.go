package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestSweepsConverge: from any state of a server, sweeps delete nothing that may not go, and after a few of them they write
// nothing more.
func TestSweepsConverge(t *testing.T) {
	t.Parallel()
	policies := [][]snapshot.Slots{
		{slots("daily", 1, daily), slots("deploy", 1)},
		{slots("daily", 2, daily), slots("weekly", 1, weekly)},
		{slots("daily", 1, daily), slots("weekly", 1, weekly), slots("c", 1, every{28 * day, 2 * time.Hour})},
		{slots("daily", 2)},
		{slots("daily", 3, daily)},
		{slots("weekly", 1, weekly)},
		nil,
	}
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				for range 10 {
					converge(t, random, policies[random.IntN(len(policies))])
				}
			})
		})
	}
}

// converge makes a random state and sweeps.
func converge(t *testing.T, random *rand.Rand, keep []snapshot.Slots) {
	var a *account
	deleted := 0
	a = newAccount(t, web(keep...), func(c *simulator.Config) {
		c.OnDelete = func(key string, victim simulator.Snapshot, others []simulator.Snapshot) {
			deleted++
			good := 0
			for _, other := range others {
				if other.DiskID == victim.DiskID && other.Status == simulator.Accomplished && len(other.Tags) > 1 {
					good++
				}
			}
			switch {
			case key != "sweep" || deleted > 1 || len(keep) == 0 || victim.DiskID != "d-1":
				t.Errorf("%s of %s was deleted by %s, the %d. of the run", victim.ID, victim.DiskID, key, deleted)
			case len(victim.Tags) != 2 || victim.Status == simulator.Progressing || victim.Status == simulator.Accomplished &&
				good == 0:
				t.Errorf("deleted %+v beside %d accomplished ones", victim, good)
			}
		}
	})
	for n := range random.IntN(4) {
		role := []string{"daily", "deploy", "weekly", "manual", "c"}[random.IntN(5)]
		var changes []func(*simulator.Snapshot)
		if random.IntN(5) == 0 {
			changes = append(changes, foreign)
		} else if random.IntN(5) == 0 {
			changes = append(changes, pinned)
		}
		if random.IntN(5) == 0 {
			changes = append(changes, failed)
		} else if n == 0 && random.IntN(4) == 0 {
			changes = append(changes, running)
		}
		if random.IntN(6) == 0 {
			changes = append(changes, onDisk("d-2"))
		}
		old := time.Duration(random.IntN(24*60)) * time.Minute // at no time between the sweeps it is 7 days old
		if random.IntN(2) == 0 {
			old = 8*day + 20*old
		}
		a.add(fmt.Sprint("s-", n), role, old, changes...)
	}
	if random.IntN(3) == 0 {
		a.FailNext("d-1")
	}
	// At most three are to go and three are due, 20 minutes each; one that fails is taken again after an hour.
	time.Sleep(time.Until(time.Now().Truncate(day).Add(day + 6*time.Hour)))
	for n := range 6 * 6 {
		if n == 5*6 {
			a.calls()
		}
		deleted = 0
		a.sweep()
		time.Sleep(10 * time.Minute)
	}
	for _, call := range a.Calls() {
		if call.Code == "" && (call.Action == create || call.Action == remove) { // refused ones write nothing
			t.Errorf("%s after five hours: %v", call.Action, a.Snapshots())
		}
	}
}
