package wiring

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// A robot that hangs costs people their message, never the answer: the context of its request ends before the deadline of
// the platform.
func TestSendLeavesTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	var given time.Time
	robot := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		given, _ = r.Context().Deadline()
		return httptest.NewRecorder().Result(), nil
	})}
	told := &notifications{}
	told.add(context.Background(), snapshot.Notification{Kind: snapshot.NotifyFailed, Key: "k"})
	deadline := time.Now().Add(time.Second)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	rule := policy.Notify{URL: "https://robot.invalid/", Form: "json", On: []snapshot.NotificationKind{snapshot.NotifyFailed}}
	told.send(ctx, notify.New([]policy.Notify{rule}, robot, nil, nil), time.Minute)
	if given.IsZero() || given.After(deadline.Add(-answerTime)) {
		t.Errorf("the robot has until %s, the answer is due at %s", given, deadline)
	}
}

// One notification of two targets on one disk is sent once: a second Send at the same time would take it for told while the first
// fails.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	told := &notifications{}
	for _, key := range []string{"done:s-1", "done:s-1", "done:s-2", "", ""} {
		told.add(t.Context(), snapshot.Notification{Kind: snapshot.NotifyDone, Key: key})
	}
	if len(told.all) != 4 {
		t.Errorf("%d notifications are kept, want 4: %+v", len(told.all), told.all)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
