package wiring

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
)

// TestSummary is the line that alarms and queries read.
func TestSummary(t *testing.T) {
	t.Parallel()
	const token = "sn1-a-token-that-is-somebody-else's-identifier"
	done := snapshot.Result{
		Target: "web-1", RegionID: "cn-hangzhou", DiskID: "d-1", Role: "daily", Outcome: snapshot.OutcomeCreated, SnapshotID: "s-1",
		RequestID: "api-1", ClientToken: token, Deleted: []snapshot.Deleted{{SnapshotID: "s-0"}},
	}
	failed := snapshot.Result{Target: "db-1", Error: &snapshot.Error{Code: "InternalError", Message: "the API failed: repeat", Retryable: true}}
	for name, c := range map[string]struct {
		answered Answered
		level    string
		says     []string
	}{
		"Done":   {Answered{Results: []snapshot.Result{done}}, "INFO", []string{`"outcome":"created"`, `"deleted":"s-0"`, `"apiRequestId":"api-1"`, `"keyHash":"`}},
		"Failed": {Answered{Results: []snapshot.Result{done, failed}}, "ERROR", []string{`"code":"InternalError"`, `"retryable":true`}},
		"NoJSON": {Answered{Err: platform.Failure{Type: "MalformedEvent"}}, "ERROR", []string{`"orders":[]`}},
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
			if strings.Contains(lines.String(), token) {
				t.Errorf("the line tells the token: %s", &lines)
			}
		})
	}
}
