package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// bodyMax is what the contract allows the body of a request, in bytes.
const bodyMax = 1 << 20

const token = "a-bearer-token-of-32-characters!"

// core is a core of func fields; what a test does not expect to be asked stays nil, and panics.
type core struct {
	take  func(snapshot.Order) snapshot.Result
	list  func(string) (snapshot.Listing, error)
	plan  func(target string) (snapshot.Plan, error)
	find  func(string) (snapshot.Snapshot, snapshot.Target, error)
	pin   func(id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error)
	unpin func(id string, may func(snapshot.Target) error) (snapshot.Pinned, error)
}

var _ httpapi.Core = core{}

func (c core) Take(_ context.Context, o snapshot.Order) snapshot.Result { return c.take(o) }
func (c core) List(_ context.Context, target string) (snapshot.Listing, error) {
	return c.list(target)
}
func (c core) Plan(_ context.Context, target string) (snapshot.Plan, error) {
	return c.plan(target)
}
func (c core) Find(_ context.Context, id string) (snapshot.Snapshot, snapshot.Target, error) {
	return c.find(id)
}
func (c core) Pin(_ context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	return c.pin(id, until, may)
}
func (c core) Unpin(_ context.Context, id string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	return c.unpin(id, may)
}

// rules allow the bearer to do everything with web-1, to list blog-1, and to take shop-1 in role deploy only.
var rules = policy.Policy{
	Policy: snapshot.Policy{Targets: []snapshot.Target{{Name: "web-1"}, {Name: "blog-1"}, {Name: "shop-1"},
		{Name: "db-1"}}},
	Allow: []policy.Allow{
		{From: "api", Targets: []string{"web-1"}, Actions: []policy.Action{"take", "list", "plan", "keep"}},
		{From: "api", Targets: []string{"blog-1"}, Actions: []policy.Action{"list"}},
		{From: "api", Targets: []string{"shop-1"}, Actions: []policy.Action{"take"}, Role: "deploy"},
		{From: "standard", Targets: []string{"web-1"}, Actions: []policy.Action{"take", "keep"}},
	},
}

// now is the time of all tests: seven minutes before the next sweep.
var now = time.Date(2026, 1, 30, 19, 3, 0, 0, time.UTC)

// serve answers one request of a caller with the bearer token.
func serve(c core, method, path, body string, header ...string) *httptest.ResponseRecorder {
	handler := httpapi.New(httpapi.Options{
		Policy: rules, Core: c, Bearer: []string{token}, Now: func() time.Time { return now },
	})
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func document(t *testing.T, w *httptest.ResponseRecorder) httpapi.Problem {
	t.Helper()
	var d httpapi.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatalf("%q is no problem document: %v", w.Body, err)
	}
	return d
}

// TestOrder shows which order the core gets of a request.
func TestOrder(t *testing.T) {
	t.Parallel()
	paced := func(o snapshot.Order) snapshot.Order {
		o.ExplicitKey, o.Sender, o.Actor, o.Paced, o.Repeated = true, "api", "api", true, true
		return o
	}
	for name, c := range map[string]struct {
		body   string
		header []string
		want   snapshot.Order
	}{
		"Plain": {`{"target":"web-1"}`, []string{"Idempotency-Key", "k"}, snapshot.Order{Target: "web-1", Key: "k"}},
		"Quoted": {`{"target":"web-1"}`, []string{"Idempotency-Key", `"k \"7\" \\"`},
			snapshot.Order{Target: "web-1", Key: `k "7" \`}},
		"InBody": {`{"target":"web-1","key":"k","reason":"r","role":"daily"}`, nil,
			snapshot.Order{Target: "web-1", Role: "daily", Key: "k", Reason: "r"}},
		"Time": {`{"target":"web-1","key":"k","time":"2026-01-30T20:00:00+01:00"}`, nil,
			snapshot.Order{Target: "web-1", Key: "k", Time: now.Add(-3 * time.Minute)}},
		"RoleOfRule": {`{"target":"shop-1"}`, []string{"Idempotency-Key", "k"},
			snapshot.Order{Target: "shop-1", Role: "deploy", Key: "k"}},
		"RoleRepeated": {`{"target":"shop-1","role":"deploy"}`, []string{"Idempotency-Key", "k"},
			snapshot.Order{Target: "shop-1", Role: "deploy", Key: "k"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got snapshot.Order
			w := serve(core{take: func(o snapshot.Order) snapshot.Result {
				got = o
				return snapshot.Result{SnapshotID: "s-1", Status: snapshot.Progressing}
			}}, "POST", "/snapshots", c.body, c.header...)
			if w.Code != http.StatusAccepted || w.Header().Get("Location") != "/snapshots/s-1" ||
				w.Header().Get("Retry-After") == "" {
				t.Errorf("status %d, header %v: %s", w.Code, w.Header(), w.Body)
			}
			if c.want.Role == "" {
				got.Role = "" // what policy says of an order without a role
			}
			if want := paced(c.want); !equal(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// equal compares orders; none here has tags.
func equal(a, b snapshot.Order) bool {
	left, _ := json.Marshal(a)
	right, _ := json.Marshal(b)
	return string(left) == string(right)
}

// TestRefused shows what never reaches the core: its fields are nil.
func TestRefused(t *testing.T) {
	t.Parallel()
	const order = `{"target":"web-1"}`
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		"RoleNotGranted": {"POST", "/snapshots", `{"target":"shop-1","role":"daily"}`, []string{"Idempotency-Key", "k"},
			403, "NotAllowed"},
		"NotGranted": {"POST", "/snapshots", `{"target":"blog-1"}`, []string{"Idempotency-Key", "k"}, 403,
			"NotAllowed"},
		"Unknown": {"POST", "/snapshots", `{"target":"web-2"}`, []string{"Idempotency-Key", "k"}, 404, "UnknownTarget"},
		"RawDisk": {"POST", "/snapshots", `{"DiskId":"d-1"}`, []string{"Idempotency-Key", "k"}, 400, "MalformedEvent"},
		"NoTime": {"POST", "/snapshots", `{"target":"web-1","time":"now"}`, []string{"Idempotency-Key", "k"}, 400,
			"MalformedEvent"},
		"RoleInPlan": {"GET", "/plan?target=web-1&role=daily", "", nil, 400, "MalformedEvent"},
		"NoKey":      {"POST", "/snapshots", order, nil, 400, "MissingIdempotencyKey"},
		"TwoKeys": {"POST", "/snapshots", order, []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, 400,
			"MalformedEvent"},
		"KeysDiffer": {"POST", "/snapshots", `{"target":"web-1","key":"a"}`, []string{"Idempotency-Key", "b"}, 400,
			"MalformedEvent"},
		"DryRunInQuery": {"POST", "/snapshots?dryRun=true", order, []string{"Idempotency-Key", "k"}, 400,
			"MalformedEvent"},
		"BadQuery":       {"GET", "/snapshots?target=%zz", "", nil, 400, "MalformedEvent"},
		"TwoTargets":     {"GET", "/snapshots?target=web-1&target=db-1", "", nil, 400, "MalformedEvent"},
		"NoTarget":       {"GET", "/plan", "", nil, 400, "InvalidOrder"},
		"PlanNotGranted": {"GET", "/plan?target=blog-1", "", nil, 403, "NotAllowed"},
		"TwoTokens": {"GET", "/snapshots?target=web-1", "", []string{"Authorization", "Bearer " + token}, 401,
			"Unauthenticated"},
		"Compressed": {"POST", "/snapshots", order, []string{"Content-Encoding", "gzip"}, 415, "UnsupportedMediaType"},
		"DotPath":    {"GET", "/snapshots/../plan?target=web-1", "", nil, 404, "NotFound"},
		"TooLarge":   {"POST", "/snapshots", strings.Repeat(" ", bodyMax+1), nil, 413, "BodyTooLarge"},
		"NoHooks":    {"POST", "/hooks/slack", "x", nil, 404, "NotFound"},
		"Patch":      {"PATCH", "/snapshots/s-1/keep", "", nil, 405, "MethodNotAllowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(core{}, c.method, c.path, c.body, c.header...)
			if got := document(t, w); w.Code != c.status || got.Code != c.code || got.Detail == "" {
				t.Errorf("status %d, %+v, want %d %s", w.Code, got, c.status, c.code)
			}
		})
	}
}

// TestLargestBody shows that the limit is where it is said to be.
func TestLargestBody(t *testing.T) {
	t.Parallel()
	body := `{"target":"web-1","key":"k"}`
	body += strings.Repeat(" ", bodyMax-len(body))
	planned := func(snapshot.Order) snapshot.Result { return snapshot.Result{Outcome: snapshot.OutcomePlanned} }
	w := serve(core{take: planned}, "POST", "/snapshots", body)
	if w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestBrokenBody(t *testing.T) {
	t.Parallel()
	handler := httpapi.New(httpapi.Options{Bearer: []string{token}})
	r := httptest.NewRequest("POST", "/snapshots", iotest.ErrReader(io.ErrUnexpectedEOF))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if got := document(t, w); w.Code != http.StatusBadRequest || got.Code != snapshot.CodeMalformed {
		t.Errorf("status %d, %+v", w.Code, got)
	}
}

// TestAuthenticate shows which callers pass, and that the log has the reason why one does not.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	signed := func(header http.Header, _ []byte) (string, bool) {
		return "msg-1", header.Get("Webhook-Signature") == "good"
	}
	both := httpapi.Options{Bearer: []string{"an-older-token-000000", token}, Signed: signed}
	for name, c := range map[string]struct {
		options httpapi.Options
		header  http.Header
		in      bool
		why     string
	}{
		"Bearer":      {both, http.Header{"Authorization": {"Bearer " + token}}, true, ""},
		"OlderBearer": {both, http.Header{"Authorization": {"Bearer an-older-token-000000"}}, true, ""},
		"Lowercase":   {both, http.Header{"Authorization": {"bearer " + token}}, true, ""},
		"Signature":   {both, http.Header{"Webhook-Signature": {"good"}}, true, ""},
		"BadSignature": {both, http.Header{"Webhook-Signature": {"bad"}}, false,
			"neither a bearer token nor a valid signature"},
		"OnlyBearer": {httpapi.Options{Bearer: []string{token}}, http.Header{"Webhook-Signature": {"good"}}, false,
			"no Authorization header"},
		"OnlySigned": {httpapi.Options{Signed: signed}, http.Header{"Authorization": {"Bearer " + token}}, false,
			"the bearer token is not in API_TOKEN"},
		"BearerOutweighs": {both, http.Header{"Authorization": {"Bearer x"}, "Webhook-Signature": {"good"}}, false,
			"the bearer token is not in API_TOKEN"},
		"Basic": {both, http.Header{"Authorization": {"Basic " + token}}, false, "Authorization is not a bearer token"},
		"Empty": {both, http.Header{"Authorization": {"Bearer "}}, false, "the bearer token is not in API_TOKEN"},
		"Prefix": {both, http.Header{"Authorization": {"Bearer " + token[:31]}}, false,
			"the bearer token is not in API_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var why string
			c.options.Policy = rules
			c.options.Refused = func(reason string) { why = reason }
			c.options.Core = core{find: func(string) (snapshot.Snapshot, snapshot.Target, error) {
				return snapshot.Snapshot{}, snapshot.Target{}, snapshot.NoSuchSnapshot()
			}}
			r := httptest.NewRequest("GET", "/snapshots/s-1", nil)
			r.Header = c.header
			w := httptest.NewRecorder()
			httpapi.New(c.options).ServeHTTP(w, r)
			if in := w.Code == http.StatusNotFound; in != c.in || why != c.why {
				t.Errorf("status %d, refused because %q, want in: %t, %q", w.Code, why, c.in, c.why)
			}
			if w.Code == http.StatusUnauthorized &&
				(w.Header().Get("WWW-Authenticate") != "Bearer" || strings.Contains(w.Body.String(), c.why)) {
				t.Errorf("the answer says why, or does not ask for a token: %v %s", w.Header(), w.Body)
			}
		})
	}
}

// TestHasBearer is for functions that cannot answer anything else.
func TestHasBearer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{"Bearer " + token: true, "Bearer x": false, "": false,
		"Basic " + token: false} {
		h := http.Header{}
		if header != "" {
			h.Set("Authorization", header)
		}
		if got := httpapi.HasBearer(h, []string{token}); got != want {
			t.Errorf("%q: %t", header, got)
		}
		if httpapi.HasBearer(h, nil) {
			t.Errorf("%q bears one of no tokens", header)
		}
	}
}
