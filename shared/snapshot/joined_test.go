package snapshot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// numbered returns the order of the n-th of several events at midnight.
func numbered(n int) snapshot.Order {
	o := order("deploy", fmt.Sprintf("k-%d", n))
	o.Time = time.Now().Truncate(day)
	return o
}

// TestJoinedOrders: five orders join the snapshot that is being taken, the sixth is deferred. Each stays done, in every
// process, as long as that snapshot exists, and one snapshot is taken for all of them.
func TestJoinedOrders(t *testing.T) {
	t.Parallel()
	for _, replace := range []bool{false, true} {
		t.Run(fmt.Sprintf("TagResources replaces %v", replace), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)),
					func(c *simulator.Config) { c.ReplaceTags = replace })
				host := a.take(numbered(0))
				for n := 1; n <= 5; n++ {
					got := a.take(numbered(n))
					if replace && n > 1 {
						break // this API loses the marks of the others
					}
					if got.Outcome != snapshot.OutcomeJoined || got.SnapshotID != host.SnapshotID ||
						got.Status != snapshot.Progressing {
						t.Fatalf("order %d: %q %v", n, got.Outcome, got.Error)
					}
				}
				tags := a.Snapshots()[0].Tags
				for _, key := range []string{snapshot.TagToken, snapshot.TagMeta} {
					if !slices.ContainsFunc(tags, func(t simulator.Tag) bool { return t.Key == key && t.Value != "" }) {
						t.Errorf("the tag %s is lost: %v", key, tags)
					}
				}
				if replace {
					return
				}
				if got := a.take(numbered(6)); got.Outcome != snapshot.OutcomeDeferred ||
					code(got) != snapshot.CodeCreatingSnapshot || !got.Error.Retryable ||
					!strings.Contains(got.Error.Message, "serves as many orders") {
					t.Errorf("the sixth: %q %v", got.Outcome, got.Error)
				}
				time.Sleep(30 * time.Minute)
				for n := range 6 {
					if got := a.take(numbered(n)); got.Outcome != snapshot.OutcomeReplayed || got.SnapshotID != host.SnapshotID {
						t.Errorf("order %d again: %q %s %v", n, got.Outcome, got.SnapshotID, got.Error)
					}
				}
				if got := a.take(numbered(6)); got.Outcome != snapshot.OutcomeReused || got.SnapshotID != host.SnapshotID {
					t.Errorf("the sixth, once its disk is free: %q %v", got.Outcome, got.Error)
				}
				if n := len(a.ids()); n != 1 {
					t.Errorf("%d snapshots", n)
				}
			})
		})
	}
}

// TestJoinedMark: the mark is the order's own meta under the hash of its token, and comes with token and meta of the host.
func TestJoinedMark(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
		a.add("s-1", "daily", time.Minute, running)
		o := order("deploy", "k")
		a.take(o)
		request, own := snapshot.Identity(a.policy, o, snapshot.Target{Name: "web-1", RegionID: region, DiskID: "d-1"})
		calls := a.Calls()
		params := calls[len(calls)-1].Params
		want := map[string]string{
			snapshot.TagToken: "token-s-1", snapshot.TagMeta: "daily/api/0123456789ab/5i5fgz",
			snapshot.JoinedTag(request.ClientToken): own,
		}
		for n := 1; n <= len(want); n++ {
			key, value := params[fmt.Sprintf("Tag.%d.Key", n)], params[fmt.Sprintf("Tag.%d.Value", n)]
			if want[key] != value || value == "" {
				t.Errorf("tag %s is %q, want %q", key, value, want[key])
			}
		}
		if _, more := params["Tag.4.Key"]; more || !strings.HasPrefix(own, "deploy/api/") {
			t.Errorf("got %v", params)
		}
	})
}

// TestJoinNotConfirmed: without an answer to TagResources the order is deferred, not joined.
func TestJoinNotConfirmed(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]simulator.Fault{
		"lost": lost(tag, false), "lost with effect": lost(tag, true), "forbidden": refusal(tag, "NoPermission"),
		"throttled":      refusal(tag, "Throttling.User"),
		"unknown answer": refusal(tag, "SomethingNew"),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
				a.add("s-1", "daily", time.Minute, running)
				a.Fault(forever(f))
				got := a.take(order("deploy", "k"))
				if got.Outcome != snapshot.OutcomeDeferred || got.Error == nil || !got.Error.Retryable || got.SnapshotID != "" {
					t.Errorf("got %q %s %v", got.Outcome, got.SnapshotID, got.Error)
				}
				a.ClearFaults()
				if got := a.take(order("deploy", "k")); got.Error != nil || got.SnapshotID != "s-1" {
					t.Errorf("again: %q %s %v", got.Outcome, got.SnapshotID, got.Error)
				}
			})
		})
	}
}

// TestNoRoomForTag: a snapshot with 20 tags takes no mark.
func TestNoRoomForTag(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
		a.add("s-1", "daily", time.Minute, running, func(one *simulator.Snapshot) {
			for n := len(one.Tags); n < 20; n++ {
				one.Tags = append(one.Tags, simulator.Tag{Key: fmt.Sprint("k", n)})
			}
		})
		if got := a.take(order("deploy", "k")); got.Outcome != snapshot.OutcomeDeferred ||
			code(got) != snapshot.CodeCreatingSnapshot {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
}

// TestFailedHostNamesItsOrders: when a snapshot with joined orders fails, the notification names each, and the orders
// stay failed: a new attempt needs a new key.
func TestFailedHostNamesItsOrders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
		a.FailNext("d-1")
		host := a.take(order("daily", "host"))
		joined := order("deploy", "k")
		joined.Sender = "github"
		a.take(joined)
		time.Sleep(20 * time.Minute)
		if got := a.take(joined); got.SnapshotID != host.SnapshotID && got.Outcome != snapshot.OutcomeCreated {
			t.Errorf("got %q %s %v", got.Outcome, got.SnapshotID, got.Error)
		}
		a.sent = nil
		a.sweep()
		i := slices.IndexFunc(a.sent, func(n snapshot.Notification) bool { return n.Kind == snapshot.NotifyFailed })
		if i < 0 || !strings.Contains(a.sent[i].What, "2 orders waited for it: daily from api, deploy from github") {
			t.Errorf("notified %+v", a.sent)
		}
	})
}
