package e2e

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// again is a way in which one business event arrives twice.
type again struct {
	play    func(*delivered)
	calls   map[string]int   // of the second delivery of an order
	outcome snapshot.Outcome // of the second delivery of an order
	late    bool             // an order with a time looks before it takes, the second time

	tickCalls   map[string]int   // of the second delivery of a tick; default: one list, which shows the snapshot
	tickOutcome snapshot.Outcome // of the second delivery of a tick; default: none, nothing is due any more
}

// delivered is a fixture that arrives twice.
type delivered struct {
	t             *testing.T
	cloud         *cloud
	held          *gate
	event         []byte
	deployment    deployment
	first, second answered
}

func (d *delivered) deploy() *function { return d.cloud.deploy(d.t, d.deployment) }

// gate holds back what the simulated API would delay.
type gate struct {
	arrived chan struct{} // one element a call
	open    chan struct{} // closed: nothing is held any more
}

func (g *gate) hold(ctx context.Context, _ time.Duration) {
	g.arrived <- struct{}{}
	select {
	case <-g.open:
	case <-ctx.Done():
	}
}

// wait waits for the next call that is held back.
func (g *gate) wait(t *testing.T) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(30 * time.Second):
		t.Fatal("no call arrived that is held back")
	}
}

func newGate() *gate { return &gate{arrived: make(chan struct{}, 10), open: make(chan struct{})} }

var redeliveries = map[string]again{
	"the same process": {
		play: func(d *delivered) {
			f := d.deploy()
			d.first = read(d.t, f.invoke(d.event))
			d.cloud.called()
			d.second = read(d.t, f.invoke(d.event))
		},
		outcome: snapshot.OutcomeReplayed,
	},
	"another process": {
		play: func(d *delivered) {
			d.first = read(d.t, d.deploy().invoke(d.event))
			d.cloud.called()
			d.second = read(d.t, d.deploy().invoke(d.event))
		},
		calls: oneCall, outcome: snapshot.OutcomeCreated,
	},
	"after kill -9": {
		play: func(d *delivered) {
			f := d.deploy()
			d.first = read(d.t, f.invoke(d.event))
			d.cloud.called()
			f.Kill()
			d.second = read(d.t, f.invoke(d.event))
		},
		calls: oneCall, outcome: snapshot.OutcomeCreated,
	},
	"kill -9 before the answer of the API": {
		play: func(d *delivered) {
			d.cloud.Fault(simulator.Fault{Action: "CreateSnapshot", Delay: time.Hour})
			f := d.deploy()
			ended := make(chan runtimeapi.Answer)
			go func() {
				answer, _ := f.Invoke(context.Background(), d.event)
				ended <- answer
			}()
			d.held.wait(d.t)
			f.Kill()
			if answer := <-ended; !answer.Crashed {
				d.t.Errorf("the invocation did not crash: %s", answer.Payload)
			}
			d.cloud.called()
			d.second = read(d.t, f.invoke(d.event))
			d.first = d.second // no caller saw the first answer
		},
		calls: oneCall, outcome: snapshot.OutcomeCreated,
	},
	"two processes at once": {
		play: func(d *delivered) {
			action := "CreateSnapshot"
			if d.deployment.name == timer {
				action = "ListSnapshots" // neither sees what the other takes
			}
			d.cloud.Fault(simulator.Fault{Action: action, Delay: time.Hour, Count: 2})
			var both sync.WaitGroup
			for _, got := range []*answered{&d.first, &d.second} {
				f := d.deploy()
				both.Go(func() {
					answer, err := f.Invoke(context.Background(), d.event)
					if err != nil {
						d.t.Error(err)
						return
					}
					*got = read(d.t, answer)
				})
			}
			d.held.wait(d.t)
			d.held.wait(d.t)
			close(d.held.open)
			both.Wait()
		},
		calls: map[string]int{"CreateSnapshot": 2}, outcome: snapshot.OutcomeCreated,
		tickCalls: map[string]int{"ListSnapshots": 2, "CreateSnapshot": 2}, tickOutcome: snapshot.OutcomeCreated,
	},
	"after the API forgot the token": {
		play: func(d *delivered) {
			f := d.deploy()
			d.first = read(d.t, f.invoke(d.event))
			d.cloud.called()
			d.cloud.ForgetTokens()
			f.Kill()
			d.second = read(d.t, f.invoke(d.event))
		},
		calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}, outcome: snapshot.OutcomeReplayed,
	},
	"after the snapshot was done": {
		play: func(d *delivered) {
			f := d.deploy()
			d.first = read(d.t, f.invoke(d.event))
			d.cloud.called()
			d.cloud.ForgetTokens()
			d.cloud.pass(40 * time.Minute)
			f.Kill()
			d.second = read(d.t, f.invoke(d.event))
		},
		calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}, outcome: snapshot.OutcomeReplayed, late: true,
	},
	"the other platform": {
		play: func(d *delivered) {
			d.first = read(d.t, d.deploy().invoke(d.event))
			d.cloud.called()
			other := d.deployment
			other.platform = map[runtimeapi.Platform]runtimeapi.Platform{runtimeapi.FC: runtimeapi.Lambda, runtimeapi.Lambda: runtimeapi.FC}[other.platform]
			d.second = read(d.t, d.cloud.deploy(d.t, other).invoke(d.event))
		},
		calls: oneCall, outcome: snapshot.OutcomeCreated,
	},
}

// timedOrder is an order whose event has a time.
const timedOrder = "event-eventbridge-fc.json"

// TestRedelivery delivers one event twice, in every way that platforms have: there is one snapshot.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	for name, way := range redeliveries {
		for _, event := range []string{"timer-fc.json", "timer-constant.json", "event-order.json", timedOrder, "event-raw.json", "http-fc-post.json"} {
			t.Run(name+"/"+event, func(t *testing.T) {
				t.Parallel()
				onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
					held := newGate()
					d := &delivered{
						t: t, held: held, event: fixture(t, event),
						deployment: deployment{platform: platform, name: functionOf(event), policy: scheduled},
						cloud:      newCloudAt(t, night, func(c *simulator.Config) { c.Sleep = held.hold }),
					}
					way.play(d)
					d.cloud.wantSnapshots(t, 1)
					if functionOf(event) == timer {
						way.checkTick(d)
						return
					}
					calls := way.calls
					if way.late && event == timedOrder {
						calls = oneList
					}
					d.cloud.wantCalls(t, calls)
					first, second := d.first.only(t), d.second.only(t)
					wantOutcome(t, second, way.outcome)
					if id := d.cloud.Snapshots()[0].ID; first.SnapshotID != id || second.SnapshotID != id {
						t.Errorf("the answers name %q and %q, the snapshot is %q", first.SnapshotID, second.SnapshotID, id)
					}
				})
			})
		}
	}
}

// checkTick checks the second delivery of a tick.
func (a again) checkTick(d *delivered) {
	d.t.Helper()
	calls := a.tickCalls
	if calls == nil {
		calls = oneList
	}
	d.cloud.wantCalls(d.t, calls)
	if got := len(d.second.results); got != 2 {
		d.t.Fatalf("there are %d results, want one for each target: %+v", got, d.second.results)
	}
	wantOutcome(d.t, d.second.results[0], a.tickOutcome)
	wantOutcome(d.t, d.second.results[1], "")
}

// TestSameTick shows that ticks of Function Compute, of EventBridge and of the Scheduler for the same minute, and the
// schedule itself, mean the same snapshot, even where the API shows it late.
func TestSameTick(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		for name, c := range map[string]struct {
			lag     simulator.Lag
			calls   map[string]int
			outcome snapshot.Outcome
		}{
			"listed":     {calls: oneList},
			"not listed": {lag: simulator.Lag{Created: time.Hour}, calls: oneDue, outcome: snapshot.OutcomeCreated},
		} {
			account := newCloudAt(t, night, func(config *simulator.Config) { config.Lag = c.lag })
			first := read(t, account.deploy(t, deployment{platform: platform, name: timer, policy: scheduled}).invoke(fixture(t, "timer-fc.json")))
			wantOutcome(t, first.results[0], snapshot.OutcomeCreated)
			for _, event := range []string{"timer-eventbridge.json", "timer-scheduler.json", "timer-targets-fc.json", "timer-constant.json"} {
				account.called()
				got := read(t, account.deploy(t, deployment{platform: platform, name: timer, policy: scheduled}).invoke(fixture(t, event)))
				wantOutcome(t, got.results[0], c.outcome)
				if got := account.called(); !reflect.DeepEqual(got, c.calls) {
					t.Errorf("%s, %s: the API was called %v, want %v", name, event, got, c.calls)
				}
			}
			account.wantSnapshots(t, 1)
		}
	})
}

// TestPoisonedBatch shows that a message which cannot be read keeps none of its batch from being done, and is the only
// one to come again.
func TestPoisonedBatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloudAt(t, night)
		f := c.deploy(t, deployment{platform: platform, name: event})
		for range 3 { // SQS delivers it until its redrive limit
			got := read(t, f.invoke(fixture(t, "event-sqs-poison.json")))
			if len(got.failed) != 1 || got.failed[0] != poison {
				t.Errorf("the failed messages are %v, want only %s", got.failed, poison)
			}
		}
		c.wantCalls(t, oneCall)
		c.wantSnapshots(t, 1)
	})
}
