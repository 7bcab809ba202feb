package snapshot_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// SNAPSHOT_HISTORIES is the number of histories. SNAPSHOT_HISTORY is the number of the first; alone, it is the one that
// is replayed, and all that happens in it is printed.
const (
	historiesVar = "SNAPSHOT_HISTORIES"
	historyVar   = "SNAPSHOT_HISTORY"

	historiesByDefault = 1000
	historiesEnough    = 10000 // each kind of event must be in at least 1% of so many
)

// histories returns the first history, and how many there are.
func histories() (first, count uint64) {
	first, count = 1, historiesByDefault
	if text := os.Getenv(historyVar); text != "" {
		first, _ = strconv.ParseUint(text, 10, 64)
		count = 1
	}
	if text := os.Getenv(historiesVar); text != "" {
		count, _ = strconv.ParseUint(text, 10, 64)
	}
	return first, count
}

// TestHistories interleaves runs, operators and failures at every API call, and judges every deletion.
func TestHistories(t *testing.T) {
	first, count := histories()
	totals := runHistories(t, "", first, count, func(h *history) bool {
		for _, text := range h.violations {
			t.Errorf("%s=%d: %s", historyVar, h.number, text)
		}
		return true
	})
	if testing.Verbose() {
		for _, kind := range slices.Sorted(maps.Keys(totals)) {
			t.Logf("%6.1f%% %8d  %s", 100*float64(totals[kind])/float64(count), totals[kind], kind)
		}
	}
	if count < historiesEnough {
		return
	}
	for kind, n := range totals {
		if rare := strings.HasPrefix(kind, "exception: "); !rare && uint64(n)*100 < count {
			t.Errorf("%s is in %d of %d histories: it must be in 1%% at least", kind, n, count)
		}
	}
}

// foundWithin is how many histories it may take to find that a row of the rules is switched off.
const foundWithin = 1000

// unreachable are the rows that the judge cannot find missing, because the others leave nothing to them.
var unreachable = map[string]string{
	"in progress":       "a reason asks for a failed or accomplished one",
	"unknown status":    "a reason asks for a failed or accomplished one",
	"last accomplished": "each reason asks for another accomplished one itself",
}

// TestHistoriesFindEachRule switches each row of the rules off, and looks for a history that shows it.
func TestHistoriesFindEachRule(t *testing.T) {
	_, count := histories()
	for _, row := range snapshot.Rows() {
		reason, known := unreachable[row]
		limit := uint64(foundWithin)
		if known && count < historiesEnough {
			limit = 25
		}
		var found *history
		runHistories(t, row, 1, limit, func(h *history) bool {
			if len(h.violations) > 0 && (found == nil || h.number < found.number) {
				found = h
			}
			return found == nil
		})
		switch {
		case found == nil && !known:
			t.Errorf("%q switched off: no history of %d shows it", row, limit)
		case found != nil && known:
			t.Errorf("%q switched off: history %d shows it, although %s: %s", row, found.number, reason, found.violations[0])
		case found != nil:
			t.Logf("%q switched off: history %d shows it: %s", row, found.number, found.violations[0])
		default:
			t.Logf("%q switched off: no history shows it: %s", row, reason)
		}
	}
}

// runHistories runs histories in parallel until one is refused by accept, and returns in how many of them each kind of
// event was.
func runHistories(t *testing.T, disabled string, first, count uint64, accept func(*history) bool) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	var next atomic.Uint64
	totals := make(map[string]int)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= count {
					return
				}
				h := playHistory(t, first+n, disabled)
				mu.Lock()
				for kind := range h.counts {
					totals[kind]++
				}
				if !accept(h) {
					next.Store(count)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return totals
}

// playHistory plays one history in a bubble of its own.
func playHistory(t *testing.T, number uint64, disabled string) (h *history) {
	trace := func(string, ...any) {}
	if _, count := histories(); count == 1 {
		trace = func(format string, args ...any) {
			fmt.Printf("%s %s\n", time.Now().Format("01-02T15:04:05.000"), fmt.Sprintf(format, args...))
		}
	}
	synctest.Test(t, func(t *testing.T) {
		h = newHistory(number, disabled, trace)
		for range 3 + h.rng.IntN(6) {
			h.mu.Lock()
			h.jump()
			h.episode()
			h.mu.Unlock()
			if len(h.violations) > 0 {
				return
			}
		}
		h.converge()
	})
	return h
}

// jump lets time pass between two episodes, in which nothing runs.
func (h *history) jump() {
	var d time.Duration
	switch p := h.rng.Float64(); {
	case p < 0.25:
		d = h.between(0, 2*time.Minute)
	case p < 0.40:
		d = h.between(2*time.Minute, 10*time.Minute)
	case p < 0.60:
		d = h.between(18*time.Minute, 45*time.Minute)
	case p < 0.85: // just before a time of a schedule
		target := pick(h, pick(h, h.deployments).judged)
		d = h.between(0, 90*time.Minute)
		for _, r := range target.Roles {
			if r.Times.Period > 0 {
				now := time.Now()
				d = max(0, r.Times.Latest(now).Add(r.Times.Period).Sub(now)-h.between(-time.Minute, 30*time.Second))
				break
			}
		}
	case p < 0.95:
		d = h.between(time.Hour, 2*day)
	default:
		d = h.between(6*day, 8*day)
	}
	h.pass(d)
	if h.chance(0.02) {
		disk := pick(h, h.disks)
		if h.sim.RemoveDisk(disk) == nil {
			h.trace("disk %s is removed", disk)
			h.gone[disk] = true
			h.count("disk removed")
		}
	}
	if h.chance(h.chaos.forget) {
		h.forget()
	}
}

// converge ends the faults and asks whether the sweeps bring the account to what the policies say, and then rest.
func (h *history) converge() {
	h.ended, h.direct = true, true
	h.chaos = chaos{}
	h.sim.ClearFaults()
	images := h.chance(0.5)
	for _, one := range h.sim.Snapshots() {
		if !images {
			h.sim.MakeImage(one.ID, "")
		}
		if one.Status == simulator.Progressing {
			h.sim.SetSnapshotStatus(one.ID, pick(h, []string{simulator.Accomplished, simulator.Failed}))
		}
	}
	for _, disk := range h.disks {
		h.sim.SetDiskStatus(disk, "In_Use")
	}
	h.calmTime()
	work := 0
	for _, d := range h.deployments {
		d.processes = nil
		if d.name != "green" { // it does the same work as blue
			work += d.judged.Work(h.state(nil, h.sim.Snapshots()))
		}
	}
	h.trace("the faults end; %d to do", work)
	for i := range work + 1 {
		h.sweepAll(i)
		time.Sleep(21 * time.Minute)
	}
	h.stillToDo(work)
	before := h.writes
	for i := range 20 {
		h.sweepAll(i)
		time.Sleep(10 * time.Minute)
	}
	if h.writes != before {
		h.violate("the sweeps write %d times after the account is as the policies say", h.writes-before)
	}
}

func (h *history) stillToDo(work int) {
	s := h.state(nil, h.sim.Snapshots())
	for _, d := range h.deployments {
		if open := d.judged.Open(s); len(open) > 0 {
			h.violate("%s has not done after %d sweeps without a fault: %s", d.name, work+1, strings.Join(open, ", "))
		}
	}
}

func (h *history) sweepAll(i int) {
	for _, d := range h.deployments {
		if i%5 == 0 {
			d.processes = nil
		}
		if len(d.processes) == 0 {
			d.processes = []*process{{deployment: d, instance: snapshot.NewInstance(0)}}
		}
		h.start(d.processes[0], "sweep", 0, sweepOnce)
	}
}

// calmFor is how long nothing ends and no schedule fires while a history converges: from 04:01 or 16:01 on.
const calmFor = 10*time.Hour + 50*time.Minute

// calmTime lets time pass until no schedule fires, no pin ends and no snapshot becomes 7 days old for a while, and for
// an hour at least: an attempt of the present hour may be used up.
func (h *history) calmTime() {
	now := time.Now()
	start := now.Truncate(day).Add(4*time.Hour + time.Minute)
	for start.Before(now.Add(time.Hour)) || !h.calm(start) {
		start = start.Add(12 * time.Hour)
	}
	time.Sleep(start.Sub(now))
}

func (h *history) calm(start time.Time) bool {
	ends := func(at time.Time) bool { return !at.Before(start) && at.Before(start.Add(calmFor)) }
	for _, one := range h.sim.Snapshots() {
		if ends(one.CreationTime.Add(7 * day)) {
			return false
		}
		for _, tag := range one.Tags {
			if until, err := time.Parse(time.DateOnly, tag.Value); err == nil && ends(until.AddDate(0, 0, 1)) {
				return false
			}
		}
	}
	return true
}

func sweepOnce(r *historyRun, s *snapshot.Service, ctx context.Context) {
	r.h.swept(r, s.Sweep(ctx, caller{r, "sweep-" + r.name}, snapshot.Tick{Time: time.Now()}))
}
