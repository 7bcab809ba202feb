package wiring

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
	const token = "sn1-a-token-that-is-somebody-else's-identifier"
	done := snapshot.Result{
		Target: "web-1", RegionID: "cn-hangzhou", DiskID: "d-1", Role: "daily", Outcome: snapshot.OutcomeCreated, SnapshotID: "s-1",
		RequestID: "api-1", ClientToken: token, Deleted: []snapshot.Deleted{{SnapshotID: "s-0"}, {SnapshotID: "s-00"}},
		Slots: &snapshot.SlotCount{Used: 2, Of: 3}, Warning: "look",
	}
	failed := snapshot.Result{Target: "db-1", Error: &snapshot.Error{Code: "InternalError", Message: "the API failed: repeat", Retryable: true}}
	for name, c := range map[string]struct {
		answered Answered
		level    string
		says     []string
	}{
		"Done":   {Answered{Results: []snapshot.Result{done}}, "INFO", []string{`"outcome":"created"`, `"deleted":["s-0","s-00"]`, `"slots":"2 of 3"`, `"warning":"look"`, `"apiRequestId":"api-1"`, `"keyHash":"`}},
		"Failed": {Answered{Results: []snapshot.Result{done, failed}}, "ERROR", []string{`"code":"InternalError"`, `"retryable":true`}},
		"NoJSON": {Answered{Err: platform.Failure{Type: "MalformedEvent", Message: "the input is not JSON"}}, "ERROR",
			[]string{`"orders":[]`, `"code":"MalformedEvent","error":"the input is not JSON"`}},
		"Sweep":   {Answered{Sweep: true}, "INFO", []string{`"sweep":true`}},
		"Looked":  {Answered{exchange: &exchange{"GET", "/plan", 200, ""}}, "INFO", []string{`"method":"GET","path":"/plan","status":200,"orders":[]`}},
		"Refused": {Answered{exchange: &exchange{"POST", "/snapshots", 403, "NotAllowed"}}, "INFO", []string{`"code":"NotAllowed","status":403`}},
		"Upstream": {Answered{exchange: &exchange{"GET", "/snapshots", 504, "NoAnswer"},
			deeds: []deed{{action: "list", target: "web-1", err: &snapshot.Error{Code: "NoAnswer", Kind: snapshot.KindTimeout, Message: "no answer"}}}}, "ERROR",
			[]string{`"status":504`, `"deeds":[{"action":"list","code":"NoAnswer","error":"no answer","retryable":false,"target":"web-1"}]`}},
		"Chat": {Answered{exchange: &exchange{"POST", "/hooks/", 200, ""},
			deeds: []deed{{action: "plan", target: "web-1", err: &snapshot.Error{Code: "Forbidden.RAM", Kind: snapshot.KindConfig}}}}, "ERROR", []string{`"Forbidden.RAM"`}},
		"Pinned": {Answered{deeds: []deed{{action: "pin", target: "web-1", snapshotID: "s-1", keep: "forever", who: policy.Caller{From: "slack", Actor: "U1"}}}}, "INFO",
			[]string{`"deeds":[{"action":"pin","actor":"U1","from":"slack","keep":"forever","snapshotId":"s-1","target":"web-1"}]`}},
		"Unforeseen": {Answered{Results: Refuse(fmt.Errorf("failed to post: %w", errors.New("Get https://x/?Signature=secret: refused")))}, "ERROR",
			[]string{`"code":"Internal"`, `"cause":"*fmt.wrapError: failed to post: Get https[:]//x/... refused"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines bytes.Buffer
			f := &Function{name: "timer", log: slog.New(slog.NewJSONHandler(&lines, nil))}
			stats := &snapshot.Stats{}
			stats.Calls.Add(2)
			stats.Retries.Add(1)
			stats.Waited.Add(int64(1500 * time.Millisecond))
			f.summarize(t.Context(), platform.Invocation{Platform: "fc", RequestID: "req-1"}, c.answered, stats, 7*time.Millisecond)
			var line map[string]any
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil || strings.Count(lines.String(), "\n") != 1 {
				t.Fatalf("%s: %v", &lines, err)
			}
			for field, want := range map[string]any{
				"level": c.level, "msg": "invocation", "trigger": "timer", "platform": "fc", "requestId": "req-1",
				"durationMs": 7.0, "apiCalls": 2.0, "retries": 1.0, "waitedMs": 1500.0,
			} {
				if line[field] != want {
					t.Errorf("%s is %v, want %v", field, line[field], want)
				}
			}
			for _, part := range c.says {
				if !strings.Contains(lines.String(), part) {
					t.Errorf("the line does not say %s: %s", part, &lines)
				}
			}
			if strings.Contains(lines.String(), token) || strings.Contains(lines.String(), "Signature=") {
				t.Errorf("the line tells the token: %s", &lines)
			}
		})
	}
}

// TestMasked shows that nothing of an unforeseen error's text that may be a secret stays.
func TestMasked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`Get "https://hooks.example.com/services/T0/B0/abc?x=1#y": EOF`: `Get "https://hooks.example.com/...": EOF`,
		`dial http://me:secret@host:80/x: refused`:                      `dial http://host:80/... refused`,
		`bad path /v1?Signature=abc: refused`:                           `bad path /v1?... refused`,
		`key LTAI5tMadeUpKeyForTests01 is wrong`:                        `key *** is wrong`,
		`answer {"Code":"x","Key":"y"} is odd`:                          `answer {...} is odd`,
		`list [a b] is odd`:                                             `list {...} is odd`,
		`open file: no such file or directory`:                          `open file: no such file or directory`,
	} {
		if got := masked(text); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", text, got, want)
		}
	}
}

// TestPanic shows that an invocation which panics has its line, too, and that the panic goes on to the platform's part.
func TestPanic(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	f := &Function{name: "event", getenv: func(string) string { return "" }, log: slog.New(slog.NewJSONHandler(&lines, nil)), source: &platform.Source{}}
	f.loaded = func() (*loaded, error) { return &loaded{instance: snapshot.NewInstance(0)}, nil }
	handler := f.Handler(func(context.Context, *Invocation, []byte) Answered { panic("what the event held") }, RefuseEvent)
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
			t.Errorf("the line tells what the event held: %s", &lines)
		}
	}()
	_, _ = handler(t.Context(), platform.Invocation{Platform: "fc", RequestID: "req-1"}, []byte("{}"))
}

// TestRequestIDs shows that what is said on behalf of an invocation has its request ID, once.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	log := slog.New(requestIDs{slog.NewJSONHandler(&lines, nil)})
	of := context.WithValue(t.Context(), invocationKey{}, &recorder{requestID: "req-1"})
	log.WarnContext(of, "one")
	log.With("a", "b").WarnContext(of, "two")
	log.With("requestId", "req-1").WarnContext(of, "three")
	log.WarnContext(t.Context(), "four")
	for n, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
		if want := map[bool]int{true: 1, false: 0}[n < 3]; strings.Count(line, `"requestId":"req-1"`) != want {
			t.Errorf("line %d: %s", n+1, line)
		}
	}
}
