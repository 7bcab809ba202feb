package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/httpapi"
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
				httpapi.WriteError(w, &snapshot.Error{Code: "C", Kind: c.kind, Message: "m", Retryable: retryable,
					RequestID: "r"})
				var got httpapi.Problem
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
				wait := c.wait
				if !retryable && c.status < 502 { // the contract has it with every 502, 503 and 504
					wait = ""
				}
				if w.Code != c.status || got.Status != c.status || w.Header().Get("Retry-After") != wait ||
					w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("status %d, header %v, %+v", w.Code, w.Header(), got)
				}
				if got.Type != "about:blank" || got.Title == "" && c.status != 0 || got.Detail != "m" ||
					got.Code != "C" || got.Retryable != retryable || got.RequestID != "r" {
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
	httpapi.WriteError(w, &snapshot.Error{Message: "the API wrote this: do that", Advice: "do that"})
	var got httpapi.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Detail != "do that" ||
		strings.Contains(w.Body.String(), "wrote") {
		t.Errorf("got %v, %s", err, w.Body)
	}
}

// TestResult shows what a failed result adds.
func TestResult(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	httpapi.WriteResult(w, snapshot.Result{
		Plan:  []snapshot.PlanItem{{Action: snapshot.ActionKeep, Reason: "r"}},
		Error: &snapshot.Error{Code: "C", Kind: snapshot.KindConflict, Message: "m"},
	}, time.Time{})
	var got httpapi.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 409 || len(got.Plan) != 1 {
		t.Errorf("%s: %v", w.Body, err)
	}
}

// A deferred order is 503 until the next sweep, whatever its error; a blocked one is 409, and no retry helps.
func TestDeferred(t *testing.T) {
	t.Parallel()
	full := time.Date(2026, 11, 24, 6, 10, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		outcome snapshot.Outcome
		err     snapshot.Error
		now     time.Time
		status  int
		wait    string
	}{
		"Conflict": {snapshot.OutcomeDeferred, snapshot.Error{Kind: snapshot.KindConflict, Retryable: true},
			full.Add(time.Minute), 503, "540"},
		"Fraction": {snapshot.OutcomeDeferred, snapshot.Error{Kind: snapshot.KindConflict, Retryable: true},
			full.Add(time.Minute + time.Millisecond), 503, "540"},
		"FullTen": {snapshot.OutcomeDeferred, snapshot.Error{Kind: snapshot.KindConflict, Retryable: true}, full, 503,
			"600"},
		"AlmostFull": {snapshot.OutcomeDeferred, snapshot.Error{Kind: snapshot.KindConflict, Retryable: true},
			full.Add(-time.Second), 503, "30"},
		"Timeout": {snapshot.OutcomeDeferred, snapshot.Error{Kind: snapshot.KindTimeout, Retryable: true},
			full.Add(9 * time.Minute), 503, "60"},
		"Blocked":      {snapshot.OutcomeBlocked, snapshot.Error{Kind: snapshot.KindConflict}, full, 409, ""},
		"OtherFailure": {"", snapshot.Error{Kind: snapshot.KindUpstream, Retryable: true}, full, 502, "10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			c.err.Code, c.err.Message = "C", "m"
			httpapi.WriteResult(w, snapshot.Result{Outcome: c.outcome, Error: &c.err}, c.now)
			var got httpapi.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != c.status || got.Status != c.status || got.Title != http.StatusText(c.status) ||
				w.Header().Get("Retry-After") != c.wait {
				t.Errorf("status %d, %+v, Retry-After %q", w.Code, got, w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestWriteStatus(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	httpapi.WriteStatus(w, 405, "use GET")
	want := `{"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"use GET",` +
		`"code":"MethodNotAllowed","retryable":false}` + "\n"
	if w.Code != 405 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
