package app

import (
	"bytes"
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
		Credentials: []simulator.Credential{{AccessKeyID: keys.AccessKeyID, AccessKeySecret: keys.AccessKeySecret}},
		Instances: []simulator.Instance{{ID: "i-web", RegionID: "cn-hangzhou",
			Disks: []simulator.Disk{{ID: testDisk}}}},
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
	var lines bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&lines, nil))
	return api, HTTP(func(name string) string { return variables[name] }, log), &lines
}

// TestExchange shows what the log says of each kind of request, and that it never has the query.
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
			[]string{`"method":"GET","path":"/snapshots","code":"Forbidden.RAM","status":5`,
				`"actions":[{"action":"list","code":"Forbidden.RAM",`, `"from":"api"`}},
		"Pinned": {"POST", "/snapshots/SNAPSHOT/keep", "", "", "INFO",
			[]string{`"path":"/snapshots/{id}/keep","status":200`,
				`"actions":[{"action":"pin","from":"api","keep":"forever","snapshotId":"SNAPSHOT","target":"web-1"}]`}},
		"Nothing": {"DELETE", "/snapshots/s-none/keep", "", "", "INFO",
			[]string{`"status":404`, `"from":"api","retryable":false,"snapshotId":"s-none"`}},
		"Full": {"POST", "/snapshots", `{"target":"web-1"}`, "", "ERROR",
			[]string{`"path":"/snapshots","code":"SlotsFull","status":503`, `"slots":"3 of 3"`,
				`"outcome":"deferred"`}},
		"Unseen": {"GE T", "/plan", "", "", "INFO",
			[]string{`"waitedMs":0,"code":"MalformedEvent","status":400,"orders":[]`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, handler, lines := logged(t)
			var id string
			for n := range 3 {
				token := fmt.Sprintf("sn1-%d", n)
				id = api.AddSnapshot(simulator.Snapshot{
					DiskID: testDisk, Status: simulator.Accomplished,
					CreationTime: time.Now().Add(-time.Duration(n+1) * time.Hour),
					Tags: []simulator.Tag{{Key: snapshot.TagToken, Value: token},
						{Key: snapshot.TagMeta, Value: "manual/api/abcdefghijkl"}},
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
				"version": "v1", "rawPath": strings.ReplaceAll(c.path, "SNAPSHOT", id), "queryParameters": query,
				"body": c.body,
				"headers": map[string]string{"Authorization": "Bearer " + testToken, "Content-Type": "application/json",
					"Idempotency-Key": "k"},
				"requestContext": map[string]any{"requestId": "req-1", "http": map[string]string{"method": c.method}},
			})
			if _, err := handler(t.Context(), platform.Invocation{Platform: platform.FC, RequestID: "req-1"},
				event); err != nil {
				t.Fatal(err)
			}
			all := strings.Split(strings.TrimSpace(lines.String()), "\n")
			line := all[len(all)-1]
			for _, part := range append(c.says, `"level":"`+c.level+`","msg":"invocation"`) {
				if part = strings.ReplaceAll(part, "SNAPSHOT", id); !strings.Contains(line, part) {
					t.Errorf("the line does not say %s: %s", part, line)
				}
			}
			if strings.Contains(line, "target=") || strings.Contains(line, testToken) ||
				strings.Contains(line, "GE T") {
				t.Errorf("the line says too much: %s", line)
			}
		})
	}
}

// TestHandlerPanic shows that a handler which panics is answered and recorded as 500, whatever it wrote, and that the
// log does not hold the text of the panic.
func TestHandlerPanic(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{"string": "a secret", "slice bounds out of range": runtimePanic()} {
		var lines bytes.Buffer
		i := &invocation{log: slog.New(slog.NewJSONHandler(&lines, nil))}
		body, err := i.serveHTTP(t.Context(), event("/x"),
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusOK)
				panic(value)
			}))
		if err != nil || !strings.Contains(string(body), `"statusCode":500`) {
			t.Errorf("%s: the answer is %s, %v", want, body, err)
		}
		if *i.record.http != (exchange{"GET", "", http.StatusInternalServerError, snapshot.CodeInternal}) {
			t.Errorf("%s: recorded: %+v", want, i.record.http)
		}
		if log := lines.String(); !strings.Contains(log, "http handler panicked") || !strings.Contains(log, want) ||
			strings.Contains(log, "a secret") {
			t.Errorf("the log is %s, want %s", log, want)
		}
	}
}

// runtimePanic returns the value of a panic of the runtime.
func runtimePanic() (value any) {
	defer func() { value = recover() }()
	return event("/")[1000:]
}

// event returns a request as Function Compute hands it over, without a request ID.
func event(path string) []byte {
	return []byte(`{"version":"v1","rawPath":"` + path + `","requestContext":{"http":{"method":"GET"}}}`)
}

// TestUnconfigured shows that the line of a function that is not configured has every number.
func TestUnconfigured(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"SNAPSHOTS_FILE": "/nowhere/snapshots.yaml"}
	var lines bytes.Buffer
	handler := Event(func(name string) string { return variables[name] }, slog.New(slog.NewJSONHandler(&lines, nil)))
	_, _ = handler(t.Context(), platform.Invocation{}, nil)
	if !strings.Contains(lines.String(), `"apiCalls":0,"retries":0,"waitedMs":0,"orders":[{"code":"InvalidPolicy"`) {
		t.Errorf("the log is %s", &lines)
	}
}

// A request without an ID of its own has that of the invocation, in problem documents and in every line of the log.
func TestRequestIDOfTheInvocation(t *testing.T) {
	t.Parallel()
	_, handler, lines := logged(t)
	for _, path := range []string{"/nothing", "not a path", "/snapshots/s-1"} {
		body, err := handler(t.Context(), platform.Invocation{RequestID: "req-1"}, event(path))
		if err != nil || !strings.Contains(string(body), `\"requestId\":\"req-1\"`) {
			t.Errorf("%s: got %s, %v", path, body, err)
		}
	}
	all := strings.Split(strings.TrimSpace(lines.String()), "\n")
	if len(all) != 4 || !strings.Contains(all[2], "refused a caller") { // and a line of each invocation
		t.Errorf("the log is %s", lines)
	}
	for _, line := range all {
		if strings.Count(line, `"requestId":"req-1"`) != 1 {
			t.Errorf("a line without the request ID, or with two: %s", line)
		}
	}
}
