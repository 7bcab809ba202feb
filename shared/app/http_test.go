package app_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"swas-snapshot/shared/app"
	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// httpEvent is a request as Function Compute hands it over.
func httpEvent(method, path, body string, header map[string]string) []byte {
	event, _ := json.Marshal(map[string]any{
		"version": "v1", "rawPath": path, "headers": header, "queryParameters": map[string]string{},
		"body": base64.StdEncoding.EncodeToString([]byte(body)), "isBase64Encoded": true,
		"requestContext": map[string]any{"requestId": "req-1",
			"http": map[string]string{"method": method, "path": path, "protocol": "HTTP/1.1",
				"sourceIp": "198.51.100.7"}},
	})
	return event
}

// answer is the answer in that form.
type answer struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

func bearing(more ...string) map[string]string {
	header := map[string]string{"Authorization": "Bearer " + apiKey}
	for i := 0; i < len(more); i += 2 {
		header[more[i]] = more[i+1]
	}
	return header
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	order := bearing("Content-Type", "application/json", "Idempotency-Key", "k")
	for name, c := range map[string]struct {
		event  []byte
		env    []string
		status int
		says   string
		calls  int
	}{
		"Order":   {httpEvent("POST", "/snapshots", `{"target":"web-1"}`, order), nil, 202, `"created"`, 1},
		"Health":  {httpEvent("GET", "/healthz", "", nil), nil, 200, "ok", 0},
		"NoToken": {httpEvent("POST", "/snapshots", `{"target":"web-1"}`, nil), nil, 401, "Unauthenticated", 0},
		"NoSecrets": {httpEvent("POST", "/snapshots", `{"target":"web-1"}`, order), []string{"API_TOKEN", ""}, 404,
			"NotFound", 0},
		"ShortSecret": {httpEvent("POST", "/snapshots", `{"target":"web-1"}`, bearing("Authorization", "Bearer short")),
			[]string{"API_TOKEN", "short"}, 404, "NotFound", 0},
		"NoHook": {httpEvent("POST", "/hooks/slack", "x", nil), nil, 404, "NotFound", 0},
		"BadSignature": {httpEvent("POST", "/snapshots", `{"target":"web-1"}`, nil),
			[]string{"WEBHOOK_SECRET", "whsec_c2l4dGVlbi1ieXRlcy1hbmQtbW9yZQ=="}, 401, "Unauthenticated", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, url := account(t)
			body, err := app.HTTP(environment(t, good, append(c.env, "SWAS_ENDPOINT", url)...), silent)(t.Context(),
				invocation, c.event)
			got := read(t, body, err)
			if got.StatusCode != c.status || !strings.Contains(got.Body, c.says) ||
				got.Headers["Cache-Control"] != "no-store" {
				t.Errorf("%+v", got)
			}
			if got.StatusCode >= 400 && !strings.Contains(got.Body, `"requestId":"`) {
				t.Errorf("the problem names no request: %s", got.Body)
			}
			if len(api.Calls()) != c.calls {
				t.Errorf("%d calls, want %d", len(api.Calls()), c.calls)
			}
		})
	}
}

func read(t *testing.T, body []byte, err error) answer {
	t.Helper()
	var got answer
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestRefuseHTTP shows that what is wrong with a deployment is for the log and for callers with the bearer token.
func TestRefuseHTTP(t *testing.T) {
	t.Parallel()
	handler := app.HTTP(environment(t, "colour: red\n"), silent)
	for name, c := range map[string]struct {
		header map[string]string
		shown  bool
	}{"Bearer": {bearing(), true}, "NoToken": {nil, false}} {
		body, err := handler(t.Context(), invocation, httpEvent("GET", "/healthz", "", c.header))
		got := read(t, body, err)
		if got.StatusCode != 500 || strings.Contains(got.Body, "colour") != c.shown ||
			got.Headers["X-Content-Type-Options"] != "nosniff" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	body, err := handler(t.Context(), invocation, []byte("x"))
	var failure platform.Failure
	if !errors.As(err, &failure) || failure.Type != snapshot.CodeMalformed {
		t.Errorf("an event that is no request: %s, %v", body, err)
	}
}

// TestHTTPWithoutCredentials shows that a function which cannot sign is healthy all the same, and says what it lacks to
// callers who ask for more.
func TestHTTPWithoutCredentials(t *testing.T) {
	t.Parallel()
	_, url := account(t)
	handler := app.HTTP(environment(t, good, "SWAS_ENDPOINT", url), silent)
	from := invocation
	from.Credentials = credentials.Credentials{}
	body, err := handler(t.Context(), from, httpEvent("GET", "/healthz", "", nil))
	if got := read(t, body, err); got.StatusCode != 200 {
		t.Errorf("healthz: %+v", got)
	}
	body, err = handler(t.Context(), from, httpEvent("POST", "/snapshots", `{"target":"web-1"}`,
		bearing("Content-Type", "application/json", "Idempotency-Key", "k")))
	if got := read(t, body, err); got.StatusCode != 500 || !strings.Contains(got.Body, "NoCredentials") {
		t.Errorf("order: %+v", got)
	}
}

// TestRedeliveredRequest shows that the HTTP function keeps its memory from one invocation to the next.
func TestRedeliveredRequest(t *testing.T) {
	t.Parallel()
	api, url := account(t)
	handler := app.HTTP(environment(t, good, "SWAS_ENDPOINT", url), silent)
	event := httpEvent("POST", "/snapshots", `{"target":"web-1"}`,
		bearing("Content-Type", "application/json", "Idempotency-Key", "k"))
	for _, outcome := range []string{`"created"`, `"replayed"`} {
		body, err := handler(t.Context(), invocation, event)
		if got := read(t, body, err); got.StatusCode != 202 || !strings.Contains(got.Body, outcome) {
			t.Errorf("want %s: %+v", outcome, got)
		}
	}
	if calls := api.Calls(); len(calls) != 1 || calls[0].Action != "CreateSnapshot" {
		t.Errorf("calls: %+v", calls)
	}
	if all := api.Snapshots(); len(all) != 1 || all[0].Status != simulator.Progressing {
		t.Errorf("snapshots: %+v", all)
	}
}
