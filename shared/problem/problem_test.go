package problem_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
)

// TestStatus is the contract: which status each kind of error has, and how long a caller should wait.
func TestStatus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   snapshot.Kind
		status int
		wait   string // of a retryable error
	}{
		"Internal":    {snapshot.KindInternal, 500, "10"},
		"Malformed":   {snapshot.KindMalformed, 400, "10"},
		"Invalid":     {snapshot.KindInvalid, 422, "10"},
		"Unknown":     {snapshot.KindUnknown, 404, "10"},
		"Denied":      {snapshot.KindDenied, 403, "10"},
		"Conflict":    {snapshot.KindConflict, 409, "60"},
		"Config":      {snapshot.KindConfig, 500, "10"},
		"Throttled":   {snapshot.KindThrottled, 503, "60"},
		"Paced":       {snapshot.KindPaced, 429, "60"},
		"Upstream":    {snapshot.KindUpstream, 502, "10"},
		"Unavailable": {snapshot.KindUnavailable, 503, "10"},
		"Timeout":     {snapshot.KindTimeout, 504, "10"},
		"NoKind":      {snapshot.Kind(99), 500, "10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, retryable := range []bool{false, true} {
				w := httptest.NewRecorder()
				problem.Write(w, &snapshot.Error{Code: "C", Kind: c.kind, Message: "m", Retryable: retryable, RequestID: "r"})
				var got problem.Document
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
				wait := c.wait
				if !retryable && c.status < 502 { // the contract has it with every 502, 503 and 504
					wait = ""
				}
				if w.Code != c.status || got.Status != c.status || w.Header().Get("Retry-After") != wait || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("status %d, header %v, %+v", w.Code, w.Header(), got)
				}
				if got.Type != "about:blank" || got.Title == "" && c.status != 0 || got.Detail != "m" || got.Code != "C" || got.Retryable != retryable || got.RequestID != "r" {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// TestPublic shows that the API's own words stay out of the answer.
func TestPublic(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	problem.Write(w, &snapshot.Error{Message: "the API wrote this: do that", Advice: "do that"})
	var got problem.Document
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Detail != "do that" || strings.Contains(w.Body.String(), "wrote") {
		t.Errorf("got %v, %s", err, w.Body)
	}
}

// TestResult shows what a failed result adds.
func TestResult(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	problem.WriteResult(w, snapshot.Result{
		Plan: []snapshot.PlanItem{{Action: snapshot.ActionKeep, Reason: "r"}}, Deleted: []snapshot.Deleted{{SnapshotID: "s-1"}},
		Error: &snapshot.Error{Code: "C", Kind: snapshot.KindConflict, Message: "m"},
	})
	var got problem.Document
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Plan) != 1 || len(got.Deleted) != 1 {
		t.Errorf("%s: %v", w.Body, err)
	}
}

func TestWriteStatus(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	problem.WriteStatus(w, 405, problem.CodeMethod, "use GET")
	want := `{"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"use GET","code":"MethodNotAllowed","retryable":false}` + "\n"
	if w.Code != 405 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
