package e2e

import (
	"context"
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
	calls   map[string]int   // of the second delivery
	outcome snapshot.Outcome // of the second delivery
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
			d.cloud.Fault(simulator.Fault{Delay: time.Hour})
			f := d.deploy()
			ended := make(chan runtimeapi.Answer)
			go func() {
				answer, _ := f.Invoke(context.Background(), d.event)
				ended <- answer
			}()
			<-d.held.arrived
			f.Kill()
			if answer := <-ended; !answer.Crashed {
				d.t.Errorf("the invocation did not crash: %s", answer.Payload)
			}
			d.cloud.called()
			d.second = read(d.t, f.invoke(d.event))
			d.first = d.second // nobody saw the first answer
		},
		calls: oneCall, outcome: snapshot.OutcomeCreated,
	},
	"two processes at once": {
		play: func(d *delivered) {
			d.cloud.Fault(simulator.Fault{Delay: time.Hour, Count: 2})
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
			<-d.held.arrived
			<-d.held.arrived
			close(d.held.open)
			both.Wait()
		},
		calls: map[string]int{"CreateSnapshot": 2}, outcome: snapshot.OutcomeCreated,
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
			d.cloud.pass(time.Hour)
			f.Kill()
			d.second = read(d.t, f.invoke(d.event))
			if got := d.second.only(d.t).Status; got != snapshot.Accomplished {
				d.t.Errorf("the status is %q, want %q", got, snapshot.Accomplished)
			}
		},
		calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}, outcome: snapshot.OutcomeReplayed,
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

// TestRedelivery delivers one event twice, in every way that platforms have: there is one snapshot.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	for name, way := range redeliveries {
		for _, event := range []string{"timer-fc.json", "event-order.json", "event-eventbridge-fc.json", "event-raw.json", "http-fc-post.json"} {
			t.Run(name+"/"+event, func(t *testing.T) {
				t.Parallel()
				onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
					held := newGate()
					d := &delivered{
						t: t, held: held, event: fixture(t, event), deployment: deployment{platform: platform, name: functionOf(event)},
						cloud: newCloud(t, func(c *simulator.Config) { c.Sleep = held.hold }),
					}
					way.play(d)
					d.cloud.wantCalls(t, way.calls)
					d.cloud.wantSnapshots(t, 1)
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

// TestSameTick shows that a tick of Function Compute, one of EventBridge and one of the Scheduler for the same minute
// mean the same snapshot.
func TestSameTick(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		f := c.deploy(t, deployment{platform: platform, name: "timer"})
		wantOutcome(t, read(t, f.invoke(fixture(t, "timer-fc.json"))).only(t), snapshot.OutcomeCreated)
		for _, event := range []string{"timer-eventbridge.json", "timer-scheduler.json", "timer-targets-fc.json"} {
			wantOutcome(t, read(t, f.invoke(fixture(t, event))).only(t), snapshot.OutcomeReplayed)
		}
		c.wantCalls(t, oneCall)
		c.wantSnapshots(t, 1)
	})
}

// TestPoisonedBatch shows that a message which cannot be read keeps none of its batch from being done, and is the only
// one to come again.
func TestPoisonedBatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		f := c.deploy(t, deployment{platform: platform, name: "event"})
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
