package app_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/shared/app"
	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

const (
	disk   = "d-bp18kjxg9ebrhsgi0001"
	apiKey = "an-api-token-of-the-tests"
	good   = "region: cn-hangzhou\ntargets: {web-1: {disk: " + disk +
		"}}\nallow: [{from: api, targets: [web-1], actions: [take, list]}]\n" +
		"events: [{source: acme, type: \"*\", subject: \"*\", targets: [web-1], role: deploy}]\n"
)

// keys are those that a platform hands over.
var keys = credentials.Credentials{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret"}

// account starts a simulated account and returns it with its URL.
func account(t *testing.T) (*simulator.Simulator, string) {
	t.Helper()
	api := simulator.New(simulator.Config{
		Credentials: []simulator.Credential{{AccessKeyID: keys.AccessKeyID, AccessKeySecret: keys.AccessKeySecret}},
		Instances: []simulator.Instance{{ID: "i-web", RegionID: "cn-hangzhou",
			Disks: []simulator.Disk{{ID: disk}}}},
		CallsPerMinute: simulator.Unlimited,
	})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return api, server.URL
}

// environment returns a getenv with a policy file and more, as name, value.
func environment(t *testing.T, policy string, pairs ...string) func(string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"SNAPSHOTS_FILE": file, "SNAPSHOT_LOG_LEVEL": "error", "API_TOKEN": apiKey}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return all[name] }
}

// silent is for what no test looks at.
var silent = slog.New(slog.DiscardHandler)

var invocation = platform.Invocation{Platform: platform.FC, RequestID: "req-1", Region: "cn-hangzhou",
	Credentials: keys}

// results decodes an answer, be it a success or a failure.
func results(t *testing.T, body []byte, err error) []snapshot.Result {
	t.Helper()
	var failure platform.Failure
	if errors.As(err, &failure) {
		body = []byte(failure.Message)
	} else if err != nil {
		t.Fatalf("the error has no type: %v", err)
	}
	var answer struct{ Results []snapshot.Result }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("answer %q: %v", body, err)
	}
	return answer.Results
}

// TestEnvironment shows that a wrong environment is the answer to every invocation: each defect by name, at once.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy string
		env    []string
		code   string
		says   []string
	}{
		"Pace": {good, []string{"SNAPSHOT_CALLS_PER_MINUTE", "1.5"}, "InvalidConfig",
			[]string{"SNAPSHOT_CALLS_PER_MINUTE"}},
		"NegativePace": {good, []string{"SNAPSHOT_CALLS_PER_MINUTE", "-1"}, "InvalidConfig",
			[]string{"SNAPSHOT_CALLS_PER_MINUTE"}},
		"Region": {good, []string{"ALIBABA_CLOUD_REGION_ID", "../x"}, "InvalidConfig",
			[]string{"ALIBABA_CLOUD_REGION_ID"}},
		"Level":    {good, []string{"SNAPSHOT_LOG_LEVEL", "loud"}, "InvalidConfig", []string{"SNAPSHOT_LOG_LEVEL"}},
		"Endpoint": {good, []string{"SWAS_ENDPOINT", "http://example.com"}, "InvalidConfig", []string{"SWAS_ENDPOINT"}},
		"Policy":   {"colour: red\n", nil, "InvalidPolicy", []string{"colour"}},
		"All": {"colour: red\n", []string{"SNAPSHOT_CALLS_PER_MINUTE", "x", "ALIBABA_CLOUD_REGION_ID", "?",
			"SNAPSHOT_LOG_LEVEL", "loud", "SWAS_ENDPOINT", "x"}, "InvalidConfig",
			[]string{"SNAPSHOT_CALLS_PER_MINUTE", "ALIBABA_CLOUD_REGION_ID", "SNAPSHOT_LOG_LEVEL", "SWAS_ENDPOINT",
				"colour"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := app.Event(environment(t, c.policy, c.env...), silent)
			for range 2 {
				body, err := handler(t.Context(), invocation, []byte(`{"target":"web-1","key":"k"}`))
				all := results(t, body, err)
				if len(all) != 1 || all[0].Error == nil || all[0].Error.Code != c.code {
					t.Fatalf("the answer is %+v", all)
				}
				for _, part := range c.says {
					if !strings.Contains(all[0].Error.Message, part) {
						t.Errorf("the error does not name %s: %s", part, all[0].Error.Message)
					}
				}
			}
		})
	}
}

// TestEvents shows which results an event has, and which messages of a queue come again.
func TestEvents(t *testing.T) {
	t.Parallel()
	record := func(id, body string) string {
		text, _ := json.Marshal(body)
		return `{"eventSource":"aws:sqs","messageId":"` + id + `","body":` + string(text) + `}`
	}
	for name, c := range map[string]struct {
		event   string
		codes   []string // of the results; "": done
		errType string
		answer  string // "": {"results":...}
	}{
		"Order": {`{"target":"web-1","key":"k"}`, []string{""}, "", ""},
		"BusEvent": {`{"id":"1","source":"acme","specversion":"1.0","type":"t","subject":"s","data":{"a":1}}`,
			[]string{""}, "", ""},
		"NoRule": {`{"id":"1","source":"other","specversion":"1.0","type":"t","subject":"s","data":{"a":1}}`,
			[]string{"NoRule"}, "NoRule", ""},
		"Mixed": {`[{"target":"web-1","key":"k"},{"target":"web-9","key":"k2"}]`, []string{"", "UnknownTarget"},
			"UnknownTarget", ""},
		"Unread": {`{"x":1}`, []string{"MalformedEvent"}, "MalformedEvent", ""},
		"Queue": {`{"Records":[` + record("m-1", "poison") + `,` + record("m-2", `{"target":"web-1"}`) + `]}`, nil, "",
			`{"batchItemFailures":[{"itemIdentifier":"m-1"}]}`},
		"QueueDone": {`{"Records":[` + record("m-2", `{"target":"web-1"}`) + `]}`, nil, "", `{"batchItemFailures":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := account(t)
			handler := app.Event(environment(t, good, "SWAS_ENDPOINT", url), silent)
			body, err := handler(t.Context(), invocation, []byte(c.event))
			if c.answer != "" {
				if string(body) != c.answer || err != nil {
					t.Errorf("the answer is %s, %v", body, err)
				}
				return
			}
			var failure platform.Failure
			if errors.As(err, &failure); failure.Type != c.errType {
				t.Errorf("the error type is %q, want %q", failure.Type, c.errType)
			}
			all := results(t, body, err)
			if len(all) != len(c.codes) {
				t.Fatalf("there are %d results, want %d", len(all), len(c.codes))
			}
			for i, result := range all {
				code := ""
				if result.Error != nil {
					code = result.Error.Code
				}
				if code != c.codes[i] {
					t.Errorf("result %d: %+v, want code %q", i, result, c.codes[i])
				}
			}
		})
	}
}

// TestRegion shows where the region comes from where neither order nor policy names one.
func TestRegion(t *testing.T) {
	t.Parallel()
	nowhere := "targets: {web-1: {disk: " + disk + "}}\n"
	for name, c := range map[string]struct {
		policy, env, platform, want string
	}{
		"Policy":      {"region: cn-hangzhou\n" + nowhere, "cn-beijing", "cn-shanghai", "cn-hangzhou"},
		"Environment": {nowhere, "cn-hangzhou", "cn-shanghai", "cn-hangzhou"},
		"Platform":    {nowhere, "", "cn-hangzhou", "cn-hangzhou"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := account(t)
			handler := app.Event(environment(t, c.policy, "SWAS_ENDPOINT", url, "ALIBABA_CLOUD_REGION_ID", c.env),
				silent)
			from := invocation
			from.Region = c.platform
			body, err := handler(t.Context(), from, []byte(`{"target":"web-1","key":"k"}`))
			if all := results(t, body, err); all[0].RegionID != c.want || all[0].Error != nil {
				t.Errorf("%+v", all)
			}
		})
	}
}

// TestCredentials shows that the environment's credentials are used where the platform hands none over, and that they
// are asked for only when a call needs them.
func TestCredentials(t *testing.T) {
	t.Parallel()
	_, url := account(t)
	from := invocation
	from.Credentials = credentials.Credentials{}
	for name, c := range map[string]struct {
		env  []string
		code string
	}{
		"Environment": {[]string{"ALIBABA_CLOUD_ACCESS_KEY_ID", keys.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
			keys.AccessKeySecret}, ""},
		"None": {nil, "NoCredentials"},
	} {
		handler := app.Event(environment(t, good, append(c.env, "SWAS_ENDPOINT", url)...), silent)
		body, err := handler(t.Context(), from, []byte(`{"target":"web-1","key":"k"}`))
		all := results(t, body, err)
		if code := all[0].Error; (code == nil) != (c.code == "") || code != nil && code.Code != c.code {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// TestNotify shows that a failure is notified before the invocation ends, and only where the policy asks for it.
func TestNotify(t *testing.T) {
	t.Parallel()
	for on, want := range map[string]int32{"failed": 1, "stale": 0} {
		var posts atomic.Int32
		robot := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posts.Add(1) }))
		defer robot.Close()
		api, url := account(t)
		api.Fault(simulator.Fault{Answer: simulator.AnswerError, Code: snapshot.CodeForbiddenRAM})
		policy := good + "notify: [{url: \"" + robot.URL + "\", form: json, on: [" + on + "]}]\n"
		handler := app.Event(environment(t, policy, "SWAS_ENDPOINT", url), silent)
		body, err := handler(t.Context(), invocation, []byte(`{"target":"web-1","key":"k"}`))
		if all := results(t, body, err); all[0].Error == nil || all[0].Error.Code != snapshot.CodeForbiddenRAM {
			t.Fatalf("%+v", all)
		}
		if posts.Load() != want {
			t.Errorf("on: [%s]: %d notifications were sent, want %d", on, posts.Load(), want)
		}
	}
}

// TestSweepNotifies shows that the timer function deletes a failed snapshot and notifies that, and that a function of
// another name cannot: its service has no way to delete.
func TestSweepNotifies(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	robot := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posts.Add(1) }))
	defer robot.Close()
	api, url := account(t)
	ours := []simulator.Tag{{Key: snapshot.TagToken, Value: "sn1-a"},
		{Key: snapshot.TagMeta, Value: "daily/timer/abcdefghijkl"}}
	api.AddSnapshot(simulator.Snapshot{ID: "s-good", DiskID: disk, CreationTime: time.Now().Add(-time.Hour),
		Tags: ours})
	api.AddSnapshot(simulator.Snapshot{ID: "s-failed", DiskID: disk, Status: simulator.Failed,
		CreationTime: time.Now().Add(-time.Hour), Tags: ours})
	env := environment(t, strings.Replace(good, disk+"}", disk+", keep: {daily: 1, deploy: 1}}", 1)+
		"notify: [{url: \""+robot.URL+"\", form: json, on: [failed, deleted]}]\n", "SWAS_ENDPOINT", url)
	tick := `{"triggerTime":"` + time.Now().UTC().Format(time.RFC3339) +
		`","triggerName":"sweep","payload":"{\"sweep\":true}"}`
	body, err := app.Timer(env, silent)(t.Context(), invocation, []byte(tick))
	if all := results(t, body, err); len(all) != 1 || all[0].Error != nil || len(all[0].Deleted) != 1 ||
		all[0].Deleted[0].SnapshotID != "s-failed" {
		t.Fatalf("%+v", all)
	}
	if posts.Load() != 2 {
		t.Errorf("%d notifications, want one that it failed and one that it was deleted", posts.Load())
	}
}
