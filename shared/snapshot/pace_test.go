package snapshot

import (
	"strings"
	"testing"
	"time"
)

func TestTakeRetriesUntilTheReserve(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]fault{"no answer": lostBefore, "throttled": throttled, "internal": {code: CodeInternalError}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.api.latency = 300 * time.Millisecond
			w.api.fault = always(create, wrong)
			end := w.clock.Now().Add(3 * time.Minute)
			got := w.Take(within(w.clock, 3*time.Minute), order("daily", "k"))
			if got.Outcome != OutcomeDeferred || code(got.Error) != wrong.code || !got.Error.Retryable {
				t.Errorf("got %q %v", got.Outcome, got.Error)
			}
			last := w.api.calls[len(w.api.calls)-1].at
			if n := len(w.api.calls); n < 4 || n > 60 {
				t.Errorf("%d calls in 3 minutes", n)
			}
			if last.Add(-w.api.latency).After(end.Add(-reserve)) {
				t.Errorf("the last call began %s before the deadline", end.Sub(last)+w.api.latency)
			}
			// The order was not lost: the next delivery does it.
			w.api.fault = nil
			if again := w.Take(within(w.clock, time.Minute), order("daily", "k")); again.Outcome != OutcomeCreated {
				t.Errorf("the next delivery got %q %v", again.Outcome, again.Error)
			}
		})
	}
}

// TestTakeBeginsNoCallTooLate: a slow list does not lead to another call after the time for calls has passed.
func TestTakeBeginsNoCallTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.api.latency = 58500 * time.Millisecond
	o := order("daily", "k")
	o.MaxAge = time.Hour
	got := w.Take(within(w.clock, time.Minute), o)
	if got.Outcome != OutcomeDeferred || code(got.Error) != CodeNoTime || !strings.Contains(got.Error.Message, "for CreateSnapshot:") {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
	wantCalls(t, w, list)
}

// TestRetriesAreCalls: only a call that was made is a retry, be it of an order or of a look, not one for which no time or
// pace is left.
func TestRetriesAreCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		time     time.Duration
		perMin   int
		failures int // of the first calls
		look     bool
		calls    int
	}{
		"none":          {time.Minute, 0, 0, false, 1},
		"two":           {time.Minute, 0, 2, false, 3},
		"two of a look": {time.Minute, 0, 2, true, 3},
		"no time":       {time.Second, 0, 1, false, 1},
		"no pace":       {20 * time.Second, 1, 9, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Rand = func() float64 { return 0.9 }
			w.Instance = NewInstance(c.perMin)
			w.api.fault = func(_ string, n int) fault {
				if n > c.failures {
					return fault{}
				}
				return throttled
			}
			if c.look {
				_, _ = w.List(within(w.clock, c.time), "web-1")
			} else {
				w.Take(within(w.clock, c.time), order("daily", "k"))
			}
			if calls, retries := w.Stats.Calls.Load(), w.Stats.Retries.Load(); calls != int64(c.calls) || retries != calls-1 {
				t.Errorf("%d calls, want %d; %d retries", calls, c.calls, retries)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]backoff{"retry": retryBackoff, "throttle": throttleBackoff, "busy": busyBackoff} {
		for attempt := range 70 {
			low, high := b.wait(attempt, 0), b.wait(attempt, 0.999999)
			if low != b.floor || high <= low || high > b.floor+b.ceiling {
				t.Errorf("%s, attempt %d: %s to %s", name, attempt, low, high)
			}
			if attempt > 0 && high < b.wait(attempt-1, 0.999999) {
				t.Errorf("%s, attempt %d: the interval shrinks", name, attempt)
			}
		}
	}
	if retryBackoff.floor != 0 {
		t.Error("a retry must have full jitter")
	}
}

// TestTakePace: our own limiter spreads calls, and a limited order is deferred when its time does not suffice.
func TestTakePace(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Instance = NewInstance(2)
	w.api.takes = func() (time.Duration, bool) { return 0, false }
	for i := range 6 {
		w.api.snapshots = nil
		if got := w.Take(within(w.clock, 5*time.Minute), order("daily", string(rune('a'+i)))); got.Outcome != OutcomeCreated {
			t.Fatalf("order %d: %q %v", i, got.Outcome, got.Error)
		}
	}
	if passed := w.clock.Now().Sub(epoch); passed < 119*time.Second || passed > 121*time.Second {
		t.Errorf("6 calls at 2 a minute with a burst of 2 took %s", passed)
	}
	w.api.snapshots = nil
	got := w.Take(within(w.clock, 20*time.Second), order("daily", "z"))
	if got.Outcome != OutcomeDeferred || code(got.Error) != codePaced || got.Error.Kind != KindPaced || !got.Error.Retryable {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	for perMinute := 1; perMinute <= 61; perMinute++ {
		l := limiter{perMinute: perMinute}
		now := epoch
		taken := 0
		for now.Before(epoch.Add(10 * time.Minute)) {
			wait := l.take("a", now)
			if wait == 0 {
				taken++
			}
			now = now.Add(wait)
		}
		if most := 11 * perMinute; taken > most || taken < most-1 {
			t.Fatalf("%d a minute: %d calls in 10 minutes, want %d", perMinute, taken, most)
		}
	}
	l := limiter{perMinute: 1}
	if l.take("a", epoch) != 0 || l.take("b", epoch) != 0 || l.take("a", epoch.Add(-time.Hour)) == 0 {
		t.Error("actions have buckets of their own, and a clock that jumps back fills none")
	}
	l.drain("b", epoch.Add(time.Hour))
	if l.take("b", epoch.Add(time.Hour)) == 0 {
		t.Error("a drained bucket must be empty")
	}
	if none := (&limiter{}); none.take("a", epoch) != 0 {
		t.Error("0 must mean no limit")
	}
}
