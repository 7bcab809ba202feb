package snapshot

import (
	"sync"
	"time"
)

// Instance is what one process of a function keeps between invocations: its pace of API calls, the orders in flight,
// the results of recent ones, which disk is a server's system disk, and what it notified. It may be lost at any time
// without harm: all of it only saves calls and repeated messages.
type Instance struct {
	limiter limiter

	mu       sync.Mutex
	flights  map[string]*flight
	recent   map[string]remembered
	order    []string // tokens of recent, oldest first
	lost     map[string]time.Time
	system   map[string]string
	notified map[string]bool
}

// Bounds of what an instance remembers.
const (
	recentMax   = 1024
	recentAge   = 10 * time.Minute
	notifiedMax = 4096
)

// NewInstance returns the memory of a process that allows itself callsPerMinute calls of each API action; 0 means no
// limit.
func NewInstance(callsPerMinute int) *Instance {
	return &Instance{
		limiter:  limiter{perMinute: callsPerMinute},
		flights:  make(map[string]*flight),
		recent:   make(map[string]remembered),
		lost:     make(map[string]time.Time),
		system:   make(map[string]string),
		notified: make(map[string]bool),
	}
}

// flight is an order that is being taken; done is closed when result stands.
type flight struct {
	fingerprint string
	done        chan struct{}
	result      Result
}

type remembered struct {
	fingerprint string
	result      Result
	at          time.Time
}

// claim makes the caller the leader of an order, or names the flight to follow, or returns the recent result. An
// equal token with another fingerprint is an error: the key was used for another order.
func (i *Instance) claim(token, fingerprint string, now time.Time) (leader, follow *flight, recent *Result, err *Error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if f := i.flights[token]; f != nil {
		if f.fingerprint != fingerprint {
			return nil, nil, nil, mismatch()
		}
		return nil, f, nil, nil
	}
	if r, ok := i.recent[token]; ok && now.Sub(r.at) < recentAge {
		if r.fingerprint != fingerprint {
			return nil, nil, nil, mismatch()
		}
		result := r.result
		return nil, nil, &result, nil
	}
	f := &flight{fingerprint: fingerprint, done: make(chan struct{})}
	i.flights[token] = f
	return f, nil, nil, nil
}

// land ends a flight: followers get the result, and one that stands is remembered.
func (i *Instance) land(token string, f *flight, result Result, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f.result = result
	delete(i.flights, token)
	close(f.done)
	if result.Error != nil || result.SnapshotID == "" {
		return
	}
	delete(i.lost, token)
	if _, again := i.recent[token]; !again {
		i.order = append(i.order, token)
	}
	i.recent[token] = remembered{f.fingerprint, result, now}
	i.bound()
}

// learn brings what is remembered of recent orders up to a list, so that a redelivery gets the present state.
func (i *Instance) learn(listed []Snapshot) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.recent) == 0 {
		return
	}
	for _, one := range listed {
		token, _ := one.Tag(TagToken)
		if known, ok := i.recent[token]; ok && known.result.SnapshotID == one.ID {
			known.result.Status, known.result.Progress, known.result.CreationTime = one.Status, one.Progress, one.created()
			i.recent[token] = known
		}
	}
}

// loseAnswer remembers that a CreateSnapshot with this token got no answer: it may have had its effect all the same.
func (i *Instance) loseAnswer(token string, at time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.lost) >= recentMax {
		clear(i.lost)
	}
	i.lost[token] = at
}

// lostAnswer returns when the last CreateSnapshot with this token got no answer; the zero time if none did.
func (i *Instance) lostAnswer(token string) time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.lost[token]
}

// take remembers which snapshot the API named for a due role, and when it first did.
func (i *Instance) take(token, id, fingerprint string, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, ok := i.recent[token]; ok && known.result.SnapshotID == id {
		return
	}
	i.order = append(i.order, token)
	i.recent[token] = remembered{fingerprint, Result{SnapshotID: id}, now}
	i.bound()
}

// taken returns the snapshot that the API named for the token of a due role, and when it first did; "" if it never did.
func (i *Instance) taken(token string) (id string, at time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	known := i.recent[token]
	return known.result.SnapshotID, known.at
}

// bound forgets the oldest results beyond recentMax.
func (i *Instance) bound() {
	for len(i.order) > recentMax {
		delete(i.recent, i.order[0])
		i.order = i.order[1:]
	}
}

// systemDisk returns the system disk of a server, if this instance has looked it up before.
func (i *Instance) systemDisk(region, instance string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.system[region+"/"+instance]
}

func (i *Instance) rememberSystemDisk(region, instance, disk string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.system[region+"/"+instance] = disk
}

// firstTime reports whether this instance has not seen a notification's key before.
func (i *Instance) firstTime(key string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.notified[key] {
		return false
	}
	if len(i.notified) >= notifiedMax {
		clear(i.notified)
	}
	i.notified[key] = true
	return true
}

func mismatch() *Error {
	return &Error{Code: CodeMismatch, Kind: KindInvalid, Message: "this key was used for another order: use a new key for a new order"}
}

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
