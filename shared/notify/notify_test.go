package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// What package notify bounds: the bytes of a reply, and the keys that it remembers.
const (
	replyMax   = 64 << 10
	remembered = 1024
)

func now() time.Time { return noon }

var notification = snapshot.Notification{
	Kind: snapshot.NotifyFailed, Target: "web-1", RegionID: "cn-hangzhou", DiskID: "d-1", SnapshotID: "s-1",
	SnapshotName: "daily-web-1",
	What:         "the API refused", Advice: "free a slot", Since: noon.Add(-time.Hour), Key: "failed s-1",
}

// robot is a server that gives its answers in turn, the last one from then on, and keeps its requests.
type robot struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]byte
}

func newRobot(t *testing.T, answers ...http.HandlerFunc) *robot {
	r := &robot{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		answer := answers[min(len(r.requests), len(answers)-1)]
		r.requests, r.bodies = append(r.requests, request), append(r.bodies, body)
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *robot) calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

func (r *robot) rule(form string, on ...snapshot.NotificationKind) policy.Notify {
	if len(on) == 0 {
		on = []snapshot.NotificationKind{snapshot.NotifyFailed}
	}
	return policy.Notify{URL: r.URL + "/robot/send?access_token=hidden-token", Form: form, On: on}
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// A robot's reply decides whether a notification was sent: two tries, then a line in the log without the URL.
func TestSendTries(t *testing.T) {
	t.Parallel()
	taken := map[string]string{"dingtalk": `{"errcode":0,"errmsg":"ok"}`, "feishu": `{"code":0,"msg":"success"}`,
		"slack": "ok", "json": ""}
	tests := map[string]struct {
		form    string
		answers []http.HandlerFunc
		calls   int
		log     string // in the log line; empty: no line
	}{
		"DingTalk":          {"dingtalk", []http.HandlerFunc{reply(200, taken["dingtalk"])}, 1, ""},
		"Feishu":            {"feishu", []http.HandlerFunc{reply(200, taken["feishu"])}, 1, ""},
		"FeishuOld":         {"feishu", []http.HandlerFunc{reply(200, `{"StatusCode":0,"StatusMessage":"success"}`)}, 1, ""},
		"Slack":             {"slack", []http.HandlerFunc{reply(200, "ok")}, 1, ""},
		"JSON":              {"json", []http.HandlerFunc{reply(204, "")}, 1, ""},
		"SecondTry":         {"slack", []http.HandlerFunc{reply(500, ""), reply(200, "ok")}, 2, ""},
		"SecondTryAfterCut": {"dingtalk", []http.HandlerFunc{cut, reply(200, taken["dingtalk"])}, 2, ""},
		"Status":            {"json", []http.HandlerFunc{reply(503, "")}, 2, "HTTP 503"},
		"Redirect": {"json", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}}, 2, "HTTP 307"},
		"Cut": {"json", []http.HandlerFunc{cut}, 2, "failed to reach robot"},
		"DingTalkRefuses": {"dingtalk", []http.HandlerFunc{reply(200, `{"errcode":310000,"errmsg":"sign not match"}`)},
			2, "code 310000"},
		"DingTalkUnknown": {"dingtalk", []http.HandlerFunc{reply(200, `{}`)}, 2, "without a code"},
		"DingTalkText":    {"dingtalk", []http.HandlerFunc{reply(200, `ok`)}, 2, "without a code"},
		"DingTalkStatus":  {"dingtalk", []http.HandlerFunc{reply(500, taken["dingtalk"])}, 2, "HTTP 500"},
		"FeishuRefuses": {"feishu", []http.HandlerFunc{reply(200, `{"code":19021,"msg":"sign match fail"}`)}, 2,
			"code 19021"},
		"FeishuRefusesWithBoth": {"feishu", []http.HandlerFunc{reply(200, `{"StatusCode":0,"code":19024}`)}, 2, "code 19024"},
		"FeishuUnknown":         {"feishu", []http.HandlerFunc{reply(200, `[]`)}, 2, "without a code"},
		"FeishuEmpty":           {"feishu", []http.HandlerFunc{reply(200, ``)}, 2, "without a code"},
		"ReplyTooLong": {"feishu", []http.HandlerFunc{reply(200, strings.Repeat(" ", replyMax)+taken["feishu"])}, 2,
			"without a code"},
		"ReplyJustShort": {"feishu",
			[]http.HandlerFunc{reply(200, strings.Repeat(" ", replyMax-len(taken["feishu"]))+taken["feishu"])}, 1, ""},
		"UnknownForm": {"pigeon", []http.HandlerFunc{reply(200, "ok")}, 0, "no known form"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			robot := newRobot(t, test.answers...)
			var log bytes.Buffer
			notifier := notify.New([]policy.Notify{robot.rule(test.form)}, nil, now, slog.New(slog.NewTextHandler(&log, nil)))
			notifier.Send(t.Context(), notification)
			if got := robot.calls(); got != test.calls {
				t.Errorf("%d calls, want %d", got, test.calls)
			}
			line := log.String()
			if !strings.Contains(line, test.log) || test.log == "" && line != "" {
				t.Errorf("log %q, want %q", line, test.log)
			}
			if test.log != "" && (!strings.Contains(line, "host=127.0.0.1 ") || !strings.Contains(line, "target=web-1") ||
				strings.Count(line, "\n") != 1) {
				t.Errorf("log %q does not name the robot and the notification in one line", line)
			}
			if strings.Contains(line, "hidden-token") || strings.Contains(line, "/robot/send") {
				t.Errorf("log %q has the URL", line)
			}
		})
	}
}

func TestSendOncePerKey(t *testing.T) {
	t.Parallel()
	robot, other := newRobot(t, reply(200, "ok")), newRobot(t, reply(200, "ok"))
	notifier := notify.New([]policy.Notify{robot.rule("slack"),
		other.rule("json", snapshot.NotifyFailed, snapshot.NotifyDone)}, nil, now, nil)
	var senders sync.WaitGroup
	for range 10 {
		senders.Go(func() { notifier.Send(t.Context(), notification) })
	}
	senders.Wait()
	if robot.calls() != 1 || other.calls() != 1 {
		t.Errorf("%d and %d calls for one notification, want 1 each", robot.calls(), other.calls())
	}
	second := notification
	second.Key = "failed s-2"
	notifier.Send(t.Context(), second)
	if robot.calls() != 2 || other.calls() != 2 {
		t.Errorf("%d and %d calls for two notifications, want 2 each", robot.calls(), other.calls())
	}
	for range 2 {
		notifier.Send(t.Context(), snapshot.Notification{Kind: snapshot.NotifyDone})
	}
	if robot.calls() != 2 || other.calls() != 4 {
		t.Errorf("%d and %d calls: notifications without a key are sent each time, where a rule names them", robot.calls(),
			other.calls())
	}
}

func TestSendAgainAfterFailure(t *testing.T) {
	t.Parallel()
	robot := newRobot(t, reply(500, ""), reply(500, ""), reply(200, "ok"))
	notifier := notify.New([]policy.Notify{robot.rule("slack")}, nil, now, nil)
	for range 3 {
		notifier.Send(t.Context(), notification)
	}
	notifier.Send(t.Context(), snapshot.Notification{Kind: snapshot.NotifyDone, Key: "not in the rule"})
	if got := robot.calls(); got != 3 {
		t.Errorf("%d calls, want 3: two tries that failed, one that did not, then none", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	robot := newRobot(t, reply(200, "ok"))
	var calls atomic.Int64
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		calls.Add(1)
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})}
	notifier := notify.New([]policy.Notify{robot.rule("slack")}, client, now, nil)
	send := func(n int) {
		one := notification
		one.Key = strings.Repeat("k", n)
		notifier.Send(t.Context(), one)
	}
	for n := range remembered + 1 {
		send(n + 1)
	}
	send(2)
	if got := calls.Load(); got != remembered+1 {
		t.Errorf("%d calls: the second key should be remembered", got)
	}
	send(1)
	if got := calls.Load(); got != remembered+2 {
		t.Errorf("%d calls: the first key should be forgotten", got)
	}
}

// roundTrip is a transport in a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Each try has its own time; the end of the context ends the tries.
func TestSendDeadline(t *testing.T) {
	t.Parallel()
	rule := policy.Notify{URL: "https://robot.example/send?token=hidden", Form: "slack",
		On: []snapshot.NotificationKind{snapshot.NotifyFailed}}
	var deadlines []time.Time
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		deadline, ok := r.Context().Deadline()
		if left := time.Until(deadline); !ok || left > notify.TryTimeout {
			t.Errorf("a try may take %s", left)
		}
		deadlines = append(deadlines, deadline)
		return nil, errors.New("no route")
	})}
	notify.New([]policy.Notify{rule}, client, now, nil).Send(t.Context(), notification)
	if len(deadlines) != notify.Tries || !deadlines[1].After(deadlines[0]) {
		t.Errorf("deadlines %v, want one for each of %d tries", deadlines, notify.Tries)
	}

	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	client.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
		calls++
		cancel()
		return nil, context.Canceled
	})
	notify.New([]policy.Notify{rule}, client, now, nil).Send(ctx, notification)
	if calls != 1 {
		t.Errorf("%d tries after the context ended", calls)
	}
}

func TestSendUnreadableURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://h/%zz?hidden", "hidden", "https://h:hidden/"} {
		for _, form := range []string{"dingtalk", "slack"} {
			var log bytes.Buffer
			rule := policy.Notify{URL: address, Form: form, Secret: "hidden",
				On: []snapshot.NotificationKind{snapshot.NotifyFailed}}
			notify.New([]policy.Notify{rule}, nil, now, slog.New(slog.NewTextHandler(&log, nil))).Send(t.Context(), notification)
			if line := log.String(); line == "" || strings.Contains(line, "hidden") {
				t.Errorf("%s: log %q", address, line)
			}
		}
	}
}

// What reaches a robot: valid JSON in its own form, signed where there is a secret.
func TestSendBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		form, secret string
		query, body  string
	}{
		"DingTalk": {"dingtalk", "", "access_token=hidden-token",
			`{"msgtype":"markdown","markdown":{"title":"A snapshot of web-1 failed",` +
				`"text":"### A snapshot of web-1 failed\n\nWhat happened: the API refused\n\n` +
				`What to do: free a slot\n\nSince: 2026-03-01 11:00 UTC\n\n` +
				`Where: region cn-hangzhou, disk d-1, snapshot s-1, name daily-web-1"}}`},
		"DingTalkSigned": {"dingtalk", "this is secret",
			"access_token=hidden-token&sign=VD490SCe87Ta%2Fxy1zOKs5e1DyfR5JytSZbrvBO%2Bo%2Fu4%3D&timestamp=1772366400000", ""},
		"Feishu": {"feishu", "", "access_token=hidden-token",
			`{"msg_type":"post","content":{"post":{"zh_cn":{"title":"A snapshot of web-1 failed",` +
				`"content":[[{"tag":"text","text":"What happened: the API refused"}],` +
				`[{"tag":"text","text":"What to do: free a slot"}],[{"tag":"text","text":"Since: 2026-03-01 11:00 UTC"}],` +
				`[{"tag":"text","text":"Where: region cn-hangzhou, disk d-1, snapshot s-1, name daily-web-1"}]]}}}}`},
		"Slack": {"slack", "", "access_token=hidden-token",
			`{"text":"A snapshot of web-1 failed\nWhat happened: the API refused\nWhat to do: free a slot\n` +
				`Since: 2026-03-01 11:00 UTC\nWhere: region cn-hangzhou, disk d-1, snapshot s-1, name daily-web-1",` +
				`"mrkdwn":false}`},
		"JSON": {"json", "", "access_token=hidden-token",
			`{"kind":"failed","target":"web-1","regionId":"cn-hangzhou","diskId":"d-1","snapshotId":"s-1",` +
				`"snapshotName":"daily-web-1",` +
				`"what":"the API refused",` +
				`"mend":"free a slot","since":"2026-03-01T11:00:00Z","key":"failed s-1",` +
				`"text":"A snapshot of web-1 failed\nWhat happened: the API refused\nWhat to do: free a slot\n` +
				`Since: 2026-03-01 11:00 UTC\nWhere: region cn-hangzhou, disk d-1, snapshot s-1, name daily-web-1"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			robot := newRobot(t, reply(200, `{"errcode":0,"code":0}`))
			rule := robot.rule(test.form)
			rule.Secret = test.secret
			notify.New([]policy.Notify{rule}, nil, now, nil).Send(t.Context(), notification)
			if robot.calls() != 1 {
				t.Fatalf("%d calls", robot.calls())
			}
			request := robot.requests[0]
			if request.Method != http.MethodPost || request.URL.Path != "/robot/send" ||
				request.Header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Errorf("got %s %s, %s", request.Method, request.URL.Path, request.Header.Get("Content-Type"))
			}
			if request.URL.RawQuery != test.query {
				t.Errorf("query %s\nwant  %s", request.URL.RawQuery, test.query)
			}
			if body := string(robot.bodies[0]); test.body != "" && body != test.body {
				t.Errorf("body %s\nwant %s", body, test.body)
			}
		})
	}
}

// A Feishu bot with a secret finds time and signature in the body; both change with the time of the try.
func TestFeishuSigned(t *testing.T) {
	t.Parallel()
	robot := newRobot(t, reply(200, `{"code":0}`))
	rule := robot.rule("feishu")
	rule.Secret = "demo"
	at := time.Unix(1599360473, 0)
	notify.New([]policy.Notify{rule}, nil, func() time.Time { return at }, nil).Send(t.Context(), notification)
	var body struct{ Timestamp, Sign string }
	if err := json.Unmarshal(robot.bodies[0], &body); err != nil {
		t.Fatal(err)
	}
	if body.Timestamp != "1599360473" || body.Sign != "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=" {
		t.Errorf("got %+v", body)
	}
}
