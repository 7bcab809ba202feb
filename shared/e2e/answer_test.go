package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// answered is the answer to an invocation without its envelope.
type answered struct {
	status  int // of an HTTP answer
	results []snapshot.Result
	failed  []string // SQS: the messages that failed
}

// read opens the envelope of an answer and checks what holds for every one: a function error's type is the code of the
// first failure, its message the JSON of the results, and without a failed element there is no function error.
func read(t *testing.T, a runtimeapi.Answer) answered {
	t.Helper()
	text := a.Payload
	if a.FunctionError != "" {
		text = []byte(a.ErrorMessage)
	}
	var envelope struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
		Failures   []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
		Results []snapshot.Result `json:"results"`
	}
	decode(t, text, &envelope)
	got := answered{status: envelope.StatusCode, results: envelope.Results}
	for _, failure := range envelope.Failures {
		got.failed = append(got.failed, failure.ID)
	}
	if got.status != 0 {
		var one snapshot.Result
		decode(t, []byte(envelope.Body), &one)
		got.results = []snapshot.Result{one}
		return got
	}
	wantType := ""
	for _, result := range got.results {
		if result.Error != nil {
			wantType = result.Error.Code
			wantClear(t, result.Error)
			break
		}
	}
	if a.FunctionError != wantType {
		t.Errorf("the function error is %q, want %q: %s", a.FunctionError, wantType, a.Payload)
	}
	return got
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(into); err != nil {
		t.Fatalf("the answer %q cannot be read: %v", text, err)
	}
}

// wantClear checks that an error says what is wrong and what to do: two parts, parted by a colon or a semicolon, and
// nothing of the program's inside.
func wantClear(t *testing.T, err *snapshot.Error) {
	t.Helper()
	if err.Code == "" || !strings.ContainsAny(err.Message, ":;") {
		t.Errorf("the error %q does not say what is wrong and what to do", err)
	}
	for _, inside := range []string{".go:", "0x", "*errors", "map["} {
		if strings.Contains(err.Message, inside) {
			t.Errorf("the error %q tells of the program's inside", err)
		}
	}
}

// only returns the one result of an answer.
func (a answered) only(t *testing.T) snapshot.Result {
	t.Helper()
	if len(a.results) != 1 {
		t.Fatalf("there are %d results, want 1: %+v", len(a.results), a.results)
	}
	return a.results[0]
}

// wantOutcome checks a result that did not fail.
func wantOutcome(t *testing.T, got snapshot.Result, want snapshot.Outcome) {
	t.Helper()
	if got.Error != nil {
		t.Fatalf("the order failed, want %s: %v", want, got.Error)
	}
	if got.Outcome != want {
		t.Errorf("the outcome is %q, want %q", got.Outcome, want)
	}
}

// wantError checks a result that failed.
func wantError(t *testing.T, got snapshot.Result, code string) {
	t.Helper()
	if got.Error == nil {
		t.Fatalf("the outcome is %q, want the error %s", got.Outcome, code)
	}
	if got.Error.Code != code {
		t.Errorf("the error is %v, want %s", got.Error, code)
	}
	wantClear(t, got.Error)
}
