package simulator

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Whatever callers do in whatever order, the rules of the account hold after each call.
func TestRulesHoldInRandomHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		h := newHarness(t, func(c *Config) { c.Seed, c.QuotaBeforeName = seed, seed%2 == 0 })
		tokens := make(map[string]string) // token and parameters -> snapshot
		for range 60 {
			switch random.IntN(6) {
			case 0, 1, 2:
				disk := []string{"d-web", "d-web-data", "d-db", "d-far"}[random.IntN(4)]
				region := "cn-hangzhou"
				if disk == "d-far" {
					region = "cn-shanghai"
				}
				name, token := fmt.Sprintf("name-%d", random.IntN(8)), fmt.Sprintf("token-%d", random.IntN(20))
				r := h.call("CreateSnapshot", "RegionId", region, "DiskId", disk, "SnapshotName", name, "ClientToken", token)
				if key := token + disk + name; r.code() == "" {
					if before, known := tokens[key]; known && before != r.text("SnapshotId") {
						t.Fatalf("seed %d: token gave %s, then %s", seed, before, r.text("SnapshotId"))
					}
					tokens[key] = r.text("SnapshotId")
				}
			case 3:
				if list := h.sim.Snapshots(); len(list) > 0 {
					h.call("DeleteSnapshot", "SnapshotId", list[random.IntN(len(list))].ID)
				}
			case 4:
				h.clock.advance(time.Duration(random.IntN(10)) * time.Minute)
			case 5:
				h.sim.FailNext("")
			}
			checkRules(t, seed, h.sim.Snapshots())
		}
	}
}

func checkRules(t *testing.T, seed uint64, list []Snapshot) {
	t.Helper()
	names, inProgress, servers := make(map[string]bool), make(map[string]bool), make(map[string]int)
	for i, one := range list {
		if names[one.RegionID+one.Name] {
			t.Fatalf("seed %d: two snapshots named %s", seed, one.Name)
		}
		names[one.RegionID+one.Name] = true
		if one.Status == Progressing {
			if inProgress[one.DiskID] {
				t.Fatalf("seed %d: two snapshots of %s in progress", seed, one.DiskID)
			}
			inProgress[one.DiskID] = true
		}
		if servers[one.InstanceID]++; servers[one.InstanceID] > snapshotsPerServer {
			t.Fatalf("seed %d: %d snapshots of %s", seed, servers[one.InstanceID], one.InstanceID)
		}
		if i > 0 && one.CreationTime.After(list[i-1].CreationTime) {
			t.Fatalf("seed %d: the list is out of order", seed)
		}
	}
	if len(list) > min(3*3, SnapshotsPerAccount) {
		t.Fatalf("seed %d: %d snapshots", seed, len(list))
	}
}

// Ten equal orders at once are one snapshot; run under the race detector, this also shows that the state is guarded.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	queries := make([]string, 10)
	for i := range queries {
		queries[i] = signed("POST", h.common("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "one", "ClientToken",
			"tok")).Encode()
	}
	var group sync.WaitGroup
	for _, query := range queries {
		group.Go(func() {
			h.sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/?"+query, nil))
			h.sim.Fault(Fault{Action: "none"})
			h.sim.Snapshots()
			h.sim.Calls()
			h.sim.CallCounts()
		})
	}
	group.Wait()
	if n := len(h.sim.Snapshots()); n != 1 {
		t.Errorf("%d snapshots, want 1", n)
	}
	for _, call := range h.sim.Calls() {
		if call.Code != "" {
			t.Errorf("call was refused with %s", call.Code)
		}
	}
}
