package snapshot

import (
	"context"
	"sync"
	"testing"
	"time"
)

// gated is an API whose CreateSnapshot waits until it is let go.
type gated struct {
	API
	begun chan struct{}
	gate  chan struct{}
}

func (g gated) CreateSnapshot(ctx context.Context, request Request) (Created, error) {
	g.begun <- struct{}{}
	<-g.gate
	return g.API.CreateSnapshot(ctx, request)
}

// patient is a clock whose sleeps end with their context alone, after saying that they have begun.
type patient struct {
	*fakeClock
	asleep chan struct{}
}

func (p patient) Sleep(ctx context.Context, _ time.Duration) error {
	p.asleep <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// TestFlightsShareOneCall: equal orders of one process that are in flight at once make one call.
func TestFlightsShareOneCall(t *testing.T) {
	t.Parallel()
	const followers = 8
	w := newWorld()
	gate := gated{w.api, make(chan struct{}, 1), make(chan struct{})}
	clock := patient{w.clock, make(chan struct{}, followers)}
	w.API, w.Clock, w.Stats = gate, clock, nil
	results := make([]Result, followers+1)
	var all sync.WaitGroup
	take := func(i int) { all.Go(func() { results[i] = w.Take(within(w.clock, time.Minute), order("daily", "k")) }) }
	take(0)
	<-gate.begun
	for i := range followers {
		take(i + 1)
		<-clock.asleep
	}
	close(gate.gate)
	all.Wait()
	for i, got := range results {
		want := OutcomeReplayed
		if i == 0 {
			want = OutcomeCreated
		}
		if got.Outcome != want || got.SnapshotID != results[0].SnapshotID || got.SnapshotID == "" {
			t.Errorf("%d: got %q %s %v", i, got.Outcome, got.SnapshotID, got.Error)
		}
	}
	wantCalls(t, w, create)
}

// TestFollowerGivesUpInTime: a follower leaves the wait at its own deadline, and harms nobody.
func TestFollowerGivesUpInTime(t *testing.T) {
	t.Parallel()
	w := newWorld()
	gate := gated{w.api, make(chan struct{}, 1), make(chan struct{})}
	w.API, w.Stats = gate, nil
	leader := make(chan Result)
	go func() { leader <- w.Take(within(w.clock, time.Hour), order("daily", "k")) }()
	<-gate.begun
	end := w.clock.Now().Add(time.Minute)
	got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
	if got.Outcome != OutcomeDeferred || code(got.Error) != CodeNoTime || w.clock.Now().After(end.Add(-reserve)) {
		t.Errorf("got %q %v, %s before the deadline", got.Outcome, got.Error, end.Sub(w.clock.Now()))
	}
	close(gate.gate)
	if got := <-leader; got.Outcome != OutcomeCreated {
		t.Errorf("the leader got %q %v", got.Outcome, got.Error)
	}
}

// TestFlightMismatch: a key in flight for another order is refused at once.
func TestFlightMismatch(t *testing.T) {
	t.Parallel()
	w := newWorld()
	gate := gated{w.api, make(chan struct{}, 1), make(chan struct{})}
	w.API, w.Stats = gate, nil
	done := make(chan Result)
	go func() { done <- w.Take(within(w.clock, time.Minute), order("daily", "k")) }()
	<-gate.begun
	if got := w.Take(within(w.clock, time.Minute), order("weekly", "k")); code(got.Error) != CodeMismatch {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
	close(gate.gate)
	<-done
}

// TestTwins: equal orders of one array share one call.
func TestTwins(t *testing.T) {
	t.Parallel()
	w := newWorld()
	twins := []Order{order("daily", "k"), order("daily", "k")}
	got := w.TakeAll(within(w.clock, time.Minute), twins)
	if got[0].Outcome != OutcomeCreated || got[1].Outcome != OutcomeReplayed || got[0].SnapshotID != got[1].SnapshotID {
		t.Errorf("got %q %q", got[0].Outcome, got[1].Outcome)
	}
	wantCalls(t, w, create)
}

// bomb is an API that panics.
type bomb struct{ API }

func (bomb) CreateSnapshot(context.Context, Request) (Created, error) { panic("bomb") }

// TestPanicFreesFollowers: a panic of the client leaves no order in flight behind.
func TestPanicFreesFollowers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.API = bomb{w.api}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		w.Take(within(w.clock, time.Minute), order("daily", "k"))
	}()
	if n := len(w.Instance.flights); n > 0 {
		t.Errorf("%d orders are still in flight", n)
	}
	w.API = w.api
	if got := w.Take(within(w.clock, time.Minute), order("daily", "k")); got.Outcome != OutcomeCreated {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
}

// TestConcurrentTakes is for the race detector: many orders of one process at once.
func TestConcurrentTakes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Instance, w.Stats, w.Rand, w.Tell = NewInstance(600), nil, nil, nil
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			service := *w.Service
			service.Take(within(w.clock, time.Hour), order("daily", string(rune('a'+i%4))))
		})
	}
	all.Wait()
	if n := len(w.api.snapshots); n < 1 || n > SlotsPerServer {
		t.Errorf("%d snapshots", n)
	}
}
