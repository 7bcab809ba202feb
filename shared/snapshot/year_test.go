package snapshot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// year is a simulated year of one target: what its timers and pipelines want, and what became of it.
type year struct {
	*world
	random  *rand.Rand
	ended   map[string]int // orders by role and outcome
	stale   time.Duration  // time without a good snapshot younger than maxAge
	longest int            // sweeps in a row that left the target over its policy
	over    int
}

// due is one invocation to come; a function error is delivered again, as the platforms do.
type due struct {
	at    time.Time
	tick  Tick
	order Order
}

// timetable returns what a year has before the day: 365 daily ticks, 52 weekly ones and 200 deploys at random times, in their
// order, where the policy keeps the role.
func (y *year) timetable(day int) []due {
	var all []due
	keeps := func(role string) bool { _, ok := y.Policy.Targets[0].slots(role); return ok }
	for day := range 365 {
		at := epoch.AddDate(0, 0, day)
		if keeps("daily") {
			all = append(all, due{at: at, tick: Tick{Role: "daily", Time: at}})
		}
		if week := at.Add(12 * time.Hour); day%7 == 0 && day < 364 && keeps("weekly") {
			all = append(all, due{at: week, tick: Tick{Role: "weekly", Time: week}})
		}
	}
	for i := range 200 {
		if at := epoch.Add(time.Duration(y.random.Int64N(int64(365 * 24 * time.Hour)))); keeps("deploy") {
			o := order("deploy", fmt.Sprintf("deployment:%d", i))
			o.Time = at
			all = append(all, due{at: at, order: o})
		}
	}
	end := epoch.AddDate(0, 0, day)
	all = slices.DeleteFunc(all, func(d due) bool { return !d.at.Before(end) })
	slices.SortFunc(all, func(a, b due) int { return a.at.Compare(b.at) })
	return all
}

// deliver runs one invocation, and again after a function error: three times, a minute apart at first.
func (y *year) deliver(d due) {
	role, last := d.tick.Role+d.order.Role, Result{}
	for wait := time.Minute; ; wait *= 2 {
		ctx := within(y.clock, time.Minute)
		if d.order.Key != "" {
			last = y.Take(ctx, d.order)
		} else {
			last = y.Tick(ctx, d.tick)[0]
		}
		if last.Error == nil || wait > 2*time.Minute {
			break
		}
		y.clock.advance(wait)
	}
	y.ended[role+" "+string(last.Outcome)]++
	if last.Error != nil && last.Outcome != OutcomeBlocked {
		y.ended[role+" failed: "+last.Error.Code]++
	}
}

// sweep is one of the sweeps that run every 10 minutes.
func (y *year) sweep(t *testing.T) {
	got := sweepOnce(y.world)[0]
	y.ended["sweep "+string(got.Outcome)]++
	good := y.api.good(diskID)
	if len(good) == 0 || y.clock.Now().Sub(good[0].CreationTime) >= y.Policy.Targets[0].MaxAge {
		y.stale += 10 * time.Minute
	}
	if n := len(y.api.state()); n > SlotsPerServer {
		t.Fatalf("%d snapshots", n)
	}
	y.over++
	if len(y.excess()) == 0 {
		y.over = 0
	}
	y.longest = max(y.longest, y.over)
}

// excess returns the roles that have more good snapshots than slots, beside the newest good one.
func (y *year) excess() (roles []string) {
	held := make(map[string]int)
	for i, one := range y.api.good(diskID) {
		count, _ := y.Policy.Targets[0].slots(one.role())
		if held[one.role()]++; held[one.role()] > count && i > 0 {
			roles = append(roles, one.role())
		}
	}
	return roles
}

// TestYear lives through a year with 1% of all calls failing. Every policy must end in exactly its slots. One whose roles
// fill all three slots with one each lives too, but a role whose only snapshot is the newest good one cannot
// rotate at a full server: it is blocked until another role has taken one.
func TestYear(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		keep    []Slots
		blocked bool // some orders are
	}{
		"daily 1, weekly 1":           {[]Slots{{"daily", 1}, {"weekly", 1}}, false},
		"daily 3":                     {[]Slots{{"daily", 3}}, false},
		"daily 2, deploy 1":           {[]Slots{{"daily", 2}, {"deploy", 1}}, true},
		"daily 1, weekly 1, deploy 1": {[]Slots{{"daily", 1}, {"weekly", 1}, {"deploy", 1}}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days := 365
			if raced {
				days = 30
			}
			y := &year{world: newWorld(c.keep...), random: rand.New(rand.NewPCG(2026, 1)), ended: make(map[string]int)}
			y.Instance = NewInstance(10)
			y.Tell = func(context.Context, Notification) {}
			y.api.perMin, y.api.latency = 10, 120*time.Millisecond
			y.api.takes = func() (time.Duration, bool) {
				return time.Duration(10+y.random.IntN(20)) * time.Minute, y.random.IntN(100) == 0
			}
			codes := []fault{lostAfter, lostBefore, throttled, {code: CodeInternalError}, {code: CodeUnavailable}}
			y.api.fault = func(string, int) fault {
				if y.random.IntN(100) > 0 {
					return fault{}
				}
				return codes[y.random.IntN(len(codes))]
			}
			calls := 0
			next := epoch.Add(5 * time.Minute)
			for _, d := range append(y.timetable(days), due{at: epoch.AddDate(0, 0, days).Add(-time.Minute)}) {
				for ; next.Before(d.at); next = next.Add(10 * time.Minute) {
					y.clock.advance(max(0, next.Sub(y.clock.Now())))
					y.sweep(t)
					calls, y.api.calls = calls+len(y.api.calls), nil
				}
				if y.clock.advance(max(0, d.at.Sub(y.clock.Now()))); d.order.Key+d.tick.Role != "" {
					y.deliver(d)
				}
			}
			// A deploy may have ended the year; what it left over goes once it is good.
			for range 6 {
				y.clock.advance(10 * time.Minute)
				y.sweep(t)
			}
			for _, slots := range c.keep {
				n := 0
				for _, one := range y.api.good(diskID) {
					if one.role() == slots.Role {
						n++
					}
				}
				if n != slots.Count {
					t.Errorf("%d %s snapshots at the end, want %d", n, slots.Role, slots.Count)
				}
			}
			blocked := y.ended["daily blocked"] + y.ended["weekly blocked"] + y.ended["deploy blocked"]
			if (blocked > 0) != c.blocked {
				t.Errorf("%d orders were blocked", blocked)
			}
			if most := 24 * time.Hour; y.stale > most && len(c.keep) < SlotsPerServer {
				t.Errorf("stale for %s, more than %s of the year", y.stale, most)
			}
			if y.longest > 6 {
				t.Errorf("the target was over its policy for %d sweeps in a row", y.longest)
			}
			t.Logf("%d calls; stale for %s; over its policy for %d sweeps at most; %v", calls, y.stale, y.longest, y.ended)
		})
	}
}
