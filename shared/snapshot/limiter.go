package snapshot

import (
	"sync"
	"time"
)

// limiter is a token bucket for each API action: a burst of perMinute calls, and perMinute more each minute. It keeps
// an instance from provoking the API's own limit of about 10 calls a minute per account and action.
type limiter struct {
	perMinute int // 0: no limit

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take takes one call of action, or says how long to wait before asking again.
func (l *limiter) take(action string, now time.Time) time.Duration {
	if l.perMinute <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.refill(action, now)
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	// Rounded up: after the wait, the call is there.
	return time.Duration((1-b.tokens)*float64(time.Minute)/float64(l.perMinute)) + time.Nanosecond
}

// drain empties the bucket of action: the API has just said that it is empty.
func (l *limiter) drain(action string, now time.Time) {
	if l.perMinute <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill(action, now).tokens = 0
}

// refill brings the bucket of action up to now. A clock that jumps back adds nothing.
func (l *limiter) refill(action string, now time.Time) *bucket {
	full := float64(l.perMinute)
	b := l.buckets[action]
	if b == nil {
		b = &bucket{tokens: full, at: now}
		if l.buckets == nil {
			l.buckets = make(map[string]*bucket)
		}
		l.buckets[action] = b
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(full, b.tokens+passed.Minutes()*full)
	}
	b.at = now
	return b
}
