package snapshot

import (
	"sync"
	"time"
)

// Instance is what one process of a function keeps between invocations: its pace of API calls, the orders in flight,
// the results of recent ones, and which disk is a server's system disk. It may be lost at any time without harm: all
// of it only saves calls.
type Instance struct {
	limiter limiter

	mu      sync.Mutex
	flights map[string]*flight
	recent  map[string]remembered
	order   []string // tokens of recent, oldest first
	system  map[string]string
	told    map[string]bool
	owed    map[string]Order // by target: room was made for it, and then it could not be taken
}

// Bounds of what an instance remembers.
const (
	recentMax = 1024
	recentAge = 10 * time.Minute
	toldMax   = 4096
)

// NewInstance returns the memory of a process that allows itself callsPerMinute calls of each API action; 0 means no
// limit.
func NewInstance(callsPerMinute int) *Instance {
	return &Instance{
		limiter: limiter{perMinute: callsPerMinute},
		flights: make(map[string]*flight),
		recent:  make(map[string]remembered),
		system:  make(map[string]string),
		told:    make(map[string]bool),
		owed:    make(map[string]Order),
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
	if _, again := i.recent[token]; !again {
		i.order = append(i.order, token)
	}
	i.recent[token] = remembered{f.fingerprint, result, now}
	for len(i.order) > recentMax {
		delete(i.recent, i.order[0])
		i.order = i.order[1:]
	}
}

// learn brings what is remembered of recent orders up to a list, so that a redelivery is told the present state.
func (i *Instance) learn(listed []Snapshot) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.recent) == 0 {
		return
	}
	for _, one := range listed {
		token, _ := one.Tag(TagToken)
		if known, ok := i.recent[token]; ok && known.result.SnapshotID == one.ID {
			known.result.Status, known.result.Progress = one.Status, one.Progress
			i.recent[token] = known
		}
	}
}

// owe remembers an order for which room was made in vain; the next sweep of its target takes it first.
func (i *Instance) owe(target string, order Order) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.owed[target] = order
}

// owes returns the order that a target is owed.
func (i *Instance) owes(target string) (Order, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	order, ok := i.owed[target]
	return order, ok
}

// settle forgets what a target is owed.
func (i *Instance) settle(target string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.owed, target)
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

// firstTime tells whether a fact has not been told by this instance before.
func (i *Instance) firstTime(fact string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.told[fact] {
		return false
	}
	if len(i.told) >= toldMax {
		clear(i.told)
	}
	i.told[fact] = true
	return true
}

func mismatch() *Error {
	return &Error{Code: CodeMismatch, Kind: KindInvalid, Message: "this key was used for another order: use a new key for a new order"}
}
