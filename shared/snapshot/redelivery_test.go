package snapshot_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestRedelivery: the same order again, in this process, in another, and once the API has forgotten the token.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*snapshot.Order){
		"with time":    func(o *snapshot.Order) { o.Time = time.Now() },
		"without time": func(*snapshot.Order) {},
		"explicit key": func(o *snapshot.Order) { o.ExplicitKey = true },
		"own token":    func(o *snapshot.Order) { o.ClientToken = "mine with http://" },
		"own name":     func(o *snapshot.Order) { o.SnapshotName = "mine" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
				o := order("deploy", "k")
				change(&o)
				s := a.service()
				first := takeBy(s, o, time.Minute)
				a.wantCalls(create)
				if again := takeBy(s, o, time.Minute); again.Outcome != snapshot.OutcomeReplayed ||
					again.SnapshotID != first.SnapshotID {
					t.Errorf("same process: %q %s", again.Outcome, again.SnapshotID)
				}
				a.wantCalls()
				if got := a.take(o); got.Error != nil || got.SnapshotID != first.SnapshotID {
					t.Errorf("other process: %q %s %v", got.Outcome, got.SnapshotID, got.Error)
				}
				a.wantCalls(create)
				for _, later := range []time.Duration{0, 50 * time.Minute} { // in progress, then accomplished
					a.ForgetTokens()
					time.Sleep(later)
					if got := a.take(o); got.Outcome != snapshot.OutcomeReplayed || got.SnapshotID != first.SnapshotID {
						t.Errorf("forgotten token: %q %s %v", got.Outcome, got.SnapshotID, got.Error)
					}
				}
				if n := len(a.ids()); n != 1 {
					t.Errorf("%d snapshots", n)
				}
			})
		})
	}
}

// TestExplicitKeyInTwoMessages: a caller who repeats an order puts it into a new message, with a new time. The key is the
// event, so it is the same order all the same.
func TestExplicitKeyInTwoMessages(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]snapshot.Order{
		"key":          {Target: "web-1", Role: "deploy", Sender: "event", Key: "deployment:42", ExplicitKey: true},
		"client token": {DiskID: "d-1", Role: "deploy", Sender: "event", Key: "message:1", ClientToken: "42"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("deploy", 2)))
				o.Time = time.Now()
				first := a.take(o)
				time.Sleep(3 * time.Minute)
				o.Time = time.Now().Add(-time.Minute)
				again := a.take(o)
				if first.Error != nil || again.Error != nil || again.SnapshotID != first.SnapshotID ||
					again.SnapshotName != first.SnapshotName {
					t.Errorf("got %+v, then %+v", first, again)
				}
			})
		})
	}
}

// TestUsedKey: a key that was used for another order is refused.
func TestUsedKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		policy := web(slots("deploy", 1), slots("manual", 1))
		policy.Targets = append(policy.Targets, snapshot.Target{Name: "data", DiskID: "d-2"})
		a := newAccount(t, policy)
		o := order("deploy", "k")
		o.ExplicitKey = true
		s := a.service()
		takeBy(s, o, time.Minute)
		for name, change := range map[string]func(*snapshot.Order){
			"other disk": func(o *snapshot.Order) { o.Target = "data" },
			"other role": func(o *snapshot.Order) { o.Role = "manual" },
			"other tags": func(o *snapshot.Order) { o.Tags = []snapshot.Tag{{Key: "a", Value: "b"}} },
		} {
			other := o
			change(&other)
			for _, process := range []*snapshot.Service{s, a.service()} {
				if got := takeBy(process, other, time.Minute); code(got) != snapshot.CodeMismatch || got.Error.Retryable ||
					got.Outcome != "" {
					t.Errorf("%s: got %q %v", name, got.Outcome, got.Error)
				}
			}
			a.sent = nil
			other.Unread = true
			if takeBy(a.service(), other, time.Minute); len(a.sent) != 1 || a.sent[0].Kind != snapshot.NotifyFailed {
				t.Errorf("%s, and no caller reads the answer: notified %+v", name, a.sent)
			}
		}
		if n := len(a.ids()); n != 1 {
			t.Errorf("%d snapshots", n)
		}
	})
}

// TestFlightsShareOneCall: equal orders of one process that are in flight at once make one call.
func TestFlightsShareOneCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("deploy", 1)))
		a.Fault(simulator.Fault{Action: create, Delay: 5 * time.Second})
		s := a.service()
		results := make([]snapshot.Result, 9)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				results[i] = takeBy(s, order("deploy", "k"), time.Minute)
			})
		}
		var other, early snapshot.Result
		all.Go(func() {
			time.Sleep(time.Second)
			o := order("deploy", "k")
			o.Tags = []snapshot.Tag{{Key: "a", Value: "b"}}
			other = takeBy(s, o, time.Minute)
			early = takeBy(s, order("deploy", "k"), 2*time.Second)
		})
		all.Wait()
		for i, got := range results {
			want := snapshot.OutcomeReplayed
			if i == 0 {
				want = snapshot.OutcomeCreated
			}
			if got.Outcome != want || got.SnapshotID != results[0].SnapshotID || got.SnapshotID == "" {
				t.Errorf("%d: got %q %s %v", i, got.Outcome, got.SnapshotID, got.Error)
			}
		}
		if code(other) != snapshot.CodeMismatch {
			t.Errorf("the key is in flight for another order: %q %v", other.Outcome, other.Error)
		}
		if early.Outcome != snapshot.OutcomeDeferred || code(early) != snapshot.CodeNoTime {
			t.Errorf("the time is over before the first one is done: %q %v", early.Outcome, early.Error)
		}
		a.wantCalls(create)
	})
}

// TestTwins: equal orders of one array share one call, and orders for several disks do not wait for each other.
func TestTwins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		policy := web(slots("deploy", 1))
		policy.Targets = append(policy.Targets, snapshot.Target{Name: "data", DiskID: "d-2"})
		a := newAccount(t, policy)
		a.Fault(simulator.Fault{Action: create, Delay: 5 * time.Second, Count: 2})
		start := time.Now()
		got := a.service().TakeAll(t.Context(), []snapshot.Order{order("deploy", "k"), order("deploy", "k"), {Target: "data",
			Key: "l"}})
		if got[0].Outcome != snapshot.OutcomeCreated || got[1].Outcome != snapshot.OutcomeReplayed ||
			got[0].SnapshotID != got[1].SnapshotID ||
			got[2].Outcome != snapshot.OutcomeCreated || time.Since(start) > 6*time.Second {
			t.Errorf("got %q %q %q after %s", got[0].Outcome, got[1].Outcome, got[2].Outcome, time.Since(start))
		}
		a.wantCalls(create, create)
	})
}

// panics is an API whose CreateSnapshot panics.
type panics struct{ snapshot.API }

func (panics) CreateSnapshot(context.Context, snapshot.Request) (snapshot.Created, error) {
	panic("a defect of the client")
}

// TestPanicFreesFollowers: a panic of the client leaves no order in flight behind.
func TestPanicFreesFollowers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("deploy", 1)))
		s := a.service()
		api := s.API
		s.API = panics{api}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			takeBy(s, order("deploy", "k"), time.Minute)
		}()
		s.API = api
		if got := takeBy(s, order("deploy", "k"), time.Minute); got.Outcome != snapshot.OutcomeCreated {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
}

// TestConcurrentTakes is for the race detector: many orders of one process at once.
func TestConcurrentTakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("deploy", 1)))
		s := a.service()
		s.Notify = nil
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() { takeBy(s, order("deploy", fmt.Sprint(i%4)), time.Hour) })
		}
		all.Wait()
		if n := len(a.ids()); n < 1 || n > 3 {
			t.Errorf("%d snapshots", n)
		}
	})
}
