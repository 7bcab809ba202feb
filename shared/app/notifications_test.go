package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/webhook"
)

// A robot that hangs costs users a notification, never the answer: the context of its request ends before the deadline
// of the platform.
func TestSendLeavesTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	var given time.Time
	robot := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		given, _ = r.Context().Deadline()
		return httptest.NewRecorder().Result(), nil
	})}
	n := &notifications{}
	n.add(context.Background(), snapshot.Notification{Kind: snapshot.NotifyFailed, Key: "k"})
	deadline := time.Now().Add(time.Second)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	on := []snapshot.NotificationKind{snapshot.NotifyFailed}
	rule := policy.Notify{URL: "https://robot.invalid/", Form: "json", On: on}
	n.send(ctx, notify.New([]policy.Notify{rule}, robot, nil, nil), time.Minute)
	if given.IsZero() || given.After(deadline.Add(-answerTime)) {
		t.Errorf("the robot has until %s, the answer is due at %s", given, deadline)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// One notification of two targets on one disk is sent once: a second one at the same time would count as sent while the
// first fails.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	n := &notifications{}
	for _, key := range []string{"done:s-1", "done:s-1", "done:s-2", "", ""} {
		n.add(t.Context(), snapshot.Notification{Kind: snapshot.NotifyDone, Key: key})
	}
	if len(n.all) != 4 {
		t.Errorf("%d notifications are kept, want 4: %+v", len(n.all), n.all)
	}
}

// Sending notifications ends by the time at which a chat needs its answer; other callers have no such time.
func TestNotificationsCountAgainstTheBudget(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	rules := "region: cn-hangzhou\ntargets: {web-1: {disk: " + testDisk + "}}\n" +
		"allow: [{from: slack, tenant: T1, targets: [web-1], actions: [list]}]\n"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{"SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef"}
	getenv := func(name string) string { return variables[name] }
	p, err := policy.Load(file, getenv)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := webhook.NewSample(p.Allow[0], webhook.SecretsFromEnv(getenv), time.Now(), "0123456789ab")
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for name := range sample.Header {
		headers[name] = sample.Header.Get(name)
	}
	for path, c := range map[string]struct {
		method  string
		limited bool
	}{sample.Path: {http.MethodPost, true}, "/healthz": {http.MethodGet, false}} {
		event, _ := json.Marshal(map[string]any{
			"version": "v1", "rawPath": path, "headers": headers, "body": string(sample.Body),
			"requestContext": map[string]any{"requestId": "req-1", "http": map[string]string{"method": c.method}},
		})
		f := newHTTPFunction(getenv, slog.New(slog.DiscardHandler))
		i := &invocation{log: f.log, policy: p, service: &snapshot.Service{Policy: p.Policy}}
		start := time.Now()
		body, err := f.serve(t.Context(), i, event)
		if err != nil || i.record.http.status != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, body, err)
		}
		by := i.record.answerBy
		if by.IsZero() == c.limited || c.limited && by.After(start.Add(3*time.Second)) {
			t.Errorf("%s: the answer is due at %s, the request came at %s", path, by, start)
		}
	}
}

func TestNotifyMax(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		record   *record
		min, max time.Duration
	}{
		"Timer":   {&record{}, 4 * time.Second, 4 * time.Second},
		"HTTP":    {&record{http: &exchange{}}, time.Second, time.Second},
		"Chat":    {&record{http: &exchange{}, answerBy: time.Now().Add(time.Minute)}, time.Second, time.Second},
		"LateOne": {&record{http: &exchange{}, answerBy: time.Now().Add(-time.Hour)}, -2 * time.Hour, 0},
	} {
		if got := c.record.notifyMax(); got < c.min || got > c.max {
			t.Errorf("%s: notifications may take %s, want %s to %s", name, got, c.min, c.max)
		}
	}
}
