package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

const demoUsage = `Usage: go run ./functions/local [demo] [-platform fc|lambda] [-json]

Run each kind of trigger once through the real functions, on a simulator, and check the results.

  -platform  whose runtime the functions run on: fc (default) or lambda
  -json      print JSON

  go run ./functions/local demo -platform lambda
`

//go:embed demo.yaml
var demoPolicy string

// demoTakes is how long a snapshot takes in the demo. The steps move the clock of the API on, so nothing waits for it.
const demoTakes = 12 * time.Minute

// demoRun is one run of the demo.
type demoRun struct {
	*session
	*cloud
	token   string // bearer token of the run
	secret  string // GitHub secret of the run
	started time.Time

	deployed time.Time // of the GitHub deployment; zero: not yet
	reports  []stepReport
}

// stepReport is one step as -json prints it.
type stepReport struct {
	Step     string            `json:"step"`
	Trigger  string            `json:"trigger"`
	APICalls map[string]int    `json:"apiCalls"`
	Results  []snapshot.Result `json:"results"`
	OK       bool              `json:"ok"`
	Why      string            `json:"why,omitempty"`
}

// demo does every step and prints its results. It fails if a step had another result than expected.
func demo(ctx context.Context, s *session) error {
	d := &demoRun{session: s, token: "demo-" + randomText(16), secret: randomText(20), started: time.Now()}
	folder, err := os.MkdirTemp("", "swas-snapshot-demo-")
	if err != nil {
		return fmt.Errorf("failed to make a temporary folder: %w", err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "snapshots.yaml")
	due := d.started.UTC().Add(-6 * time.Hour)
	text := strings.NewReplacer("MINUTE", strconv.Itoa(due.Minute()), "HOUR", strconv.Itoa(due.Hour())).Replace(demoPolicy)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("failed to write the demo's policy: %w", err)
	}
	platform := "Function Compute"
	if s.platform == string(runtimeapi.Lambda) {
		platform = "AWS Lambda"
	}
	s.say("building the three functions and starting them on a simulated %s, beside a simulated API ...\n", platform)
	var logs bytes.Buffer
	d.cloud, err = newCloud(ctx, s, cloudConfig{
		policyFile: file, functions: functionNames, takes: demoTakes, log: &output{w: &logs},
		env: []string{"API_TOKEN=" + d.token, "GITHUB_WEBHOOK_SECRET=" + d.secret, "SNAPSHOT_CALLS_PER_MINUTE=0"},
	})
	if err != nil {
		return err
	}
	defer d.close()
	built := time.Now()
	ok := true
	for n, one := range steps {
		report := d.do(ctx, one)
		if ctx.Err() != nil { // interrupted, or stdout is closed
			return context.Cause(ctx)
		}
		d.reports = append(d.reports, report)
		d.show(n+1, report)
		ok = ok && report.OK
	}
	d.say("\n%d steps in %.1f s, after %.1f s of building\n", len(steps), time.Since(built).Seconds(),
		built.Sub(d.started).Seconds())
	if err := d.encode(map[string]any{"ok": ok, "steps": d.reports}); err != nil {
		return err
	}
	if !ok {
		d.close() // nothing writes to the logs any more
		fmt.Fprintf(d.stderr, "the functions logged:\n%s", logs.String())
		return errFailed
	}
	return nil
}

// do does one step and checks its results.
func (d *demoRun) do(ctx context.Context, one step) stepReport {
	d.advance(one.wait)
	d.api.ResetCalls()
	results, err := one.do(ctx, d)
	report := stepReport{Step: one.name, Trigger: one.trigger, APICalls: d.api.CallCounts(), Results: results}
	if err == nil {
		err = one.verify(report)
	}
	if report.OK = err == nil; !report.OK {
		report.Why = err.Error()
	}
	return report
}

// verify returns an error if a step had other results than expected.
func (s step) verify(report stepReport) error {
	var outcomes []string
	deleted := 0
	for _, result := range report.Results {
		outcomes = append(outcomes, cmp.Or(string(result.Outcome), string(result.Status), "-"))
		deleted += len(result.Deleted)
		if result.Error != nil && result.Outcome == "" {
			return fmt.Errorf("an order failed: %w", result.Error)
		}
	}
	got, calls := strings.Join(outcomes, " "), report.APICalls
	switch {
	case got != s.want:
		return fmt.Errorf("the outcomes are %q, not %q", got, s.want)
	case deleted != s.deletes || calls["DeleteSnapshot"] != s.deletes:
		return fmt.Errorf("%d snapshots were deleted in %d calls, not %d", deleted, calls["DeleteSnapshot"], s.deletes)
	case s.calls != nil && !maps.Equal(calls, s.calls):
		return fmt.Errorf("the API was called %v, not %v", calls, s.calls)
	}
	return nil
}

// show prints one step.
func (d *demoRun) show(n int, report stepReport) {
	mark := "ok  "
	if !report.OK {
		mark = "FAIL"
	}
	d.say("\n%s %2d. %s (%s; %s)\n", mark, n, report.Step, report.Trigger, callsText(report.APICalls))
	for _, result := range report.Results {
		state := cmp.Or(string(result.Outcome), string(result.Status), "nothing due")
		line := fmt.Sprintf("        %-6s %-12s  %-22s  %s", result.Target, state, result.SnapshotID, result.SnapshotName)
		d.say("%s\n", strings.TrimRight(line, " "))
		if result.Warning != "" {
			d.say("               %s\n", result.Warning)
		}
		for _, deleted := range result.Deleted {
			d.say("               deleted       %-22s  %s\n", deleted.SnapshotID, deleted.SnapshotName)
			d.say("               %s\n", deleted.Reason)
		}
		if result.Error != nil {
			d.say("               %s: %s\n", result.Error.Code, result.Error.Message)
		}
		if result.Outcome == snapshot.OutcomeBlocked {
			for _, item := range result.Plan {
				d.say("               %-12s  %-22s  %s\n", item.Action, item.SnapshotID, item.Reason)
			}
		}
	}
	if !report.OK {
		d.say("        %s\n", report.Why)
	}
}

// invoke sends an event through a function and returns the results, those of a function error, too.
func (d *demoRun) invoke(ctx context.Context, function string, event []byte) ([]snapshot.Result, error) {
	answer, err := d.functions[function].Invoke(ctx, event)
	if err != nil {
		return nil, fmt.Errorf("failed to invoke %s: %w", function, err)
	}
	body := answer.Payload
	if answer.FunctionError != "" {
		body = []byte(answer.ErrorMessage)
	}
	var answered struct {
		Results []snapshot.Result `json:"results"`
	}
	if err := json.Unmarshal(body, &answered); err != nil {
		return nil, fmt.Errorf("the answer of %s is not JSON: %s: %s", function, answer.FunctionError, answer.ErrorMessage)
	}
	return answered.Results, nil
}

// send sends a JSON request through the platform's gateway to the HTTP function. headers are names, each followed by
// its value.
func (d *demoRun) send(method, path, body string, headers ...string) ([]snapshot.Result, error) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	runtimeapi.Gateway(d.functions["http"]).ServeHTTP(w, r)
	answer := w.Body.Bytes()
	var problem struct{ Code, Detail string }
	if w.Code == http.StatusServiceUnavailable && json.Unmarshal(answer, &problem) == nil { // an order that is deferred
		return []snapshot.Result{{Target: "web-1", Outcome: snapshot.OutcomeDeferred,
			Error: &snapshot.Error{Code: problem.Code, Message: problem.Detail, Retryable: true}}}, nil
	}
	if w.Code >= http.StatusBadRequest {
		return nil, fmt.Errorf("HTTP status %d: %s", w.Code, bytes.TrimSpace(answer))
	}
	var many struct {
		Results []snapshot.Result `json:"results"`
	}
	if err := json.Unmarshal(answer, &many); err == nil && len(many.Results) > 0 {
		return many.Results, nil
	}
	var one snapshot.Result
	if err := json.Unmarshal(answer, &one); err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %s", answer)
	}
	return []snapshot.Result{one}, nil
}

// callsText counts API calls in words.
func callsText(calls map[string]int) string {
	var parts []string
	for _, action := range []string{"ListSnapshots", "ListDisks", "DeleteSnapshot", "CreateSnapshot", "TagResources"} {
		if calls[action] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", calls[action], action))
		}
	}
	if len(parts) == 0 {
		return "no API call"
	}
	return strings.Join(parts, ", ")
}
