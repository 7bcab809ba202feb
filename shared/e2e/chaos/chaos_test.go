package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// roundsPerHistory bounds a history, so that all of it happens within the lifetime of the API's client tokens.
const roundsPerHistory = 6

// TestChaos plays histories. In each, two platforms fire at one account while things go wrong; then nothing does any more,
// and what was promised must hold.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := asked(t, "SNAPSHOT_SEED", rand.Uint64())
	rounds := asked(t, "SNAPSHOT_ROUNDS", 24)
	t.Logf("replay with SNAPSHOT_SEED=%d SNAPSHOT_ROUNDS=%d", seed, rounds)
	for n := uint64(0); n*roundsPerHistory < rounds; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			h := &history{t: t, world: newWorld(t, n), random: rand.New(rand.NewPCG(seed, n)), named: make(map[string]map[string]bool)}
			defer func() {
				if t.Failed() {
					t.Logf("replay with SNAPSHOT_SEED=%d SNAPSHOT_ROUNDS=%d; so far:\n%s", seed, rounds, strings.Join(h.story, "\n"))
				}
			}()
			for range min(roundsPerHistory, rounds-n*roundsPerHistory) {
				h.round()
			}
			h.quiet()
			h.verify()
		})
	}
}

// history is one random schedule.
type history struct {
	*world
	t          *testing.T
	random     *rand.Rand
	story      []string // what happened
	all        []*business
	deliveries []*delivery
	named      map[string]map[string]bool // the snapshots that successes named, by the token of the order
}

func (h *history) tells(format string, args ...any) {
	h.story = append(h.story, fmt.Sprintf(format, args...))
}

// round lets one thing go wrong while new events and old ones arrive, each up to three times, at both platforms, in any
// order.
func (h *history) round() {
	for range 1 + h.random.IntN(2) {
		n := len(h.all)
		h.all = append(h.all, newBusiness(h.random, n, h.clock.Now()))
	}
	fresh := h.all[max(0, len(h.all)-2):]
	var arriving []*delivery
	for _, one := range fresh {
		for range 1 + h.random.IntN(3) {
			arriving = append(arriving, h.deliver(one))
		}
	}
	arriving = append(arriving, h.deliver(h.all[h.random.IntN(len(h.all))])) // late, or once more
	for range 1 + h.random.IntN(2) {
		arriving = append(arriving, h.deliver(h.sweep()))
	}
	h.random.Shuffle(len(arriving), func(a, b int) { arriving[a], arriving[b] = arriving[b], arriving[a] })

	h.trouble()
	h.run(arriving...)
	h.judge.end()
	h.heal()
	h.judge.begin(nil)
	if h.judge.forgot {
		h.api.ForgetTokens()
	}
	h.clock.Pass(time.Duration(h.random.IntN(90)) * time.Minute)
	if h.random.IntN(4) == 0 {
		h.pinNewest()
	}
}

// sweep makes the tick of this minute.
func (h *history) sweep() *business {
	b := &business{tokens: make(map[string]string)}
	b.asTick(`{"sweep":true}`, h.clock.Now())
	return b
}

// trouble plans one or two mishaps for the round.
func (h *history) trouble() {
	var all []func(int) meddling
	h.tells("round")
	for range 1 + h.random.IntN(2) {
		one := mishaps[h.random.IntN(len(mishaps))]
		h.tells(" with %s", one.name)
		if meddle := one.plan(h.world, h.random); meddle != nil {
			all = append(all, meddle)
		}
	}
	h.judge.begin(func(n int) meddling {
		for _, meddle := range all {
			if m := meddle(n); m != (meddling{}) {
				return m
			}
		}
		return meddling{}
	})
}

// deliver makes a delivery of an event to either platform.
func (h *history) deliver(b *business) *delivery {
	return &delivery{business: b, to: h.functions[testbed.Platforms[h.random.IntN(len(testbed.Platforms))]][b.function]}
}

// run runs deliveries all at once and checks their answers.
func (h *history) run(arriving ...*delivery) {
	h.t.Helper()
	var running sync.WaitGroup
	for _, d := range arriving {
		running.Go(func() { d.run(h.t) })
	}
	running.Wait()
	for _, d := range arriving {
		h.remember(d)
	}
	for _, d := range arriving {
		h.deliveries = append(h.deliveries, d)
		h.tells("  %s: %s", d, ending(d))
		h.check(d)
	}
}

// ending says how a delivery ended.
func ending(d *delivery) string {
	switch {
	case d.crashed:
		return "crashed"
	case d.timedOut:
		return "timed out"
	}
	text := d.failed
	for _, one := range d.results {
		text += fmt.Sprintf(" [%s %s %s]", one.Target, one.Outcome, one.SnapshotID)
	}
	return text
}

// remember notes which snapshots the successes name. The first who may name one for an order is the one that did it, so all
// answers of a round are noted before any is checked.
func (h *history) remember(d *delivery) {
	for _, one := range d.results {
		if one.Error != nil || one.ClientToken == "" || one.Outcome == snapshot.OutcomeReplayed {
			continue
		}
		if h.named[one.ClientToken] == nil {
			h.named[one.ClientToken] = make(map[string]bool)
		}
		h.named[one.ClientToken][one.SnapshotID] = true
	}
}

// check checks one answer.
func (h *history) check(d *delivery) {
	h.t.Helper()
	if d.problem != "" {
		h.t.Errorf("%s: %s", d, d.problem)
	}
	if d.crashed && !h.judge.hasKilled() {
		h.t.Errorf("%s: the process ended, and was not killed", d)
	}
	d.settled = !d.crashed && !d.timedOut && (d.failed == "" || d.blocked)
	for _, one := range d.results {
		if one.ClientToken != "" && !d.sweep {
			if first := d.tokens[one.Target]; first != "" && first != one.ClientToken {
				h.t.Errorf("%s: the token of %s is %s, and was %s", d, one.Target, one.ClientToken, first)
			}
			d.tokens[one.Target] = one.ClientToken
		}
		if one.Error == nil {
			h.checkSuccess(d, one)
		}
	}
}

// checkSuccess checks that a success names a snapshot that there is, and that a created one was taken for this order. A
// replayed one is that, or the one that the order joined before, maybe in a process that was killed before it answered.
func (h *history) checkSuccess(d *delivery, one snapshot.Result) {
	h.t.Helper()
	own := h.judge.wasBorn(one.ClientToken, one.SnapshotID)
	switch one.Outcome {
	case snapshot.OutcomeCreated:
		if !own {
			h.t.Errorf("%s: snapshot %q is said to be created, and was not taken for it", d, one.SnapshotID)
		}
	case snapshot.OutcomeReplayed:
		if !own && !h.named[one.ClientToken][one.SnapshotID] && !h.judge.joined(one.ClientToken, one.SnapshotID) {
			h.t.Errorf("%s: snapshot %q is said to be replayed, and is not what it got before", d, one.SnapshotID)
		}
	case snapshot.OutcomeJoined, snapshot.OutcomeReused:
		if !h.judge.knows(one.SnapshotID) {
			h.t.Errorf("%s: it is %s with snapshot %q, which never was", d, one.Outcome, one.SnapshotID)
		}
	default:
		waits := one.Outcome == snapshot.OutcomeDeferred && one.Warning != ""
		if !d.sweep || one.Outcome != "" && !waits { // a sweep may find nothing to do
			h.t.Errorf("%s: the outcome of a success is %q: %+v", d, one.Outcome, one)
		}
	}
}

// pinNewest pins a good snapshot of ours over HTTP.
func (h *history) pinNewest() {
	disk := []string{web1, web2, db1}[h.random.IntN(3)]
	if one, ok := newestGood(h.api.Snapshots(), disk); ok && role(one) != "" {
		h.tells("pin %s", one.ID)
		h.pin(http.MethodPost, one.ID)
	}
}

func (h *history) pin(method, id string) {
	h.t.Helper()
	w := httptest.NewRecorder()
	runtimeapi.Gateway(h.functions[testbed.Platforms[h.random.IntN(2)]]["http"].Function).ServeHTTP(w, bearing(method, "/snapshots/"+id+"/keep", ""))
	if w.Code != http.StatusOK {
		h.t.Errorf("%s of the pin of %s: %d %s", method, id, w.Code, w.Body)
	}
}

// quiet ends the faults: the pins go, and events that failed come again, with sweeps in between, until all is done. Then
// sweeps go on until one writes nothing.
func (h *history) quiet() {
	h.t.Helper()
	h.tells("quiet")
	for _, one := range h.api.Snapshots() {
		if pinned(one) {
			h.pin(http.MethodDelete, one.ID)
		}
	}
	for range 8 {
		h.clock.Pass(20 * time.Minute)
		h.api.ResetCalls()
		h.insist(h.sweep())
		waiting := slices.DeleteFunc(slices.Clone(h.all), func(b *business) bool { return b.settled })
		if calls := h.api.CallCounts(); len(waiting) == 0 && calls["CreateSnapshot"]+calls["DeleteSnapshot"] == 0 {
			return
		}
		for _, b := range waiting {
			h.run(h.deliver(b))
		}
	}
	for _, b := range h.all {
		if !b.settled {
			h.t.Errorf("%s fails although nothing is wrong any more", b.name)
		}
	}
	h.t.Error("sweeps go on writing")
}

// insist delivers a tick until it succeeds, as often as a platform does: on a busy machine one may run out of time, and
// that is what retries are for.
func (h *history) insist(b *business) {
	h.t.Helper()
	for range 3 {
		if h.run(h.deliver(b)); b.settled {
			return
		}
	}
	h.t.Errorf("%s failed three times although nothing is wrong any more", b.name)
}

// verify checks what was promised of the whole history.
func (h *history) verify() {
	h.t.Helper()
	for _, wrong := range h.judge.verdict() {
		h.t.Error(wrong)
	}
	owners := make(map[string]string)
	for _, b := range h.all {
		for target, token := range b.tokens {
			if other := owners[token]; other != "" {
				h.t.Errorf("%s and %s share the token %s", b.name, other, token)
			}
			owners[token] = b.name + " for " + target
		}
	}
	all := h.api.Snapshots()
	due := h.clock.Now().UTC().Truncate(3 * time.Hour)
	for _, disk := range []string{web1, web2} {
		if !slices.ContainsFunc(all, func(one simulator.Snapshot) bool {
			return one.DiskID == disk && role(one) == "daily" && good(one) && !one.CreationTime.Before(due)
		}) {
			h.t.Errorf("disk %s has no daily since %s: %+v", disk, due, all)
		}
	}
	for _, one := range all {
		count, named := keep[one.DiskID][role(one)]
		switch {
		case role(one) == "" || len(keep[one.DiskID]) == 0:
		case one.Status == simulator.Failed:
			h.t.Errorf("snapshot %s failed and is still there", one.ID)
		case good(one) && named && place(one, all) > count:
			h.t.Errorf("snapshot %s is still there, which is %s %d of %d", one.ID, role(one), place(one, all), count)
		}
	}
	h.visible()
	h.t.Logf("%d events in %d deliveries, %d snapshots were taken and %d deleted, %d of these replaced",
		len(h.all), len(h.deliveries), len(h.judge.born), h.judge.deleted, h.judge.replaced)
}

// visible checks that each invocation that ended wrote one summary line, an error if it failed.
func (h *history) visible() {
	h.t.Helper()
	for _, platform := range testbed.Platforms {
		for _, f := range h.functions[platform] {
			f.Close() // now all that it logged is here
		}
	}
	for _, d := range h.deliveries {
		lines := summaries(d.to.Log.String(), d.requestID)
		if d.crashed || d.timedOut {
			if len(lines) > 1 {
				h.t.Errorf("%s: it has %d summary lines and did not end: %v", d, len(lines), lines)
			}
			continue
		}
		if len(lines) != 1 {
			h.t.Errorf("%s: there are %d summary lines, want 1: %v", d, len(lines), lines)
			continue
		}
		if wrote := lines[0].Level == "ERROR"; wrote != (d.failed != "") {
			h.t.Errorf("%s: its failure is %q, its summary line %+v", d, d.failed, lines[0])
		}
	}
}
