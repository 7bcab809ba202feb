package snapshot_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/judge"
	"swas-snapshot/shared/snapshot"
)

// A history is one simulated account with everything that happens to it, chosen at random from a number. Each API call
// of each run is parked first; one goroutine chooses which goes on, what becomes of it, what an operator does in between
// and how much time passes. So runs are interleaved at every call, and the same number gives the same history.

// history is one of them.
type history struct {
	number   uint64
	rng      *rand.Rand
	disabled string // row of rules.go that is switched off
	trace    func(format string, args ...any)

	sim         *simulator.Simulator
	limit       int
	deployments []*deployment
	disks       []string // of all targets
	orders      []*delivery
	again       []*delivery // are delivered to new processes next

	queue   chan *apiCall // parked calls, and ends of runs
	parked  []*apiCall
	active  int
	runs    int
	current *apiCall   // takes its effect now; nil: the operator's
	direct  bool       // calls are not parked: the faults have ended
	mu      sync.Mutex // held by whichever goroutine of the history goes on

	chaos    chaos
	ended    bool // faults
	writes   int  // effective ones
	events   map[string]*judge.Event
	known    map[string]string    // disk of each snapshot that there ever was
	deleted  map[string]time.Time // when it was deleted
	creator  map[string]*process
	refusals map[string]finalRefusal // of orders, for good, by token
	attempts map[string][]time.Time  // of a due role and its time
	removed  []removed
	touched  map[string]time.Time // when an operator last tagged it
	gone     map[string]bool      // disks
	noDate   map[string]bool
	forgot   time.Time // when the tokens were last forgotten

	counts     map[string]int
	violations []string
}

type removed struct {
	simulator.Snapshot
	at time.Time
	by *historyRun // nil: an operator
}

type finalRefusal struct {
	by *process
	at time.Time
}

// chaos is how much goes wrong in a history.
type chaos struct {
	faults   float64 // of the calls, so many fail
	crashes  float64
	operator float64 // actions for each step
	lag      float64 // of the snapshots that a late list may show wrongly, so many are
	maxLag   time.Duration
	freeze   float64
	skew     time.Duration // of the clocks, at most
	forget   float64
}

// deployment is one deployment of the project.
type deployment struct {
	name      string
	policy    snapshot.Policy
	judged    judge.Policy
	processes []*process
}

// process is one process of a function of a deployment.
type process struct {
	*deployment
	instance *snapshot.Instance
	skew     time.Duration
	dead     bool
}

// historyRun is one invocation.
type historyRun struct {
	*process
	h        *history
	id       int
	kind     string
	sweeps   bool
	delivery *delivery
	asked    string // role of the tick
	judged   judge.Run
	lists    map[string]map[string]bool // by region: what the latest list showed
	calls    int
	freeze   time.Duration
	random   float64
	began    time.Time
	done     bool
}

// delivery is an order, as it is delivered again and again.
type delivery struct {
	*deployment
	order snapshot.Order
	token string
	last  *process
}

// apiCall is a call that is parked, or the end of a run.
type apiCall struct {
	run       *historyRun
	key       string
	action    string
	params    map[string]string
	sent      time.Time
	done      chan struct{}
	reply     simulator.Reply
	abandoned bool // its caller waits no longer; it may arrive all the same
	attempted bool // it was judged; a copy of it may arrive later
	end       bool
}

func (h *history) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	h.trace("VIOLATION %s", text)
	h.violations = append(h.violations, text)
}

func (h *history) count(what string) { h.counts[what]++ }

func (h *history) chance(p float64) bool { return p > 0 && h.rng.Float64() < p }

// between returns a random duration.
func (h *history) between(low, high time.Duration) time.Duration {
	return low + time.Duration(h.rng.Int64N(int64(high-low)+1))
}

func pick[T any](h *history, all []T) T { return all[h.rng.IntN(len(all))] }

// Do parks a call until the history lets it go on.
func (r *historyRun) Do(ctx context.Context, key, action string, params map[string]string) simulator.Reply {
	r.exitIfDead()
	c := &apiCall{run: r, key: key, action: action, params: params, sent: time.Now(), done: make(chan struct{})}
	if r.h.direct {
		r.h.mu.Lock()
		defer r.h.mu.Unlock()
		if r.calls++; r.calls > callsMax {
			panic(tooManyCalls) // in the goroutine of the history: it must not end
		}
		r.h.attempted(c)
		return r.h.effect(c)
	}
	r.h.queue <- c
	select {
	case <-c.done:
	case <-ctx.Done():
		r.h.mu.Lock()
		c.abandoned = true
		c.reply = simulator.Reply{Lost: true}
		r.h.mu.Unlock()
	}
	r.exitIfDead()
	return c.reply
}

// exitIfDead ends the goroutine of a run whose process was killed.
func (r *historyRun) exitIfDead() {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	if r.dead {
		runtime.Goexit()
	}
}

// thawed returns how long the process was frozen since it last looked at the clock.
func (r *historyRun) thawed() time.Duration {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	wait := r.freeze
	r.freeze = 0
	return wait
}

// start starts a run after a while.
func (h *history) start(p *process, kind string, after time.Duration, do func(*historyRun, *snapshot.Service, context.Context)) {
	h.runs++
	r := &historyRun{process: p, h: h, id: h.runs, kind: kind, lists: make(map[string]map[string]bool), random: h.rng.Float64()}
	role := "take-"
	if kind == "sweep" {
		role, r.sweeps = "sweep-", true
	}
	s := &snapshot.Service{
		API: caller{r, role + p.name}, Policy: p.policy, Instance: p.instance,
		Rand: func() float64 { return r.random },
		Now: func() time.Time {
			time.Sleep(r.thawed())
			return time.Now().Add(p.skew)
		},
	}
	snapshot.Disable(s, h.disabled)
	h.active++
	h.trace("run %d: %s of %s by process %p, skew %s", r.id, kind, p.name, p, p.skew)
	timeout := pick(h, []time.Duration{15 * time.Second, time.Minute})
	if r.sweeps {
		timeout = 2 * time.Minute
	}
	body := func() {
		defer func() {
			value := recover()
			h.mu.Lock()
			switch value {
			case nil:
			case tooManyCalls:
				h.violate("run %d: %s", r.id, tooManyCalls)
			default:
				h.violate("run %d: panic: %v\n%s", r.id, value, debug.Stack())
			}
			h.mu.Unlock()
			if !h.direct {
				h.queue <- &apiCall{run: r, end: true}
			}
		}()
		time.Sleep(after)
		r.began = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		do(r, s, ctx)
		r.done = true
	}
	if h.direct {
		body()
		h.finish(r)
		return
	}
	go body()
}

func (h *history) finish(r *historyRun) {
	h.active--
	if r.done && !r.dead {
		if err := r.judged.End(); err != nil && h.chaos.faults == 0 {
			h.violate("run %d: %v", r.id, err)
		}
	}
}

// idle lets the runs go on while the history waits.
func (h *history) idle(wait func()) {
	h.mu.Unlock()
	defer h.mu.Lock()
	wait()
}

// await waits for a call, or for the end of a run.
func (h *history) await() {
	h.idle(func() { h.parked = append(h.parked, <-h.queue) })
}

// collect waits until every run is parked or sleeps, and takes what was parked.
func (h *history) collect() {
	h.idle(synctest.Wait)
	for {
		select {
		case c := <-h.queue:
			h.parked = append(h.parked, c)
			continue
		default:
		}
		break
	}
	h.parked = slices.DeleteFunc(h.parked, func(c *apiCall) bool {
		if c.end {
			h.finish(c.run)
		}
		return c.end
	})
	slices.SortStableFunc(h.parked, func(a, b *apiCall) int {
		return cmp.Or(cmp.Compare(a.run.id, b.run.id), a.sent.Compare(b.sent), strings.Compare(a.action, b.action),
			strings.Compare(a.params["RegionId"], b.params["RegionId"]), strings.Compare(a.params["DiskId"], b.params["DiskId"]))
	})
}

const (
	stepsMax = 3000
	callsMax = 300 // of a run

	tooManyCalls = "it makes more than 300 calls"
)

// play lets everything that was started run to its end.
func (h *history) play() {
	for range stepsMax {
		h.collect()
		switch {
		case len(h.parked) == 0 && h.active == 0:
			return
		case len(h.parked) == 0:
			h.await()
			continue
		case h.chance(h.chaos.operator):
			h.operate()
			continue
		}
		if i := slices.IndexFunc(h.parked, late); i >= 0 {
			h.take(i)
			continue
		}
		switch p := h.rng.Float64(); {
		case p < 0.70:
		case p < 0.94:
			h.pass(h.between(time.Millisecond, 400*time.Millisecond))
			continue
		case slices.ContainsFunc(h.parked, func(c *apiCall) bool { return c.action == "DeleteSnapshot" }):
			h.pass(h.between(0, 400*time.Millisecond))
			continue
		case p < 0.99:
			h.pass(h.between(400*time.Millisecond, 5*time.Second))
			continue
		default:
			h.pass(h.between(5*time.Second, 40*time.Second))
			continue
		}
		h.take(h.rng.IntN(len(h.parked)))
	}
	h.violate("the runs do not end: %d are active, %d calls parked", h.active, len(h.parked))
	for h.active > 0 {
		for _, d := range h.deployments {
			for _, p := range d.processes {
				p.dead = true
			}
		}
		for _, c := range h.parked {
			h.answer(c, simulator.Reply{Lost: true})
		}
		h.parked = nil
		h.collect()
		if len(h.parked) == 0 && h.active > 0 {
			h.await()
		}
	}
}

// late reports whether a call must be served before time passes: a deletion arrives within about a second, and what its
// caller has given up within a minute.
func late(c *apiCall) bool {
	return c.action == "DeleteSnapshot" && time.Since(c.sent) > 200*time.Millisecond || c.abandoned && time.Since(c.sent) > 15*time.Second
}

func (h *history) take(i int) {
	c := h.parked[i]
	h.parked = slices.Delete(h.parked, i, i+1)
	h.serve(c)
}

func (h *history) pass(d time.Duration) {
	h.trace("%s pass", d)
	h.idle(func() { time.Sleep(d) })
}

func (h *history) answer(c *apiCall, reply simulator.Reply) {
	if !c.abandoned {
		c.reply = reply
		close(c.done)
	}
}

// serve decides what becomes of a parked call.
func (h *history) serve(c *apiCall) {
	r := c.run
	if r.dead && !c.abandoned {
		h.answer(c, simulator.Reply{Lost: true})
		return
	}
	h.attempted(c)
	if r.calls++; r.calls > callsMax {
		h.violate("run %d: %s", r.id, tooManyCalls)
		h.kill(c)
		return
	}
	switch {
	case c.abandoned:
		if h.chance(0.5) {
			h.trace("run %d: %s arrives late", r.id, c.action)
			h.effect(c)
			h.count("late arrival")
		}
	case h.chance(h.chaos.crashes):
		effect := h.chance(0.5)
		if effect {
			h.effect(c)
		}
		h.trace("run %d: killed at %s (effect %t)", r.id, c.action, effect)
		h.count("kill at " + c.action)
		h.kill(c)
	case h.chance(h.chaos.faults):
		h.fail(c)
	default:
		h.answer(c, h.effect(c))
	}
}

// attempted judges a call, whatever becomes of it.
func (h *history) attempted(c *apiCall) {
	if c.action == "CreateSnapshot" && !c.attempted {
		c.attempted = true
		if err := c.run.judged.Create(c.params["RegionId"], c.params["DiskId"], roleOf(c.params)); err != nil {
			h.violate("run %d: %v", c.run.id, err)
		}
	}
}

// fail lets a call fail.
func (h *history) fail(c *apiCall) {
	reply := simulator.Reply{Lost: true}
	effect := false
	switch h.rng.IntN(8) {
	case 0, 1:
		effect = true
		h.count("answer lost")
	case 2:
		h.count("call lost")
		if c.action == "CreateSnapshot" || c.action == "TagResources" { // it may arrive after the next one
			again := *c
			again.abandoned = true
			h.parked = append(h.parked, &again)
		}
	case 3:
		reply = simulator.Reply{Status: 500, Code: snapshot.CodeInternalError}
		effect = h.chance(0.5)
		h.count("internal error")
	case 4, 5:
		reply = simulator.Reply{Status: 400, Code: "Throttling.User"}
		h.count("throttling")
	case 6:
		reply = simulator.Reply{Status: 503, Code: snapshot.CodeUnavailable}
		h.count("unavailable")
	default:
		h.count("no answer in time") // the caller gives up
		if h.chance(0.5) {
			h.effect(c)
		}
		return
	}
	if effect {
		h.effect(c)
	}
	h.trace("run %d: %s fails: %s (effect %t)", c.run.id, c.action, cmp.Or(reply.Code, "lost"), effect)
	h.answer(c, reply)
}

// kill kills the process of a call.
func (h *history) kill(c *apiCall) {
	c.run.process.dead = true
	h.answer(c, simulator.Reply{Lost: true})
	h.parked = slices.DeleteFunc(h.parked, func(other *apiCall) bool {
		if other.run.process != c.run.process || other.abandoned || other.end {
			return false
		}
		if h.chance(0.5) {
			h.effect(other)
		}
		h.answer(other, simulator.Reply{Lost: true})
		return true
	})
}

// state is the account as it truly is, for the judge of a call.
func (h *history) state(c *apiCall, all []simulator.Snapshot) judge.State {
	s := judge.State{At: time.Now(), Snapshots: all, Limit: h.limit, Gone: h.gone, NoDate: h.noDate, Skew: h.chaos.skew, Sent: time.Now()}
	if c == nil {
		return s
	}
	s.Sent, s.Listed = c.sent, make(map[string]bool)
	for _, list := range c.run.lists {
		maps.Copy(s.Listed, list)
	}
	for _, one := range h.removed {
		shown := s.Listed[one.ID]
		switch {
		case one.by == nil && (shown || !one.at.Before(c.sent.Add(-time.Second))):
			s.Recent = append(s.Recent, one.Snapshot)
		case one.by != nil && one.by != c.run && shown:
			s.Shown = append(s.Shown, one.Snapshot)
		}
	}
	return s
}

// onDelete judges a deletion, with the true state at its moment.
func (h *history) onDelete(_ string, victim simulator.Snapshot, others []simulator.Snapshot) {
	h.deleted[victim.ID] = time.Now()
	h.writes++
	c := h.current
	if c == nil {
		h.removed = append(h.removed, removed{victim, time.Now(), nil})
		return
	}
	r := c.run
	defer func() { h.removed = append(h.removed, removed{victim, time.Now(), r}) }()
	s := h.state(c, others)
	reason, err := r.judged.Deleted(r.deployment.judged, s, victim)
	if err != nil && len(s.Shown) > 0 {
		s.Recent, s.Shown = append(s.Recent, s.Shown...), nil
		if reason, err = r.deployment.judged.Deletion(s, victim); err == nil {
			h.count("exception: two sweeps at once, and the list of one shows what the other deleted")
		}
	}
	h.trace("run %d: deleted %s: %s %v", r.id, victim.ID, reason, err)
	if err != nil {
		h.violate("run %d of %s deleted %s (%s of %s, %s old): %v", r.id, r.name, victim.ID, victim.Name, victim.DiskID, s.At.Sub(victim.CreationTime), err)
		return
	}
	h.count("deleted: " + string(reason))
}

// effect makes a call of a run, and judges it.
func (h *history) effect(c *apiCall) simulator.Reply {
	r := c.run
	if c.action == "DeleteSnapshot" && !r.sweeps {
		h.violate("run %d (%s) calls DeleteSnapshot", r.id, r.kind)
	}
	h.current = c
	reply := h.sim.Do(context.Background(), c.key, c.action, c.params)
	h.current = nil
	h.trace("run %d: %s %s%s%s -> %s%s %s", r.id, c.action, c.params["RegionId"], " "+c.params["DiskId"]+c.params["SnapshotId"],
		" "+c.params["SnapshotName"], reply.Code, reply.SnapshotID, h.shown(reply))
	switch {
	case c.action == "ListSnapshots" && reply.Code == "":
		shown := make(map[string]bool, len(reply.Snapshots))
		for i, one := range reply.Snapshots {
			shown[one.ID] = true
			if h.noDate[one.ID] {
				reply.Snapshots[i].CreationTime = time.Time{}
			}
		}
		r.lists[c.params["RegionId"]] = shown
		if r.sweeps && h.chance(h.chaos.freeze) && len(h.regionsOf(r.deployment)) == 1 && !c.abandoned {
			r.freeze = h.between(100*time.Millisecond, 3*time.Second)
			h.count("frozen process")
		}
	case c.action == "CreateSnapshot":
		h.judgeCreate(c, reply)
	case c.action == "TagResources" && reply.Code == "":
		h.writes++
	case c.action == "DeleteSnapshot" && reply.Code == "IncorrectSnapshotStatus":
		h.violate("run %d deletes %s, which is in progress", r.id, c.params["SnapshotId"])
	case c.action == "DeleteSnapshot" && reply.Code != "" && reply.Code != snapshot.CodeSnapshotNotFound:
		h.count("deletion refused")
		if err := r.judged.Refused(c.params["SnapshotId"]); err != nil {
			h.violate("run %d, %s: %v", r.id, c.params["SnapshotId"], err)
		}
	}
	return reply
}

// shown is a list, for the trace.
func (h *history) shown(reply simulator.Reply) string {
	var parts []string
	for _, one := range reply.Snapshots {
		parts = append(parts, fmt.Sprintf("%s(%s %s)", one.ID, one.DiskID, one.Status))
	}
	return strings.Join(parts, " ")
}

// judgeCreate judges a create that the API answered.
func (h *history) judgeCreate(c *apiCall, reply simulator.Reply) {
	r, token := c.run, c.params["ClientToken"]
	event := h.events[token]
	if event == nil {
		event = &judge.Event{}
		if r.delivery != nil {
			event.Time = r.delivery.order.Time
			event.MaxAge = cmp.Or(r.policy.MaxEventAge, time.Hour)
		}
		h.events[token] = event
	}
	if d := r.delivery; d != nil {
		if d.token != "" && d.token != token {
			h.violate("run %d: one order has the tokens %s and %s", r.id, d.token, token)
		}
		d.token = token
	}
	if reply.SnapshotID == "" || h.known[reply.SnapshotID] != "" {
		return
	}
	h.known[reply.SnapshotID] = c.params["DiskId"]
	h.creator[reply.SnapshotID] = r.process
	h.writes++
	s := h.state(c, h.sim.Snapshots())
	mark := strings.TrimPrefix(token, "sn1-")[:16]
	if last, refused := h.refusals[token]; refused && last.by == r.process && !c.sent.After(last.at) && c.abandoned {
		h.violate("run %d: an order was refused for good, and then its call arrived and took %s", r.id, reply.SnapshotID)
	}
	exception, err := event.Created(s, reply.SnapshotID, mark, h.forgot, 24*time.Hour)
	if err != nil {
		h.violate("run %d: %v", r.id, err)
	}
	if exception != "" {
		h.count("exception: " + string(exception))
	}
	if r.sweeps {
		h.count("taken by schedule")
		if exception == "" {
			h.attempt(c)
		}
		if role := roleOf(c.params); role != r.asked {
			if err := r.deployment.judged.Needless(s, c.params["DiskId"], role, reply.SnapshotID); err != nil {
				h.violate("run %d: %v", r.id, err)
			}
		}
	} else {
		h.count("taken for an order")
	}
}

// attempt judges how often a due role is taken: once in an hour, whose bounds depend on clocks that may be apart.
func (h *history) attempt(c *apiCall) {
	name := c.params["SnapshotName"]
	key := c.params["DiskId"] + name[:max(0, len(name)-9)]
	all := append(h.attempts[key], time.Now())
	h.attempts[key] = all
	if n := len(all); n >= 2 && roleOf(c.params) != c.run.asked {
		h.count("due role taken again")
		if n >= 3 && all[n-1].Sub(all[n-3]) < 50*time.Minute {
			h.violate("run %d: %s was taken three times in %s", c.run.id, key, all[n-1].Sub(all[n-3]))
		}
	}
}

// roleOf returns the role in the tags of a call.
func roleOf(params map[string]string) string {
	for i := 1; params[fmt.Sprintf("Tag.%d.Key", i)] != ""; i++ {
		if params[fmt.Sprintf("Tag.%d.Key", i)] == snapshot.TagMeta {
			role, _, _ := strings.Cut(params[fmt.Sprintf("Tag.%d.Value", i)], "/")
			return role
		}
	}
	return ""
}

// listView makes lists late: a new snapshot is not shown yet, a deleted one is shown still.
func (h *history) listView(_ string, current, deleted []simulator.Snapshot) []simulator.Snapshot {
	if h.chaos.lag == 0 || h.ended {
		return current
	}
	var all []simulator.Snapshot
	for _, one := range current {
		if time.Since(one.CreationTime) < h.chaos.maxLag && one.Status == simulator.Progressing && h.chance(h.chaos.lag) {
			h.count("late list")
			continue
		}
		all = append(all, one)
	}
	for _, one := range deleted {
		if time.Since(h.deleted[one.ID]) < h.chaos.maxLag && h.chance(h.chaos.lag) {
			h.count("stale list")
			all = append(all, one)
		}
	}
	return all
}

func (h *history) regionsOf(d *deployment) map[string]bool {
	all := make(map[string]bool)
	for _, t := range d.policy.Targets {
		all[cmp.Or(t.RegionID, d.policy.RegionID)] = true
	}
	return all
}
