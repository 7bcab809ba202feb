package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// histories is how many random histories a test run plays; SNAPSHOT_HISTORIES asks for more, SNAPSHOT_SEED replays one
// and shows its trace.
const (
	histories    = 10_000
	perPolicy    = 25 // histories of one policy
	shards       = 4
	faultsPerMil = 120
)

// TestHistories plays random histories of ticks, deploys, sweeps, pins and dry runs over random policies and states,
// with faults, crashes between any two calls, doubled, reordered and interleaved deliveries, and clocks that jump.
// The invariants are checked at each call, inside the API.
func TestHistories(t *testing.T) {
	t.Parallel()
	if seed, err := strconv.Atoi(os.Getenv("SNAPSHOT_SEED")); err == nil {
		h := newHistory(t, seed)
		h.traced = true
		h.play()
		return
	}
	total := histories
	if raced {
		total /= 20
	}
	if more, err := strconv.Atoi(os.Getenv("SNAPSHOT_HISTORIES")); err == nil {
		total = more
	}
	var sums counts
	t.Cleanup(func() { t.Log(sums.String()) })
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			for seed := shard; seed < total && !t.Failed(); seed += shards {
				h := newHistory(t, seed)
				h.play()
				sums.add(h)
			}
		})
	}
}

// counts says what the histories did, so that a test that does nothing is seen.
type counts struct{ histories, calls, created, deleted, crashes, late atomic.Int64 }

func (c *counts) add(h *history) {
	c.histories.Add(1)
	c.calls.Add(int64(len(h.api.calls)))
	c.created.Add(int64(h.created))
	c.deleted.Add(int64(h.deleted))
	c.crashes.Add(int64(h.crashes))
	c.late.Add(int64(h.late))
}

func (c *counts) String() string {
	return fmt.Sprintf("%d histories: %d calls, %d snapshots taken, %d deleted, %d crashes; %d needed more than two sweeps",
		c.histories.Load(), c.calls.Load(), c.created.Load(), c.deleted.Load(), c.crashes.Load(), c.late.Load())
}

type history struct {
	testing.TB
	seed   int
	random *rand.Rand
	clock  *fakeClock
	skew   time.Duration // of the functions' clocks
	api    *fakeAPI
	policy Policy
	idle   []*Instance
	events []happening
	tokens map[string]string // of an event on a target
	good   map[string]bool   // disks that have had a good snapshot
	now    *process          // that makes the present call
	calm   bool              // the faults have ended
	traced bool

	created, deleted, crashes, late int
}

// happening is a business event that may be delivered more than once.
type happening struct {
	id    string
	tick  Tick
	order Order
}

// process is one invocation of a function. It stops before and after each API call, where another may go on or it may
// be killed.
type process struct {
	event    happening
	service  *Service
	next     func() (struct{}, bool)
	stop     func()
	deleted  map[string]bool // servers
	results  []Result
	finished bool
}

func newHistory(t testing.TB, seed int) *history {
	h := &history{
		TB: t, seed: seed, clock: newClock(), tokens: make(map[string]string), good: make(map[string]bool),
		random: rand.New(rand.NewPCG(uint64(seed/perPolicy), 1)),
	}
	h.api = newFake(h.clock)
	h.makePolicy()
	h.random = rand.New(rand.NewPCG(uint64(seed), 2))
	h.api.takes = func() (time.Duration, bool) {
		return time.Duration(10+h.random.IntN(20)) * time.Minute, !h.calm && h.random.IntN(12) == 0
	}
	h.api.fault = h.fault
	h.api.onDelete = h.onDelete
	h.api.onCreate = h.onCreate
	return h
}

// makePolicy makes up to three servers and the policy for their disks.
func (h *history) makePolicy() {
	roles := []string{"daily", "weekly", "deploy"}
	h.policy.RegionID = home
	h.policy.MaxEventAge = []time.Duration{0, 6 * time.Hour}[h.random.IntN(2)]
	for i := range 1 + h.random.IntN(3) {
		name := string(rune('a' + i))
		data := h.random.IntN(3) == 0
		h.api.server([]string{home, home, "cn-beijing"}[h.random.IntN(3)], name, data)
		left := SlotsPerServer
		for _, disk := range []string{"d-" + name, "d-" + name + "data"} {
			if h.api.disk(disk) == nil || len(h.policy.Targets) > 0 && h.random.IntN(8) == 0 {
				continue
			}
			target := Target{Name: "t" + disk[2:], DiskID: disk, RegionID: h.api.regionOf[disk], MaxAge: []time.Duration{0, 8 * time.Hour, 26 * time.Hour}[h.random.IntN(3)]}
			if !data && h.random.IntN(4) == 0 {
				target.DiskID, target.InstanceID = "", "i-"+name
			}
			for _, role := range roles {
				if n := h.random.IntN(left + 1); n > 0 && h.random.IntN(4) > 0 {
					target.Keep = append(target.Keep, Slots{role, n})
					left -= n
				}
			}
			h.policy.Targets = append(h.policy.Targets, target)
		}
	}
}

// furnish puts snapshots of all kinds on the servers.
func (h *history) furnish() {
	for range h.random.IntN(3*h.api.servers + 1) {
		disk := h.api.disks[h.random.IntN(len(h.api.disks))]
		one := Snapshot{
			DiskID: disk.ID, CreationTime: epoch.Add(-time.Duration(1+h.random.IntN(200)) * time.Hour),
			Status: []Status{Accomplished, Accomplished, Accomplished, Failed, "archived"}[h.random.IntN(5)],
		}
		if h.random.IntN(4) > 0 {
			role := []string{"daily", "weekly", "deploy", "manual"}[h.random.IntN(4)]
			one.Tags = []Tag{{TagToken, "sn1-old" + strconv.Itoa(h.random.Int())}, {TagMeta, role + "/timer/abcdefghijkl"}}
			if h.random.IntN(6) == 0 {
				one.Tags = append(one.Tags, Tag{TagKeep, []string{pinForever, "2027-01-01", "2026-01-01", "soon"}[h.random.IntN(4)]})
			}
		}
		if h.onServer(disk.InstanceID) < SlotsPerServer {
			h.api.put(one)
		}
	}
}

func (h *history) onServer(id string) (n int) {
	for _, one := range h.api.snapshots {
		if one.InstanceID == id || h.api.serverOf(one.DiskID) == id {
			n++
		}
	}
	return n
}

func (h *history) play() {
	defer func() {
		if h.Failed() {
			h.Logf("replay with SNAPSHOT_SEED=%d", h.seed)
		}
	}()
	h.furnish()
	for range 4 + h.random.IntN(12) {
		h.pass()
		h.run(h.deliveries())
		h.checkGood()
		if h.Failed() {
			return
		}
	}
	h.settle()
}

// pass lets time pass, mostly little, and sometimes sets the functions' clocks wrong or makes the API forget tokens.
func (h *history) pass() {
	h.clock.advance(time.Duration(h.random.Int64N(int64([]time.Duration{time.Minute, time.Hour, 14 * time.Hour}[h.random.IntN(3)]))))
	switch h.random.IntN(20) {
	case 0:
		h.skew = time.Duration(h.random.IntN(7200)-3600) * time.Second
	case 1:
		clear(h.api.tokens)
	case 2:
		h.pin()
	case 3:
		if disks := h.api.disks; len(disks) > 1 && h.random.IntN(4) == 0 {
			h.trace("disk %s goes", disks[0].ID)
			h.api.disks = slices.Clone(disks[1:])
		}
	}
}

// pin pins or unpins a snapshot, as somebody does over HTTP.
func (h *history) pin() {
	if len(h.api.snapshots) == 0 {
		return
	}
	id := h.api.snapshots[h.random.IntN(len(h.api.snapshots))].ID
	p := h.start(happening{id: "pin"}, func(ctx context.Context, s *Service) []Result {
		if h.random.IntN(2) == 0 {
			_, _ = s.Unpin(ctx, id, nil)
		} else {
			_, _ = s.Pin(ctx, id, "forever", nil)
		}
		return nil
	})
	h.run([]*process{p})
}

// deliveries starts one to three invocations at once: of new events and of old ones.
func (h *history) deliveries() []*process {
	var all []*process
	for range 1 + h.random.IntN(6)/4 + h.random.IntN(6)/5 {
		event := h.happen()
		if len(h.events) > 0 && h.random.IntN(3) == 0 {
			event = h.events[h.random.IntN(len(h.events))]
		}
		h.events = append(h.events, event)
		all = append(all, h.deliver(event))
		if h.random.IntN(8) == 0 {
			all = append(all, h.deliver(event))
		}
	}
	return all
}

func (h *history) happen() happening {
	now := h.clock.Now().Add(h.skew)
	id := strconv.Itoa(len(h.events))
	role := []string{"daily", "weekly", "deploy"}[h.random.IntN(3)]
	switch target := h.target(); {
	case h.random.IntN(3) == 0:
		return happening{id: "sweep" + id, tick: Tick{Sweep: true, Time: now}}
	case target == "" || h.random.IntN(2) == 0:
		return happening{id: "tick:" + role + now.Format(minuteForm), tick: Tick{Role: role, Time: now}}
	default:
		o := Order{Target: target, Role: role, Sender: "api", Key: id, ExplicitKey: h.random.IntN(2) == 0}
		o.MaxAge = []time.Duration{0, 0, time.Hour}[h.random.IntN(3)]
		o.DryRun = h.random.IntN(9) == 0
		if h.random.IntN(2) == 0 {
			o.Time = now
		}
		return happening{id: "order" + id, order: o}
	}
}

func (h *history) target() string {
	if len(h.policy.Targets) == 0 {
		return ""
	}
	return h.policy.Targets[h.random.IntN(len(h.policy.Targets))].Name
}

func (h *history) deliver(event happening) *process {
	return h.start(event, func(ctx context.Context, s *Service) []Result {
		if event.order.Key == "" {
			return s.Tick(ctx, event.tick)
		}
		return []Result{s.Take(ctx, event.order)}
	})
}

// start makes a process in a process of the function that is idle, or in a new one.
func (h *history) start(event happening, work func(context.Context, *Service) []Result) *process {
	instance := NewInstance([]int{0, 10}[h.random.IntN(2)])
	if n := len(h.idle); n > 0 && h.random.IntN(3) > 0 {
		instance, h.idle = h.idle[n-1], h.idle[:n-1]
	}
	p := &process{event: event, deleted: make(map[string]bool)}
	clock := skewed{h.clock, h.skew}
	p.service = &Service{Policy: h.policy, Instance: instance, Clock: clock, Rand: h.random.Float64}
	ctx := within(clock, time.Duration(10+h.random.IntN(170))*time.Second)
	h.trace("%s begins", event.id)
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if cause := recover(); cause != nil && cause != errCrash {
				panic(cause)
			}
		}()
		p.service.API = stepped{h.api, func() {
			if !yield(struct{}{}) {
				panic(errCrash)
			}
		}}
		p.results = work(ctx, p.service)
		p.finished = true
	})
	return p
}

// run lets processes go on in random turns until all have ended or were killed.
func (h *history) run(all []*process) {
	for len(all) > 0 {
		i := h.random.IntN(len(all))
		p := all[i]
		h.now = p
		if !h.calm && h.random.IntN(80) == 0 {
			h.trace("%s is killed", p.event.id)
			p.stop()
			h.crashes++
		} else if _, more := p.next(); more {
			continue
		}
		all = slices.Delete(all, i, i+1)
		if p.finished {
			h.idle = append(h.idle, p.service.Instance)
			h.checkResults(p)
		}
	}
}

var errCrash = errors.New("killed")

// stepped is the API as a process sees it: before and after each call, something else may happen.
type stepped struct {
	api  API
	step func()
}

func (s stepped) CreateSnapshot(ctx context.Context, request Request) (Created, error) {
	s.step()
	defer s.step()
	return s.api.CreateSnapshot(ctx, request)
}

func (s stepped) ListSnapshots(ctx context.Context, regionID string, page int) (SnapshotPage, error) {
	s.step()
	defer s.step()
	return s.api.ListSnapshots(ctx, regionID, page)
}

func (s stepped) ListDisks(ctx context.Context, regionID string, page int) (DiskPage, error) {
	s.step()
	defer s.step()
	return s.api.ListDisks(ctx, regionID, page)
}

func (s stepped) DeleteSnapshot(ctx context.Context, regionID, id, token string) error {
	s.step()
	defer s.step()
	return s.api.DeleteSnapshot(ctx, regionID, id, token)
}

func (s stepped) TagSnapshot(ctx context.Context, regionID, id string, tags []Tag) error {
	s.step()
	defer s.step()
	return s.api.TagSnapshot(ctx, regionID, id, tags)
}

func (h *history) fault(action string, _ int) fault {
	if h.calm || h.random.IntN(1000) >= faultsPerMil {
		return fault{}
	}
	kinds := []fault{
		lostBefore, lostAfter, lostAfter, throttled, {code: CodeInternalError}, {code: CodeInternalError, effect: true}, {code: CodeUnavailable},
		emptyAfter, {code: CodeForbiddenRAM},
	}
	wrong := kinds[h.random.IntN(len(kinds))]
	if action != create && wrong.code == CodeEmptyAnswer {
		wrong = lostAfter
	}
	h.trace("  %s: fault %+v", action, wrong)
	return wrong
}

func (h *history) trace(format string, arguments ...any) {
	if h.traced {
		h.Logf("%s "+format, append([]any{h.clock.Now().Format("02T15:04:05")}, arguments...)...)
	}
}
