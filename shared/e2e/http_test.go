package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/simulator/runtimeapi"
)

// bearer is the headers of a caller with the token, and more as name, value.
func bearer(more ...string) http.Header {
	return headers(append([]string{"Authorization", "Bearer " + apiToken}, more...)...)
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// keyed is the headers of an order with an idempotency key.
func keyed(key string, more ...string) http.Header {
	return bearer(append([]string{"Content-Type", "application/json", "Idempotency-Key", key}, more...)...)
}

// signed is the headers of an order that is signed as Standard Webhooks say.
func signed(secret, id string, at time.Time, body string) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + stamp + "." + body))
	return headers("Content-Type", "application/json", "Webhook-Id", id, "Webhook-Timestamp", stamp,
		"Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

const httpOrder = `{"target":"web-1","role":"deploy","reason":"before the upgrade"}`

// request is one call of the HTTP API in an account, and its answer.
type request struct {
	before   func(*testing.T, *cloud, *function) // nil: nothing
	method   string                              // default GET
	path     string                              // default /snapshots
	header   http.Header
	body     string
	policy   string
	env      []string
	timeout  time.Duration
	notFound bool // no secret at all is set

	status int
	code   string            // of a problem document; "": there is none
	head   map[string]string // headers of the answer; "*": any value but none
	says   []string          // parts of the body
	calls  map[string]int
}

// TestHTTP sends every request of the contract through both platforms' HTTP endpoints.
func TestHTTP(t *testing.T) {
	t.Parallel()
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, platform runtimeapi.Platform) { r.send(t, platform) })
		})
	}
}

func (r request) send(t *testing.T, platform runtimeapi.Platform) {
	c := newCloud(t)
	if r.notFound {
		r.env = append(r.env, "API_TOKEN=")
	}
	f := c.deploy(t, deployment{platform: platform, name: "http", policy: r.policy, env: r.env, timeout: r.timeout})
	if r.before != nil {
		r.before(t, c, f)
	}
	if r.method == "" {
		r.method = http.MethodGet
	}
	if r.path == "" {
		r.path = "/snapshots"
	}
	w := f.call(r.method, r.path, r.header, r.body)
	wantStatus(t, w, r.status)
	r.checkHead(t, w.Header())
	if r.method == http.MethodHead {
		if w.Body.Len() > 0 {
			t.Errorf("the answer to HEAD has a body: %s", w.Body)
		}
	} else if !json.Valid(w.Body.Bytes()) {
		t.Errorf("the body is no JSON: %s", w.Body)
	}
	for _, part := range r.says {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("the body does not say %s: %s", part, w.Body)
		}
	}
	if r.status >= 400 {
		checkProblem(t, w, r.code)
	}
	if r.timeout == 0 {
		if r.calls == nil {
			r.calls = map[string]int{}
		}
		c.wantCalls(t, r.calls)
	}
}

func (r request) checkHead(t *testing.T, got http.Header) {
	t.Helper()
	want := map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Type": "application/json"}
	if r.status >= 400 {
		want["Content-Type"] = "application/problem+json"
	}
	for name, value := range r.head {
		want[name] = value
	}
	for name, value := range want {
		have := got.Get(name)
		if start, open := strings.CutSuffix(value, "*"); open && (have == "" || !strings.HasPrefix(have, start)) || !open && have != value {
			t.Errorf("the header %s is %q, want %q", name, have, value)
		}
	}
}

// checkProblem checks a problem document of RFC 9457 with our extensions.
func checkProblem(t *testing.T, w *httptest.ResponseRecorder, code string) {
	t.Helper()
	var document httpapi.Problem
	decode(t, w.Body.Bytes(), &document)
	if document.Status != w.Code || document.Type != "about:blank" || document.Title != http.StatusText(w.Code) || document.Detail == "" || document.Code == "" || document.RequestID == "" {
		t.Errorf("status %d, document %s", w.Code, w.Body)
	}
	if code != "" && document.Code != code {
		t.Errorf("the code is %q, want %q: %s", document.Code, code, document.Detail)
	}
	if retry := w.Header().Get("Retry-After") != ""; retry != (document.Retryable || w.Code >= http.StatusBadGateway) {
		t.Errorf("retryable is %t, and Retry-After is there: %t", document.Retryable, retry)
	}
}
