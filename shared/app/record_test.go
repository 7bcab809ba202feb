package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// TestSummary is the line that alarms and queries read.
func TestSummary(t *testing.T) {
	t.Parallel()
	const token = "sn1-a-token-that-is-the-caller's-identifier"
	done := snapshot.Result{
		Target: "web-1", RegionID: "cn-hangzhou", DiskID: "d-1", Role: "daily", Outcome: snapshot.OutcomeCreated,
		SnapshotID: "s-1",
		RequestID:  "api-1", ClientToken: token, Deleted: []snapshot.Deleted{{SnapshotID: "s-0"}, {SnapshotID: "s-00"}},
		Slots: &snapshot.SlotCount{Used: 2, Of: 3}, Warning: "look",
	}
	failed := snapshot.Result{Target: "db-1", Error: &snapshot.Error{Code: "InternalError",
		Message: "the API failed: repeat", Retryable: true}}
	actions := func(all ...action) *record { return &record{actions: all} }
	for name, c := range map[string]struct {
		record *record
		err    error
		level  string
		says   []string
	}{
		"Done": {&record{results: []snapshot.Result{done}}, nil, "INFO", []string{
			`"outcome":"created"`, `"deleted":["s-0","s-00"]`, `"slots":"2 of 3"`, `"warning":"look"`,
			`"apiRequestId":"api-1"`, `"keyHash":"`}},
		"Failed": {&record{results: []snapshot.Result{done, failed}}, nil, "ERROR",
			[]string{`"code":"InternalError"`, `"retryable":true`}},
		"NoJSON": {&record{}, platform.Failure{Type: "MalformedEvent", Message: "the input is not JSON"}, "ERROR",
			[]string{`"orders":[]`, `"code":"MalformedEvent","error":"the input is not JSON"`}},
		"Sweep": {&record{sweep: true}, nil, "INFO", []string{`"sweep":true`}},
		"Read": {&record{http: &exchange{"GET", "/plan", 200, ""}}, nil, "INFO",
			[]string{`"method":"GET","path":"/plan","status":200,"orders":[]`}},
		"Refused": {&record{http: &exchange{"POST", "/snapshots", 403, "NotAllowed"}}, nil, "INFO",
			[]string{`"code":"NotAllowed","status":403`}},
		"Upstream": {&record{http: &exchange{"GET", "/snapshots", 504, "NoAnswer"}, actions: []action{
			{name: "list", target: "web-1", err: &snapshot.Error{
				Code: "NoAnswer", Kind: snapshot.KindTimeout, Message: "no answer",
			}}}}, nil, "ERROR", []string{`"status":504`,
			`"actions":[{"action":"list","code":"NoAnswer","error":"no answer","retryable":false,"target":"web-1"}]`}},
		"Chat": {&record{http: &exchange{"POST", "/hooks/", 200, ""}, actions: []action{
			{name: "plan", target: "web-1", err: &snapshot.Error{Code: "Forbidden.RAM", Kind: snapshot.KindConfig}},
		}}, nil, "ERROR", []string{`"Forbidden.RAM"`}},
		"Pinned": {actions(action{name: "pin", target: "web-1", snapshotID: "s-1", keep: "forever",
			caller: policy.Caller{From: "slack", Actor: "U1"}}), nil, "INFO", []string{`"actions":[{"action":"pin",` +
			`"actor":"U1","from":"slack","keep":"forever","snapshotId":"s-1","target":"web-1"}]`}},
		"Unexpected": {&record{results: []snapshot.Result{
			refused(fmt.Errorf("failed to post: %w", errors.New("Get https://x/?Signature=secret: refused"))),
		}}, nil, "ERROR", []string{`"code":"Internal"`,
			`"cause":"*fmt.wrapError: failed to post: Get https[:]//x/... refused"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines bytes.Buffer
			f := &function{name: "timer", log: slog.New(slog.NewJSONHandler(&lines, nil))}
			i := &invocation{
				Invocation: platform.Invocation{Platform: "fc", RequestID: "req-1"},
				started:    time.Now().Add(-time.Hour),
			}
			i.record.sweep, i.record.http = c.record.sweep, c.record.http
			i.record.results, i.record.actions = c.record.results, c.record.actions
			i.stats.Calls.Add(2)
			i.stats.Retries.Add(1)
			i.stats.Waited.Add(int64(1500 * time.Millisecond))
			f.summarize(t.Context(), i, c.err)
			var line map[string]any
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil || strings.Count(lines.String(), "\n") != 1 {
				t.Fatalf("%s: %v", &lines, err)
			}
			for field, want := range map[string]any{
				"level": c.level, "msg": "invocation", "trigger": "timer", "platform": "fc", "requestId": "req-1",
				"apiCalls": 2.0, "retries": 1.0, "waitedMs": 1500.0,
			} {
				if line[field] != want {
					t.Errorf("%s is %v, want %v", field, line[field], want)
				}
			}
			if took, _ := line["durationMs"].(float64); took < 3600_000 {
				t.Errorf("durationMs is %v, want an hour or more", line["durationMs"])
			}
			for _, part := range c.says {
				if !strings.Contains(lines.String(), part) {
					t.Errorf("the line does not say %s: %s", part, &lines)
				}
			}
			if strings.Contains(lines.String(), token) || strings.Contains(lines.String(), "Signature=") {
				t.Errorf("the line holds the token: %s", &lines)
			}
		})
	}
}

// TestMasked shows that nothing of the text of an unexpected error that may be a secret stays.
func TestMasked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`Get "https://hooks.example.com/services/T0/B0/abc?x=1#y": EOF`: `Get https://hooks.example.com/... EOF`,
		`dial http://me:secret@host:80/x: refused`:                      `dial http://host:80/... refused`,
		`bad path /v1?Signature=abc: refused`:                           `bad path /v1?... refused`,
		`key LTAI5tMadeUpKeyForTests01 is wrong`:                        `key *** is wrong`,
		`answer {"Code":"x","Key":"y"} is odd`:                          `answer {...} is odd`,
		`answer {"Key":"y is cut`:                                       `answer {...}`,
		`odd } answer [y`:                                               `odd } answer {...}`,
		`Get ftp://%zz/abc: refused`:                                    `Get *** refused`,
		`list [a b] is odd`:                                             `list {...} is odd`,
		`open file: no such file or directory`:                          `open file: no such file or directory`,
	} {
		if got := masked(text); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", text, got, want)
		}
	}
}

// TestPanic shows that an invocation which panics has its line, too, and that the panic goes on to package platform.
func TestPanic(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	f := newFunction("event", func(string) string { return "" }, slog.New(slog.NewJSONHandler(&lines, nil)))
	f.settings = func() (*settings, error) { return &settings{instance: snapshot.NewInstance(0)}, nil }
	panics := func(context.Context, *invocation, []byte) ([]byte, error) { panic("what the event held") }
	defer func() {
		if value := recover(); value != "what the event held" {
			t.Errorf("the panic is %v", value)
		}
		for _, want := range []string{`"level":"ERROR"`, `"msg":"invocation"`, `"code":"Internal"`, `"apiCalls":0`} {
			if !strings.Contains(lines.String(), want) {
				t.Errorf("the line has no %s: %s", want, &lines)
			}
		}
		if strings.Contains(lines.String(), "what the event held") {
			t.Errorf("the line holds what the event held: %s", &lines)
		}
	}()
	_, _ = f.handler(panics, refuseEvent)(t.Context(), platform.Invocation{Platform: "fc", RequestID: "req-1"},
		[]byte("{}"))
}
