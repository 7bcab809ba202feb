package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

//go:embed demo.yaml
var demoPolicy string

// demoTakes is how long a snapshot takes in the demo. The clock of the simulated API is moved on, so nothing waits for
// it.
const demoTakes = 12 * time.Minute

// demonstration is one run of the demo.
type demonstration struct {
	*session
	*cloud
	logs    bytes.Buffer
	token   string // bearer token of the run
	secret  string // GitHub secret of the run
	started time.Time
	results []shown
	failed  bool
}

// shown is one step as -json prints it.
type shown struct {
	Step     string            `json:"step"`
	Trigger  string            `json:"trigger"`
	APICalls map[string]int    `json:"apiCalls"`
	Results  []snapshot.Result `json:"results"`
	OK       bool              `json:"ok"`
	Why      string            `json:"why,omitempty"`
}

// demo does every step and prints its results. It fails if a step had another result than expected.
func demo(ctx context.Context, s *session) error {
	started := time.Now()
	d := &demonstration{session: s, token: "demo-" + randomText(16), secret: randomText(20),
		started: time.Now().UTC().Truncate(time.Minute)}
	folder, err := os.MkdirTemp("", "swas-snapshot-demo-")
	if err != nil {
		return fmt.Errorf("failed to make a temporary folder: %w", err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "snapshots.yaml")
	due := d.started.Add(-6 * time.Hour)
	text := strings.NewReplacer("MINUTE", strconv.Itoa(due.Minute()), "HOUR", strconv.Itoa(due.Hour())).Replace(demoPolicy)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("failed to write the demo's policy: %w", err)
	}
	s.say("building the three functions and starting them on a simulated %s, beside a simulated API ...\n",
		platformName(s.platform))
	d.cloud, err = newCloud(ctx, s, cloudConfig{
		platform: s.platform, policyFile: file, functions: functionNames, takes: demoTakes, log: &shared{w: &d.logs},
		env: []string{"API_TOKEN=" + d.token, "GITHUB_WEBHOOK_SECRET=" + d.secret, "SNAPSHOT_CALLS_PER_MINUTE=0"},
	})
	if err != nil {
		return err
	}
	defer d.close()
	built := time.Since(started)
	for n, step := range steps {
		d.show(n+1, d.do(ctx, step))
	}
	return d.end(built, time.Since(started)-built)
}

// do does one step and checks its results.
func (d *demonstration) do(ctx context.Context, step step) shown {
	d.api.ResetCalls()
	results, err := step.do(ctx, d)
	done := shown{Step: step.name, Trigger: step.trigger, APICalls: d.api.CallCounts(), Results: results}
	if err == nil {
		err = step.verify(d, done)
	}
	if done.OK = err == nil; !done.OK {
		done.Why = err.Error()
		d.failed = true
	}
	return done
}

// verify returns an error if a step had another result than expected.
func (s step) verify(d *demonstration, done shown) error {
	var outcomes []string
	for _, result := range done.Results {
		outcomes = append(outcomes, cmp.Or(string(result.Outcome), "-"))
		if result.Error != nil && result.Outcome == "" {
			return fmt.Errorf("an order failed: %w", result.Error)
		}
	}
	if got := strings.Join(outcomes, " "); got != s.want {
		return fmt.Errorf("the outcomes are %q, not %q", got, s.want)
	}
	if s.check != nil {
		if err := s.check(d, done.Results); err != nil {
			return err
		}
	}
	if s.calls != nil && fmt.Sprint(done.APICalls) != fmt.Sprint(s.calls) {
		return fmt.Errorf("the API was called %v, not %v", done.APICalls, s.calls)
	}
	return nil
}

// show prints one step.
func (d *demonstration) show(n int, step shown) {
	d.results = append(d.results, step)
	if d.json {
		return
	}
	mark := "ok  "
	if !step.OK {
		mark = "FAIL"
	}
	d.say("\n%s %2d. %s (%s; %s)\n", mark, n, step.Step, step.Trigger, callsText(step.APICalls))
	for _, result := range step.Results {
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
	if !step.OK {
		d.say("        %s\n", step.Why)
	}
}

// end prints the sum and fails if a step did.
func (d *demonstration) end(built, took time.Duration) error {
	if d.json {
		if err := json.NewEncoder(d.stdout).Encode(map[string]any{"ok": !d.failed, "steps": d.results}); err != nil {
			return fmt.Errorf("failed to print: %w", err)
		}
	} else {
		d.say("\n%d steps in %.1f s, after %.1f s of building\n", len(d.results), took.Seconds(), built.Seconds())
	}
	if d.failed {
		d.close() // nothing writes any more
		fmt.Fprintf(d.stderr, "the functions logged:\n%s", d.logs.String())
		return errFailed
	}
	return nil
}

// say prints text for users; with -json it prints nothing.
func (s *session) say(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.stdout, format, args...)
	}
}

// fire sends a timer's event and returns the results.
func (d *demonstration) fire(ctx context.Context, payload string) ([]snapshot.Result, error) {
	return d.invoke(ctx, "timer", tickEvent(d.platform, "sweep", payload, time.Now()))
}

// invoke sends an event through a function and returns the results, those of a function error, too.
func (d *demonstration) invoke(ctx context.Context, function string, event []byte) ([]snapshot.Result, error) {
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
		return nil, fmt.Errorf("the answer of %s is no JSON: %s: %s", function, answer.FunctionError, answer.ErrorMessage)
	}
	return answered.Results, nil
}

// send sends a request through the platform's gateway to the HTTP function.
func (d *demonstration) send(r *http.Request) ([]snapshot.Result, error) {
	w := httptest.NewRecorder()
	runtimeapi.Gateway(d.functions["http"]).ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		return nil, fmt.Errorf("failed to read the answer: %w", err)
	}
	var refused struct{ Code, Detail string }
	if w.Code == http.StatusServiceUnavailable && json.Unmarshal(body, &refused) == nil { // an order that is deferred
		return []snapshot.Result{{Target: "web-1", Outcome: snapshot.OutcomeDeferred,
			Error: &snapshot.Error{Code: refused.Code, Message: refused.Detail, Retryable: true}}}, nil
	}
	if w.Code >= 400 {
		return nil, fmt.Errorf("HTTP status %d: %s", w.Code, strings.TrimSpace(string(body)))
	}
	var many struct {
		Results []snapshot.Result `json:"results"`
	}
	if err := json.Unmarshal(body, &many); err == nil && len(many.Results) > 0 {
		return many.Results, nil
	}
	var one snapshot.Result
	if err := json.Unmarshal(body, &one); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %s", body)
	}
	return []snapshot.Result{one}, nil
}

// addForeign adds snapshots that are not ours.
func (d *demonstration) addForeign(disk string, names ...string) {
	for n, name := range names {
		d.api.AddSnapshot(simulator.Snapshot{Name: name, DiskID: disk, CreationTime: time.Now().AddDate(0, 0, -n-1)})
	}
}

func platformName(platform string) string {
	if platform == string(runtimeapi.Lambda) {
		return "AWS Lambda"
	}
	return "Function Compute"
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
