package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// start is the time at which every test begins, on both clocks.
var start = time.Date(2026, 3, 9, 7, 12, 49, 0, time.UTC)

const (
	testKey    = "test-key"
	testSecret = "test-secret"
)

// clock is a clock that a test moves by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// harness is a simulator with a signing client beside it.
type harness struct {
	t     testing.TB
	sim   *Simulator
	clock *clock
	nonce int
}

// newHarness starts a simulator of three servers without a rate limit; change, if given, alters its configuration.
func newHarness(t testing.TB, change ...func(*Config)) *harness {
	t.Helper()
	h := &harness{t: t, clock: &clock{at: start}}
	config := Config{
		Now:            h.clock.now,
		Wall:           h.clock.now,
		CallsPerMinute: Unlimited,
		Credentials:    []Credential{{AccessKeyID: testKey, AccessKeySecret: testSecret}},
		Instances: []Instance{
			{ID: "i-web", RegionID: "cn-hangzhou", ResourceGroupID: "rg-one", Tags: []Tag{{"team", "web"}}, Disks: []Disk{
				{ID: "d-web", Tags: []Tag{{"use", "boot"}}}, {ID: "d-web-data", ResourceGroupID: "rg-one"},
			}},
			{ID: "i-db", RegionID: "cn-hangzhou", Disks: []Disk{{ID: "d-db"}}},
			{ID: "i-far", RegionID: "cn-shanghai", Disks: []Disk{{ID: "d-far"}}},
		},
	}
	for _, one := range change {
		one(&config)
	}
	h.sim = New(config)
	return h
}

// reply is an answer as it came over the wire.
type reply struct {
	status int
	body   map[string]any
	raw    string
}

// code is the code of a refusal, or "".
func (r reply) code() string {
	code, _ := r.body["Code"].(string)
	return code
}

// text returns an element of the answer.
func (r reply) text(name string) string {
	text, _ := r.body[name].(string)
	return text
}

// elements returns the elements of a list.
func (r reply) elements(name string) []map[string]any {
	list, _ := r.body[name].([]any)
	elements := make([]map[string]any, len(list))
	for i, one := range list {
		elements[i] = one.(map[string]any)
	}
	return elements
}

// column returns one element of each element of a list.
func (r reply) column(list, name string) []string {
	var column []string
	for _, one := range r.elements(list) {
		column = append(column, fmt.Sprint(one[name]))
	}
	return column
}

// common returns the signed parameters of a call, all but the signature. Pairs are names and values; an empty name
// is left out, and a pair of the common parameters overrides them.
func (h *harness) common(action string, pairs ...string) url.Values {
	h.nonce++
	values := url.Values{
		"Action":           {action},
		"Version":          {apiVersion},
		"Format":           {"JSON"},
		"AccessKeyId":      {testKey},
		"SignatureMethod":  {"HMAC-SHA1"},
		"SignatureVersion": {"1.0"},
		"SignatureType":    {""},
		"SignatureNonce":   {fmt.Sprintf("nonce-%d", h.nonce)},
		"Timestamp":        {h.clock.now().UTC().Format(timestampForm)},
		"RegionId":         {"cn-hangzhou"},
	}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values
}

// signed adds the signature of the test's secret.
func signed(method string, values url.Values) url.Values {
	params, _ := merge(values)
	values.Set("Signature", signV1(testSecret, v1StringToSign(method, params)))
	return values
}

// call makes a signed call as the SDK does: POST with everything in the query.
func (h *harness) call(action string, pairs ...string) reply {
	h.t.Helper()
	query := signed(http.MethodPost, h.common(action, pairs...)).Encode()
	return h.do(httptest.NewRequest(http.MethodPost, "/?"+query, nil))
}

// do sends a request and reads the answer.
func (h *harness) do(request *http.Request) reply {
	h.t.Helper()
	recorder := httptest.NewRecorder()
	h.sim.ServeHTTP(recorder, request)
	r := reply{status: recorder.Code, raw: recorder.Body.String()}
	if strings.HasPrefix(recorder.Header().Get("Content-Type"), "application/json") && r.raw != "" {
		json.Unmarshal(recorder.Body.Bytes(), &r.body) // faults send bodies that are none on purpose
	}
	return r
}

// want fails the test unless the answer is the refusal with this code, or a success where code is "".
func (h *harness) want(r reply, code string) reply {
	h.t.Helper()
	if r.code() != code {
		h.t.Fatalf("code = %q, want %q: %s", r.code(), code, r.raw)
	}
	if (code == "") != (r.status == http.StatusOK) {
		h.t.Fatalf("status = %d with code %q: %s", r.status, code, r.raw)
	}
	return r
}

// create takes a snapshot of a disk and returns its ID.
func (h *harness) create(disk, name string, pairs ...string) string {
	h.t.Helper()
	return h.want(h.call("CreateSnapshot", append([]string{"DiskId", disk, "SnapshotName", name}, pairs...)...),
		"").text("SnapshotId")
}

// finish lets every snapshot in progress be accomplished.
func (h *harness) finish() { h.clock.advance(12 * time.Minute) }
