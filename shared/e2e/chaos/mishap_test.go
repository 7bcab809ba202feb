package chaos

import (
	"math/rand/v2"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
)

// mishap is one thing that goes wrong during a round. It returns what happens to the nth call of the round, or nil if it
// plans all of it at the API.
type mishap struct {
	name string
	plan func(w *world, random *rand.Rand) func(n int) meddling
}

var mishaps = []mishap{
	{"nothing", func(*world, *rand.Rand) func(int) meddling { return nil }},
	{"kill -9 before a call arrives", killing(meddling{lose: true})},
	{"kill -9 while a call arrives", killing(meddling{})},
	{"kill -9 before an answer arrives", killing(meddling{dead: true})},
	{"calls that arrive late", some(meddling{late: true})},
	{"answers that come too late", some(meddling{slow: true})},
	{"calls that get lost", some(meddling{lose: true})},
	{"everything hangs", func(*world, *rand.Rand) func(int) meddling { return func(int) meddling { return meddling{slow: true} } }},
	{"a lost answer", fault(simulator.AnswerLost)},
	{"a cut answer", fault(simulator.AnswerCut)},
	{"an empty answer", fault(simulator.AnswerEmpty)},
	{"an answer without its elements", fault(simulator.AnswerObject)},
	{"an answer that is no JSON", fault(simulator.AnswerGarbage)},
	{"the page of a gateway", fault(simulator.AnswerHTML)},
	{"InternalError", fault(simulator.AnswerError)},
	{"a throttling storm", func(w *world, _ *rand.Rand) func(int) meddling {
		w.api.Fault(simulator.Fault{Answer: simulator.AnswerError, Code: "Throttling.User", Count: simulator.Forever})
		return nil
	}},
	{"expired credentials", func(w *world, _ *rand.Rand) func(int) meddling {
		w.setKeys(-time.Minute)
		return nil
	}},
	{"the platforms' clocks are off", func(w *world, random *rand.Rand) func(int) meddling {
		w.skew.Store(int64(anHourOff(random)))
		return nil
	}},
	{"the API's clock is off", func(w *world, random *rand.Rand) func(int) meddling {
		w.gateway.Store(int64(anHourOff(random)))
		w.setKeys(3 * time.Hour)
		return nil
	}},
	{"a snapshot fails", func(w *world, _ *rand.Rand) func(int) meddling {
		w.api.FailNext("")
		return nil
	}},
}

func anHourOff(random *rand.Rand) time.Duration {
	return []time.Duration{-time.Hour, time.Hour}[random.IntN(2)]
}

// killing kills every process of one platform around one of the first calls.
func killing(m meddling) func(*world, *rand.Rand) func(int) meddling {
	return func(_ *world, random *rand.Rand) func(int) meddling {
		at, m := 1+random.IntN(5), m
		m.kill = testbed.Platforms[random.IntN(len(testbed.Platforms))]
		return func(n int) meddling {
			if n != at {
				return meddling{}
			}
			return m
		}
	}
}

// some meddles with one to three calls in a row.
func some(m meddling) func(*world, *rand.Rand) func(int) meddling {
	return func(_ *world, random *rand.Rand) func(int) meddling {
		from, count := 1+random.IntN(4), 1+random.IntN(3)
		return func(n int) meddling {
			if n < from || n >= from+count {
				return meddling{}
			}
			return m
		}
	}
}

// fault spoils one to three answers in a row, with or without the call's effect.
func fault(answer simulator.FaultKind) func(*world, *rand.Rand) func(int) meddling {
	return func(w *world, random *rand.Rand) func(int) meddling {
		w.api.Fault(simulator.Fault{Answer: answer, Effect: random.IntN(2) == 0, Skip: random.IntN(4), Count: 1 + random.IntN(3)})
		return nil
	}
}

// heal ends every mishap.
func (w *world) heal() {
	w.api.ClearFaults()
	w.renewKeys()
	w.skew.Store(0)
	w.gateway.Store(0)
}
