package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

//go:embed demo.yaml
var demoPolicy []byte

// demoTakes is how long a snapshot takes in the demo; the clock of the simulated API is moved on, nobody waits.
const demoTakes = 12 * time.Minute

// stage is where the demo plays.
type stage struct {
	*session
	*world
	logs    bytes.Buffer
	token   string // bearer token of the run
	secret  string // GitHub secret of the run
	minute  time.Time
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

// scene is one step of the demo: what happens, and what must come of it.
type scene struct {
	name    string
	trigger string
	play    func(context.Context, *stage) ([]snapshot.Result, error)
	want    snapshot.Outcome
	calls   map[string]int // of the API; nil: not checked
	check   func(*stage, snapshot.Result) error
}

// scenes are the demo, in order.
var scenes = []scene{
	{"a nightly tick of both targets", "timer", tickAll, snapshot.OutcomeCreated, map[string]int{"CreateSnapshot": 2}, nil},
	{"the same tick, delivered again", "timer", tickAll, snapshot.OutcomeReplayed, map[string]int{}, nil},
	{"the same tick, in another process", "timer", tickRestarted, snapshot.OutcomeCreated, map[string]int{"CreateSnapshot": 2}, sameSnapshots},
	{"a deploy event, 15 minutes later", "event", deploy, snapshot.OutcomeCreated, map[string]int{"CreateSnapshot": 1}, nil},
	{"an order over HTTP: one is in progress", "http", orderWhileBusy, snapshot.OutcomeJoined, nil, nil},
	{"a signed webhook: a GitHub deployment", "http", deployment, snapshot.OutcomeCreated, nil, nil},
	{"the webhook, delivered again", "http", deployment, snapshot.OutcomeReplayed, map[string]int{}, nil},
	{"the server is full: the oldest daily makes room", "timer", tickFull, snapshot.OutcomeCreated, nil, deletedOne},
	{"a server full of foreign snapshots", "event", blockedOrder, snapshot.OutcomeBlocked, nil, deletedNone},
	{"a sweep reconciles", "timer", sweep, "", nil, nil},
}

// demo plays every scene and prints what came of it. It fails if one went another way than it must.
func demo(ctx context.Context, s *session) error {
	started := time.Now()
	st := &stage{session: s, token: "demo-" + randomText(16), secret: randomText(20), minute: time.Now().UTC().Truncate(time.Minute)}
	folder, err := os.MkdirTemp("", "swas-snapshot-demo-")
	if err != nil {
		return fmt.Errorf("failed to make a temporary folder: %w", err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "snapshots.yaml")
	if err := os.WriteFile(file, demoPolicy, 0o600); err != nil {
		return fmt.Errorf("failed to write the demo's policy: %w", err)
	}
	s.say("building the three functions and starting them on a simulated %s, beside a simulated API ...\n", platformName(s.platform))
	st.world, err = newWorld(ctx, s, worldConfig{
		platform: s.platform, policyFile: file, functions: functionNames, takes: demoTakes, log: &shared{w: &st.logs},
		env: []string{"API_TOKEN=" + st.token, "GITHUB_WEBHOOK_SECRET=" + st.secret, "SNAPSHOT_CALLS_PER_MINUTE=0"},
	})
	if err != nil {
		return err
	}
	defer st.close()
	built := time.Since(started)
	for n, scene := range scenes {
		st.show(n+1, scene, st.play(ctx, scene))
	}
	return st.end(built, time.Since(started)-built)
}

// play plays one scene and judges it.
func (st *stage) play(ctx context.Context, scene scene) shown {
	st.api.ResetCalls()
	results, err := scene.play(ctx, st)
	step := shown{Step: scene.name, Trigger: scene.trigger, APICalls: st.api.CallCounts(), Results: results}
	if err == nil {
		err = scene.judge(st, step)
	}
	if step.OK = err == nil; !step.OK {
		step.Why = err.Error()
		st.failed = true
	}
	return step
}

// judge tells whether a scene came out as it must.
func (c scene) judge(st *stage, step shown) error {
	if len(step.Results) == 0 {
		return errors.New("there is no result")
	}
	for _, result := range step.Results {
		if c.want != "" && result.Outcome != c.want {
			return fmt.Errorf("the outcome is %q, not %q", result.Outcome, c.want)
		}
		if result.Error != nil && c.want != snapshot.OutcomeBlocked {
			return fmt.Errorf("an order failed: %w", result.Error)
		}
		if c.check != nil {
			if err := c.check(st, result); err != nil {
				return err
			}
		}
	}
	if c.calls == nil {
		return nil
	}
	if fmt.Sprint(step.APICalls) != fmt.Sprint(c.calls) {
		return fmt.Errorf("the API was called %v, not %v", step.APICalls, c.calls)
	}
	return nil
}

// show prints one step.
func (st *stage) show(n int, scene scene, step shown) {
	st.results = append(st.results, step)
	if st.json {
		return
	}
	mark := "ok  "
	if !step.OK {
		mark = "FAIL"
	}
	st.say("\n%s %2d. %s (%s; %s)\n", mark, n, step.Step, step.Trigger, callsText(step.APICalls))
	for _, result := range step.Results {
		st.say("        %-6s %-9s %-24s %s\n", result.Target, result.Outcome, result.SnapshotID, result.SnapshotName)
		for _, deleted := range result.Deleted {
			st.say("               deleted   %-24s %s (%s)\n", deleted.SnapshotID, deleted.SnapshotName, deleted.Reason)
		}
		if result.Error != nil {
			st.say("               %s: %s\n", result.Error.Code, result.Error.Message)
		}
		if result.Outcome == snapshot.OutcomeBlocked {
			for _, item := range result.Plan {
				st.say("               %-9s %-24s %s\n", item.Action, item.SnapshotID, item.Reason)
			}
		}
	}
	if !step.OK {
		st.say("        %s\n", step.Why)
	}
}

// end prints the sum and fails if a step did.
func (st *stage) end(built, took time.Duration) error {
	if st.json {
		if err := json.NewEncoder(st.stdout).Encode(map[string]any{"ok": !st.failed, "steps": st.results}); err != nil {
			return fmt.Errorf("failed to print: %w", err)
		}
	} else {
		st.say("\n%d steps in %.1f s, after %.1f s of building\n", len(st.results), took.Seconds(), built.Seconds())
	}
	if st.failed {
		st.close() // nothing writes any more
		fmt.Fprintf(st.stderr, "the functions logged:\n%s", st.logs.String())
		return errFailed
	}
	return nil
}

// say prints for people; with -json it is silent.
func (s *session) say(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.stdout, format, args...)
	}
}

// fire sends a timer's event and returns the results.
func (st *stage) fire(ctx context.Context, at time.Time, payload string) ([]snapshot.Result, error) {
	return st.invoke(ctx, "timer", tickEvent(st.platform, "nightly", payload, at))
}

// invoke sends an event through a function and returns the results, those of a function error, too.
func (st *stage) invoke(ctx context.Context, function string, event []byte) ([]snapshot.Result, error) {
	answer, err := st.functions[function].Invoke(ctx, event)
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
func (st *stage) send(r *http.Request) ([]snapshot.Result, error) {
	w := httptest.NewRecorder()
	runtimeapi.Gateway(st.functions["http"]).ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		return nil, fmt.Errorf("failed to read the answer: %w", err)
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

// plant puts snapshots into the API that somebody else took.
func (st *stage) plant(disk string, names ...string) {
	for n, name := range names {
		st.api.AddSnapshot(simulator.Snapshot{Name: name, DiskID: disk, CreationTime: time.Now().AddDate(0, 0, -n-1)})
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
