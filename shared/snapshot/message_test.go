package snapshot

import (
	"testing"
	"time"
)

// TestExplicitKeyInTwoMessages: a caller who sends his order again puts it into a new message, with a new time. The key
// is the event, so it is the same order all the same.
func TestExplicitKeyInTwoMessages(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]Order{
		"key":          {Target: "web-1", Sender: "event", Key: "deployment:42", ExplicitKey: true},
		"client token": {DiskID: "d-web", RegionID: home, Sender: "event", Key: "message:1", ClientToken: "42"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"deploy", 2})
			order.Time = epoch
			first := w.Take(within(w.clock, time.Minute), order)
			w.clock.advance(3 * time.Minute)
			w.restart()
			order.Time = epoch.Add(2 * time.Minute)
			again := w.Take(within(w.clock, time.Minute), order)
			if first.Error != nil || again.Error != nil || again.SnapshotID != first.SnapshotID || again.SnapshotName != first.SnapshotName {
				t.Errorf("got %+v, then %+v", first, again)
			}
		})
	}
}
