package snapshot

import (
	"sync"
	"time"
)

// limiter allows each API action perMinute calls in any minute. It keeps a process from provoking the API's own limit
// of about 10 calls a minute, account and action.
type limiter struct {
	perMinute int // 0: no limit

	mu    sync.Mutex
	calls map[string][]time.Time // of each action, the latest perMinute ones, oldest first
}

// limiterWindow is the minute, and what two calls may come nearer to each other on their way.
const limiterWindow = time.Minute + time.Second

// take takes one call of action, or returns how long to wait before asking again.
func (l *limiter) take(action string, now time.Time) time.Duration {
	if l.perMinute <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	made := l.calls[action]
	if len(made) == l.perMinute {
		if wait := made[0].Add(limiterWindow).Sub(now); wait > 0 {
			return wait
		}
		made = made[1:]
	}
	if l.calls == nil {
		l.calls = make(map[string][]time.Time)
	}
	l.calls[action] = append(made, now)
	return 0
}
