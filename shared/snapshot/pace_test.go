package snapshot

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestPace: whenever calls are asked for, an action gets no more than its limit in any 60 seconds, and not much less
// where it asks for more.
func TestPace(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for perMinute := 1; perMinute <= 20; perMinute++ {
		l := limiter{perMinute: perMinute}
		now := someDay
		var made []time.Time
		for range 50 * perMinute {
			for {
				wait := l.take("a", now)
				if wait == 0 {
					break
				}
				now = now.Add(wait)
			}
			made = append(made, now)
			if random.IntN(3) == 0 {
				now = now.Add(time.Duration(random.Int64N(int64(2 * time.Minute / time.Duration(perMinute)))))
			}
		}
		for i := perMinute; i < len(made); i++ {
			if made[i].Sub(made[i-perMinute]) < time.Minute {
				t.Fatalf("%d a minute: call %d comes %s after call %d", perMinute, i, made[i].Sub(made[i-perMinute]), i-perMinute)
			}
		}
		if took := made[len(made)-1].Sub(someDay); took > 2*50*time.Minute {
			t.Errorf("%d a minute: %d calls took %s", perMinute, len(made), took)
		}
	}
}

func TestPaceOfActions(t *testing.T) {
	t.Parallel()
	l := limiter{perMinute: 1}
	if l.take("a", someDay) != 0 || l.take("b", someDay) != 0 || l.take("a", someDay) == 0 {
		t.Error("each action has a limit of its own")
	}
	if l.take("a", someDay.Add(-time.Hour)) == 0 {
		t.Error("a clock that goes back allows no calls")
	}
	if none := (&limiter{}); none.take("a", someDay) != 0 {
		t.Error("0 must mean no limit")
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
