package wiring

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

const (
	testToken = "an-api-token-of-the-tests"
	testDisk  = "d-bp18kjxg9ebrhsgi0001"
)

// logged returns the HTTP function of an account with a full server, and what it logs.
func logged(t *testing.T) (*simulator.Simulator, platform.Handler, *bytes.Buffer) {
	t.Helper()
	keys := credentials.Credentials{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret"}
	api := simulator.New(simulator.Config{
		Credentials:    []simulator.Credential{{AccessKeyID: keys.AccessKeyID, AccessKeySecret: keys.AccessKeySecret}},
		Instances:      []simulator.Instance{{ID: "i-web", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: testDisk}}}},
		CallsPerMinute: simulator.Unlimited,
	})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	rules := "region: cn-hangzhou\ntargets: {web-1: {disk: " + testDisk + ", keep: {manual: 2}}}\n" +
		"allow: [{from: api, targets: [web-1], actions: [take, list, plan, keep]}]\n"
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{
		"SNAPSHOTS_FILE": file, "SWAS_ENDPOINT": server.URL, "API_TOKEN": testToken,
		"ALIBABA_CLOUD_ACCESS_KEY_ID": keys.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": keys.AccessKeySecret,
	}
	f := New("http", func(name string) string { return variables[name] })
	var lines bytes.Buffer
	f.log = slog.New(slog.NewJSONHandler(&lines, nil))
	return api, f.Handler(f.HTTP(), f.RefuseHTTP), &lines
}

// TestExchange shows what the log tells of each kind of request, and that it tells nothing of the query.
func TestExchange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path, body string
		fault              string
		level              string
		says               []string
	}{
		"Looked": {"GET", "/plan", "", "", "INFO", []string{`"method":"GET","path":"/plan","status":200,"orders":[]`}},
		"Upstream": {"GET", "/snapshots", "", "Forbidden.RAM", "ERROR",
			[]string{`"method":"GET","path":"/snapshots","code":"Forbidden.RAM","status":5`, `"deeds":[{"action":"list","code":"Forbidden.RAM",`, `"from":"api"`}},
		"Pinned": {"POST", "/snapshots/SNAPSHOT/keep", "", "", "INFO",
			[]string{`"path":"/snapshots/{id}/keep","status":200`, `"deeds":[{"action":"pin","from":"api","keep":"forever","snapshotId":"SNAPSHOT","target":"web-1"}]`}},
		"Nothing": {"DELETE", "/snapshots/s-none/keep", "", "", "INFO", []string{`"status":404`, `"from":"api","retryable":false,"snapshotId":"s-none"`}},
		"Full": {"POST", "/snapshots", `{"target":"web-1"}`, "", "ERROR",
			[]string{`"path":"/snapshots","code":"SlotsFull","status":503`, `"slots":"3 of 3"`, `"outcome":"deferred"`}},
		"Unseen": {"GE T", "/plan", "", "", "INFO", []string{`"waitedMs":0,"code":"MalformedEvent","status":400,"orders":[]`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, handler, lines := logged(t)
			var id string
			for n := range 3 {
				token := fmt.Sprintf("sn1-%d", n)
				id = api.AddSnapshot(simulator.Snapshot{
					DiskID: testDisk, Status: simulator.Accomplished, CreationTime: time.Now().Add(-time.Duration(n+1) * time.Hour),
					Tags: []simulator.Tag{{Key: snapshot.TagToken, Value: token}, {Key: snapshot.TagMeta, Value: "manual/api/abcdefghijkl"}},
				})
			}
			if c.fault != "" {
				api.Fault(simulator.Fault{Answer: simulator.AnswerError, Code: c.fault})
			}
			query := map[string]string{}
			if c.method == "GET" {
				query["target"] = "web-1"
			}
			event, _ := json.Marshal(map[string]any{
				"version": "v1", "rawPath": strings.ReplaceAll(c.path, "SNAPSHOT", id), "queryParameters": query, "body": c.body,
				"headers":        map[string]string{"Authorization": "Bearer " + testToken, "Content-Type": "application/json", "Idempotency-Key": "k"},
				"requestContext": map[string]any{"requestId": "req-1", "http": map[string]string{"method": c.method}},
			})
			if _, err := handler(t.Context(), platform.Invocation{Platform: platform.FC, RequestID: "req-1"}, event); err != nil {
				t.Fatal(err)
			}
			all := strings.Split(strings.TrimSpace(lines.String()), "\n")
			line := all[len(all)-1]
			for _, part := range append(c.says, `"level":"`+c.level+`","msg":"invocation"`) {
				if part = strings.ReplaceAll(part, "SNAPSHOT", id); !strings.Contains(line, part) {
					t.Errorf("the line does not say %s: %s", part, line)
				}
			}
			if strings.Contains(line, "target=") || strings.Contains(line, testToken) || strings.Contains(line, "GE T") {
				t.Errorf("the line tells too much: %s", line)
			}
		})
	}
}

// TestExchangePanic shows that a handler which panics answered 500 for the log, whatever it wrote, and that its panic goes
// on.
func TestExchangePanic(t *testing.T) {
	t.Parallel()
	var seen exchange
	handler := watched(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		panic("a secret")
	}), func(_ *http.Request, e exchange) { seen = e })
	defer func() {
		if value := recover(); value != "a secret" {
			t.Errorf("the panic is %v", value)
		}
		if seen != (exchange{"GET", "", http.StatusInternalServerError, snapshot.CodeInternal}) {
			t.Errorf("seen: %+v", seen)
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody))
}

// TestDefaultLogger shows that what the platform's part has to say is JSON, and heeds SNAPSHOT_LOG_LEVEL. The default is
// one for the process, so this test runs alone.
func TestDefaultLogger(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	New("timer", func(name string) string { return map[string]string{"SNAPSHOT_LOG_LEVEL": "error"}[name] })
	log := slog.Default()
	ids, ok := log.Handler().(requestIDs)
	if !ok {
		t.Fatalf("the default handler is %T", log.Handler())
	}
	if _, ok := ids.Handler.(*slog.JSONHandler); !ok || log.Enabled(t.Context(), slog.LevelWarn) || !log.Enabled(t.Context(), slog.LevelError) {
		t.Errorf("the default logger writes %T", ids.Handler)
	}
}

// TestUnconfigured shows that the line of a function that is not configured has every number.
func TestUnconfigured(t *testing.T) {
	t.Parallel()
	f := New("event", func(name string) string { return map[string]string{"SNAPSHOTS_FILE": "/nowhere/snapshots.yaml"}[name] })
	var lines bytes.Buffer
	f.log = slog.New(slog.NewJSONHandler(&lines, nil))
	_, _ = f.Handler(nil, RefuseEvent)(t.Context(), platform.Invocation{}, nil)
	if !strings.Contains(lines.String(), `"apiCalls":0,"retries":0,"waitedMs":0,"orders":[{"code":"InvalidPolicy"`) {
		t.Errorf("the log is %s", &lines)
	}
}

// An event without a request ID of its own is known by that of the invocation.
func TestProblemNamesTheInvocation(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r = r.WithContext(context.WithValue(r.Context(), invocationKey{}, &recorder{requestID: "req-1"}))
	watched(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem.WriteStatus(w, http.StatusNotFound, problem.CodeNotFound, "there is nothing at this path")
	}), func(*http.Request, exchange) {}).ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `"requestId":"req-1"`) {
		t.Errorf("got %s", w.Body)
	}
}
