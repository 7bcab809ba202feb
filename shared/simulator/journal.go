package simulator

import (
	"maps"
	"slices"
	"time"
)

// Call is one request that arrived.
type Call struct {
	Time      time.Time // by Config.Now
	Action    string    // empty if the request could not be read
	Key       string    // the access key that it names, verified or not
	Params    map[string]string
	RequestID string
	Code      string // of the refusal; empty: success, unless a fault took the answer or the effect
	Fault     string // the fault that the call met, in words; empty: none
}

// journal keeps the latest calls and counts all of them.
type journal struct {
	keep   int
	calls  []Call
	counts map[string]int
}

func (j *journal) add(c Call) {
	j.counts[c.Action]++
	if j.keep == 0 {
		return
	}
	if len(j.calls) >= 2*j.keep {
		j.calls = slices.Clone(j.calls[len(j.calls)-j.keep:])
	}
	j.calls = append(j.calls, c)
}

// Calls returns the latest calls, oldest first: at most Config.KeepCalls, refused ones included.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := slices.Clone(s.journal.calls[max(0, len(s.journal.calls)-s.journal.keep):])
	for i := range calls {
		calls[i].Params = maps.Clone(calls[i].Params)
	}
	return calls
}

// CallCounts returns the number of calls per action since the start or the last [Simulator.ResetCalls], refused ones
// included.
func (s *Simulator) CallCounts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.journal.counts)
}

// ResetCalls forgets all calls and counts.
func (s *Simulator) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.calls, s.journal.counts = nil, make(map[string]int)
}
