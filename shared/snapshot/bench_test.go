package snapshot

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkPlan plans an order for one of five full servers: 15 snapshots, all that an account may have.
func BenchmarkPlan(b *testing.B) {
	w := newWorld(Slots{"daily", 2}, Slots{"deploy", 1})
	w.fill(w.ours("daily", 2*time.Hour, Accomplished), w.ours("daily", 3*time.Hour, Accomplished), w.ours("deploy", time.Hour, Accomplished))
	for n := range 4 {
		server := fmt.Sprint("other", n)
		w.api.server(home, server, false)
		for range SlotsPerServer {
			one := w.foreign(time.Hour, Accomplished)
			one.DiskID = "d-" + server
			w.fill(one)
		}
	}
	target := w.Policy.Targets[0]
	target.RegionID = home
	s := &situation{targets: []Target{target}, snapshots: w.api.state(), now: w.clock.Now(), disksKnown: true, disks: w.api.disks, target: target, role: "daily"}
	b.ReportAllocs()
	for b.Loop() {
		if plan := makePlan(s, "new"); plan.victim == nil {
			b.Fatal("no victim")
		}
	}
}

// BenchmarkSweep sweeps a target in each of five regions, in which nothing is to be done.
func BenchmarkSweep(b *testing.B) {
	w := newWorld()
	w.Policy.Targets = nil
	for n := range 5 {
		region, server := fmt.Sprintf("cn-region%d", n), fmt.Sprint("web", n)
		w.api.server(region, server, false)
		w.Policy.Targets = append(w.Policy.Targets, Target{Name: server, DiskID: "d-" + server, RegionID: region, Keep: []Slots{{"daily", 2}}, MaxAge: 26 * time.Hour})
		one := w.ours("daily", time.Hour, Accomplished)
		one.DiskID, one.RegionID = "d-"+server, region
		w.fill(one)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.api.calls = nil
		if got := w.Tick(within(w.clock, time.Minute), Tick{Sweep: true, Time: w.clock.Now()}); len(got) != 5 || got[4].Outcome != OutcomeReused {
			b.Fatalf("got %+v", got)
		}
	}
}
