package wiring

import (
	"context"
	"encoding/json"
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

// TestNotificationsCountAgainstTheBudget shows that sending notifications ends by the time at which a chat needs its answer; other callers have none.
func TestNotificationsCountAgainstTheBudget(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	rules := "region: cn-hangzhou\ntargets: {web-1: {disk: " + testDisk + "}}\n" +
		"allow: [{from: slack, tenant: T1, targets: [web-1], actions: [list]}]\n"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{"SNAPSHOTS_FILE": file, "SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef"}
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
	do := New("http", getenv).HTTP()
	for path, limited := range map[string]bool{sample.Path: true, "/healthz": false} {
		method := map[bool]string{true: http.MethodPost, false: http.MethodGet}[limited]
		event, _ := json.Marshal(map[string]any{
			"version": "v1", "rawPath": path, "headers": headers, "body": string(sample.Body),
			"requestContext": map[string]any{"requestId": "req-1", "http": map[string]string{"method": method}},
		})
		start := time.Now()
		answered := do(t.Context(), &Invocation{Service: &snapshot.Service{Policy: p.Policy}}, event)
		if answered.Err != nil || answered.exchange.status != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, answered.Body, answered.Err)
		}
		if answered.writeBy.IsZero() == limited || limited && answered.writeBy.After(start.Add(3*time.Second)) {
			t.Errorf("%s: the answer is due at %s, the request came at %s", path, answered.writeBy, start)
		}
		if got := answered.patience(time.Hour); (got < 3*time.Second) != limited || !limited && got != time.Hour {
			t.Errorf("%s: notifications may take %s", path, got)
		}
	}
	if got := (Answered{writeBy: time.Now().Add(time.Minute)}).patience(time.Second); got != time.Second {
		t.Errorf("notifications may take %s, want no more than their limit", got)
	}
}
