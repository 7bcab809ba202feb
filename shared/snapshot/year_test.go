package snapshot_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/judge"
	"swas-snapshot/shared/snapshot"
)

// yearVar set to 1 simulates a year of each policy; by default it is four weeks.
const yearVar = "SNAPSHOT_YEAR"

// pollEvery is how often the gate of a deployment repeats its order.
const pollEvery = 30 * time.Second

// A yearCase is a policy, and what is ordered beside its schedules.
type yearCase struct {
	name    string
	servers int
	disks   int // of each server
	keep    []judge.Role
	orders  []string // roles that are ordered from outside; none: the schedule alone takes
	bursts  bool     // orders come in bursts, too

	within       time.Duration // of its time each scheduled snapshot starts
	wait         time.Duration // of an order, at most
	gate         time.Duration // how long a deployment repeats its order
	apart        time.Duration // by which the times of the servers differ
	replacements bool          // are part of the policy
}

var (
	yearDaily  = judge.Role{Name: "daily", Count: 1, Times: judge.Times{Period: day, Offset: 3 * time.Hour}}
	yearDaily2 = judge.Role{Name: "daily", Count: 2, Times: judge.Times{Period: day, Offset: 3 * time.Hour}}
	yearWeekly = judge.Role{Name: "weekly", Count: 1, Times: judge.Times{Period: 7 * day, Offset: day + 4*time.Hour}}
	yearDeploy = judge.Role{Name: "deploy", Count: 1}
)

// oneSnapshotAndSweep is the longest wait of a deployment: a snapshot, a sweep, a poll, and the retries of failed calls.
const oneSnapshotAndSweep = 20*time.Minute + 10*time.Minute + pollEvery + time.Minute

var yearCases = []yearCase{
	{name: "daily 1, deploy 1", servers: 1, disks: 1, keep: []judge.Role{yearDaily, yearDeploy}, orders: []string{"deploy"}, bursts: true,
		within: time.Hour, wait: oneSnapshotAndSweep, gate: 45 * time.Minute},
	{name: "daily 1, weekly 1, with orders", servers: 1, disks: 1, keep: []judge.Role{yearDaily, yearWeekly}, orders: []string{"daily", "weekly"}, bursts: true,
		within: time.Hour, wait: oneSnapshotAndSweep, gate: 45 * time.Minute},
	{name: "daily 1, weekly 1, schedule alone", servers: 1, disks: 1, keep: []judge.Role{yearDaily, yearWeekly}, within: time.Hour},
	{name: "daily 2, weekly 1, schedule alone", servers: 1, disks: 1, keep: []judge.Role{yearDaily2, yearWeekly}, within: time.Hour, replacements: true},
	{name: "two disks, daily 1 each", servers: 1, disks: 2, keep: []judge.Role{yearDaily}, within: time.Hour},
	{name: "five servers", servers: 5, disks: 1, keep: []judge.Role{yearDaily, yearDeploy}, orders: []string{"deploy"}, bursts: true,
		within: time.Hour, wait: oneSnapshotAndSweep, gate: 45 * time.Minute},
	{name: "six servers, dailies apart", servers: 6, disks: 1, keep: []judge.Role{yearDaily, yearDeploy}, orders: []string{"deploy"}, bursts: true,
		apart: 30 * time.Minute, within: time.Hour, wait: oneSnapshotAndSweep, gate: 45 * time.Minute},
	// Six dailies of one minute occupy the account's three free slots twice.
	{name: "six servers, dailies at once", servers: 6, disks: 1, keep: []judge.Role{yearDaily, yearDeploy}, orders: []string{"deploy"}, bursts: true,
		within: time.Hour, wait: oneSnapshotAndSweep + 20*time.Minute, gate: 60 * time.Minute},
	{name: "seven servers, orders at random", servers: 7, disks: 1, keep: []judge.Role{yearDaily, yearDeploy}, orders: []string{"deploy"},
		within: 5 * time.Hour, wait: 4 * time.Hour, gate: 4 * time.Hour},
	{name: "seven servers, orders in bursts", servers: 7, disks: 1, keep: []judge.Role{yearDaily, yearDeploy}, orders: []string{"deploy"}, bursts: true,
		within: 7 * time.Hour, wait: 4 * time.Hour, gate: 4 * time.Hour},
}

// TestYear simulates a year of sweeps every 10 minutes and 1,000 deployments, with 1% of the calls failing.
func TestYear(t *testing.T) {
	days := 28
	if os.Getenv(yearVar) != "" {
		days = 365
	}
	for _, c := range yearCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newYear(t, c, days).play() })
		})
	}
}

// year is one of them, as it goes on.
type year struct {
	yearCase
	t       *testing.T
	days    int
	sim     *simulator.Simulator
	policy  snapshot.Policy
	sweeper *snapshot.Instance
	judged  judge.Policy
	begin   time.Time

	mu       sync.Mutex
	rng      *rand.Rand
	run      *judge.Run
	started  map[string][]time.Time // by disk and role: the snapshots that were begun
	seen     map[string]bool
	waits    []time.Duration
	unserved int
	blocked  int
	deleted  map[judge.Reason]int
	calls    int
	failed   int
}

func newYear(t *testing.T, c yearCase, days int) *year {
	time.Sleep(9*day + time.Hour)
	y := &year{yearCase: c, t: t, days: days, sweeper: snapshot.NewInstance(0), begin: time.Now(), rng: rand.New(rand.NewPCG(1, 2)),
		started: make(map[string][]time.Time), seen: make(map[string]bool), deleted: make(map[judge.Reason]int)}
	config := simulator.Config{Duration: 20 * time.Minute, CallsPerMinute: simulator.Unlimited, KeepCalls: -1, OnDelete: y.onDelete,
		Credentials: []simulator.Credential{{AccessKeyID: "take", Actions: simulator.TakeActions}, {AccessKeyID: "sweep", Actions: simulator.SweepActions}}}
	y.policy = snapshot.Policy{RegionID: region, MaxEventAge: c.gate}
	for i := range c.servers {
		server := simulator.Instance{ID: fmt.Sprint("i-", i), RegionID: region}
		for k := range c.disks {
			disk := fmt.Sprintf("d-%d%c", i, 'a'+k)
			server.Disks = append(server.Disks, simulator.Disk{ID: disk})
			roles := slices.Clone(c.keep)
			for n := range roles {
				roles[n].Times.Offset += time.Duration(i) * c.apart
			}
			target := snapshot.Target{Name: fmt.Sprintf("web-%d%c", i, 'a'+k), DiskID: disk}
			for _, r := range roles {
				s := snapshot.Slots{Role: r.Name, Count: r.Count}
				if r.Times.Period > 0 {
					s.Schedule = every{r.Times.Period, r.Times.Offset}
				}
				target.Keep = append(target.Keep, s)
			}
			y.policy.Targets = append(y.policy.Targets, target)
			y.judged = append(y.judged, judge.Target{Name: target.Name, Disk: disk, Server: server.ID, Region: region, Roles: roles})
		}
		config.Instances = append(config.Instances, server)
	}
	y.sim = simulator.New(config)
	return y
}

func (y *year) onDelete(_ string, victim simulator.Snapshot, others []simulator.Snapshot) {
	s := judge.State{At: time.Now(), Sent: time.Now(), Snapshots: others, Limit: min(3*y.servers, simulator.SnapshotsPerAccount)}
	reason, err := y.run.Deleted(y.judged, s, victim)
	if err != nil {
		y.t.Errorf("%s: deleted %s: %v", time.Now(), victim.Name, err)
	}
	y.deleted[reason]++
}

// Do makes a call, of which one in a hundred fails.
func (y *year) Do(ctx context.Context, key, action string, params map[string]string) simulator.Reply {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.calls++
	lost, effect := simulator.Reply{Lost: true}, true
	fails := y.rng.IntN(100) == 0
	if fails {
		y.failed++
		switch y.rng.IntN(4) {
		case 0:
			effect = false
		case 1:
			lost, effect = simulator.Reply{Status: 400, Code: "Throttling.User"}, false
		case 2:
			lost, effect = simulator.Reply{Status: 503, Code: snapshot.CodeUnavailable}, false
		}
	}
	var reply simulator.Reply
	if effect {
		reply = y.sim.Do(ctx, key, action, params)
	}
	if id := reply.SnapshotID; id != "" && !y.seen[id] {
		y.seen[id] = true
		at := params["DiskId"] + roleOf(params)
		y.started[at] = append(y.started[at], time.Now())
	}
	if fails {
		return lost
	}
	return reply
}

func (y *year) service(instance *snapshot.Instance, key string) *snapshot.Service {
	return &snapshot.Service{API: caller{y, key}, Policy: y.policy, Instance: instance}
}

// play sweeps every ten minutes, and lets the deployments come.
func (y *year) play() {
	end := y.begin.Add(time.Duration(y.days) * day)
	var gates sync.WaitGroup
	orders := 1000 * y.days / 365
	for n := 0; len(y.orders) > 0 && n < orders; {
		at, target, burst := time.Duration(y.rng.Int64N(int64(y.days)*int64(day)-int64(6*time.Hour))), pickOf(y.rng, y.policy.Targets), 1
		if y.bursts && y.rng.IntN(3) == 0 {
			burst = 2 + y.rng.IntN(5)
		}
		for range min(burst, orders-n) {
			if y.servers > 1 {
				target = pickOf(y.rng, y.policy.Targets)
			}
			o := snapshot.Order{Target: target.Name, Role: pickOf(y.rng, y.orders), Sender: "api", Key: fmt.Sprint("deployment:", n), Repeated: true}
			start := at + time.Duration(y.rng.Int64N(int64(15*time.Minute)))
			gates.Go(func() { y.gateOf(o, start) })
			n++
		}
	}
	for n := 0; time.Now().Before(end); n++ {
		y.mu.Lock()
		jitter := time.Duration(y.rng.Int64N(int64(5 * time.Second)))
		y.mu.Unlock()
		time.Sleep(time.Until(time.Now().Truncate(10 * time.Minute).Add(10*time.Minute + jitter)))
		y.sweep()
	}
	gates.Wait()
	y.report()
}

func pickOf[T any](rng *rand.Rand, all []T) T { return all[rng.IntN(len(all))] }

func (y *year) sweep() {
	y.mu.Lock()
	y.run = new(judge.Run)
	y.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, result := range y.service(y.sweeper, "sweep").Sweep(ctx, caller{y, "sweep"}, snapshot.Tick{Time: time.Now()}) {
		if result.Outcome == snapshot.OutcomeBlocked {
			y.blocked++
			y.t.Logf("%s: %s of %s is blocked: %v", time.Now(), result.Role, result.Target, result.Error)
		}
	}
}

// gateOf is a deployment: it repeats its order until it is done.
func (y *year) gateOf(o snapshot.Order, start time.Duration) {
	time.Sleep(start)
	o.Time = time.Now()
	for time.Since(o.Time) < y.gate {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		result := y.service(snapshot.NewInstance(0), "take").Take(ctx, o)
		cancel()
		if result.Error == nil {
			y.mu.Lock()
			y.waits = append(y.waits, time.Since(o.Time))
			y.mu.Unlock()
			return
		}
		if !result.Error.Retryable {
			y.t.Errorf("%s: deployment %s is refused: %v", time.Now(), o.Key, result.Error)
			break
		}
		time.Sleep(pollEvery)
	}
	y.mu.Lock()
	y.unserved++
	y.mu.Unlock()
}

// report compares what happened with what was promised.
func (y *year) report() {
	var line strings.Builder
	fmt.Fprintf(&line, "%d days, %d calls, %d failed", y.days, y.calls, y.failed)
	for _, r := range y.keep {
		if r.Times.Period == 0 {
			continue
		}
		var delays []time.Duration
		missing := 0
		for _, t := range y.judged {
			r := t.Roles[slices.IndexFunc(t.Roles, func(other judge.Role) bool { return other.Name == r.Name })]
			began := y.started[t.Disk+r.Name]
			slices.SortFunc(began, time.Time.Compare)
			last := r.Times.Latest(y.begin.Add(time.Duration(y.days)*day - 8*time.Hour))
			for at := r.Times.Latest(y.begin).Add(r.Times.Period); !at.After(last); at = at.Add(r.Times.Period) {
				i, _ := slices.BinarySearchFunc(began, at, time.Time.Compare)
				if i == len(began) || !began[i].Before(at.Add(r.Times.Period)) {
					missing++
					continue
				}
				delays = append(delays, began[i].Sub(at))
			}
		}
		worst, median := worstAndMedian(delays)
		fmt.Fprintf(&line, "; %s: %d taken, %d missing, delay %s worst, %s median", r.Name, len(delays), missing, worst, median)
		if missing > 0 || worst > y.within {
			y.t.Errorf("%s: %d missing, worst delay %s: want none, and at most %s", r.Name, missing, worst, y.within)
		}
	}
	worst, median := worstAndMedian(y.waits)
	replaced := y.deleted[judge.Replacement] + y.deleted[judge.AccountReplacement]
	fmt.Fprintf(&line, "; %d blocked; %d replaced (%d for the account), %d surplus", y.blocked, replaced,
		y.deleted[judge.AccountReplacement], y.deleted[judge.Surplus])
	if len(y.orders) > 0 {
		fmt.Fprintf(&line, "; %d deployments, wait %s worst, %s median, %d waited, %d not served in %s", len(y.waits), worst, median,
			len(y.waits)-count(y.waits, func(d time.Duration) bool { return d < pollEvery }), y.unserved, y.gate)
	}
	y.t.Log(line.String())
	if y.blocked > 0 {
		y.t.Errorf("%d times a scheduled snapshot was blocked: want none", y.blocked)
	}
	if replaced > 0 && !y.replacements {
		y.t.Errorf("%d snapshots were replaced: want none", replaced)
	}
	if worst > y.wait || y.unserved > 0 {
		y.t.Errorf("a deployment waited %s, and %d were not served: want at most %s, and none", worst, y.unserved, y.wait)
	}
}

func worstAndMedian(all []time.Duration) (worst, median time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)-1].Round(time.Second), all[len(all)/2].Round(time.Second)
}

func count[T any](all []T, match func(T) bool) int {
	n := 0
	for _, one := range all {
		if match(one) {
			n++
		}
	}
	return n
}
