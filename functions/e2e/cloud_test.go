package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/functions/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
)

// The account of every test. None of the secrets may ever be seen in an answer or a log.
const (
	keyID       = "LTAI-e2e-key"
	keySecret   = "e2e-key-secret-0123456789"
	stsToken    = "e2e-security-token-0123456789"
	apiToken    = "demo-token-not-a-secret-0001" // as in the fixtures of events/
	hookSecret  = "e2e-webhook-secret-0123456789"
	region      = testbed.Region
	disk        = "d-bp18kjxg9ebrhsgi0001" // of target web-1
	otherDisk   = "d-bp18kjxg9ebrhsgi0002" // of target db-1, which nobody may name over HTTP
	missingDisk = "d-bp18kjxg9ebrhsgi0009" // of no server
)

// policy is that of every test that needs no other. The fixtures of events/ are of a day long past.
const policy = `
region: cn-hangzhou
maxEventAge: 876000h
targets:
  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {daily: 2, deploy: 1}}
  db-1: {disk: d-bp18kjxg9ebrhsgi0002, keep: {weekly: 3}}
allow:
  - {from: api, targets: [web-1], actions: [take, list, plan, keep]}
  - {from: standard, targets: [web-1], actions: [take, list]}
events:
  - {source: acs.oss, type: "oss:ObjectCreated:*", subject: "*/releases/web/*", targets: [web-1], role: deploy}
  - {source: aws.codepipeline, type: "CodePipeline*", subject: "*:shop", targets: [web-1], role: deploy}
`

// onBoth runs a test on each platform.
func onBoth(t *testing.T, test func(*testing.T, runtimeapi.Platform)) {
	t.Helper()
	for _, platform := range testbed.Platforms {
		t.Run(string(platform), func(t *testing.T) {
			t.Parallel()
			test(t, platform)
		})
	}
}

// cloud is one simulated account, and its clock.
type cloud struct {
	*simulator.Simulator
	t     *testing.T
	url   string
	ahead atomic.Int64
}

// newCloud starts an account with two servers of one disk each.
func newCloud(t *testing.T, changes ...func(*simulator.Config)) *cloud {
	t.Helper()
	c := &cloud{t: t}
	config := simulator.Config{
		Now:         func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
		Credentials: []simulator.Credential{{AccessKeyID: keyID, AccessKeySecret: keySecret}},
		Instances: []simulator.Instance{
			{ID: "i-web", RegionID: region, Disks: []simulator.Disk{{ID: disk}}},
			{ID: "i-db", RegionID: region, Disks: []simulator.Disk{{ID: otherDisk}}},
		},
		CallsPerMinute: simulator.Unlimited,
		Seed:           1,
	}
	for _, change := range changes {
		change(&config)
	}
	c.Simulator = simulator.New(config)
	server := httptest.NewServer(c.Simulator)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// pass moves the clock of the account on: snapshots get done.
func (c *cloud) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// called returns the calls that arrived since the last time, and forgets them.
func (c *cloud) called() map[string]int {
	defer c.ResetCalls()
	return c.CallCounts()
}

// wantCalls checks which calls arrived since the last time.
func (c *cloud) wantCalls(t *testing.T, want map[string]int) {
	t.Helper()
	if got := c.called(); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
		t.Errorf("the API was called %v, want %v", got, want)
	}
}

// wantSnapshots checks how many snapshots there are.
func (c *cloud) wantSnapshots(t *testing.T, want int) {
	t.Helper()
	if all := c.Snapshots(); len(all) != want {
		t.Errorf("there are %d snapshots, want %d: %+v", len(all), want, all)
	}
}

// deployment is how a function of a test differs from the plain one.
type deployment struct {
	platform runtimeapi.Platform
	name     string // timer, http or event
	policy   string // default: policy; "-": there is no file
	env      []string
	timeout  time.Duration
	keys     *runtimeapi.Credentials // default: those of the account
	clock    func() time.Time        // of the platform
}

// function is a deployed function of a test.
type function struct {
	*testbed.Function
	t *testing.T
}

// deploy makes a function of this account. When the test ends, no secret and no stack trace may stand in its log.
func (c *cloud) deploy(t *testing.T, d deployment) *function {
	t.Helper()
	made := testbed.Deployment{
		Platform: d.platform, Name: d.name, Policy: d.policy, URL: c.url, Timeout: d.timeout, Instances: 10, Clock: d.clock,
		Keys: runtimeapi.Credentials{AccessKeyID: keyID, AccessKeySecret: keySecret},
		Env:  append([]string{"API_TOKEN=" + apiToken}, d.env...),
	}
	switch d.policy {
	case "":
		made.Policy = policy
	case "-":
		made.Policy = ""
	}
	if d.keys != nil {
		made.Keys = *d.keys
	}
	return &function{t: t, Function: testbed.Deploy(t, made, func(log string) {
		noSecrets(t, "the log", log)
		if strings.Contains(log, "goroutine ") {
			t.Errorf("the log has a stack trace:\n%s", log)
		}
		if t.Failed() {
			t.Logf("the function logged:\n%s", log)
		}
	})}
}

// noSecrets checks that a text tells no secret, and nothing of a signed request.
func noSecrets(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{keySecret, stsToken, apiToken, hookSecret, "Signature=", "wrong-secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells %q:\n%s", where, secret, text)
		}
	}
}

// invoke sends an event.
func (f *function) invoke(event []byte) runtimeapi.Answer {
	f.t.Helper()
	answer, err := f.Invoke(f.t.Context(), event)
	if err != nil {
		f.t.Fatal(err)
	}
	noSecrets(f.t, "the answer", string(answer.Payload))
	return answer
}

// call sends a request through the platform's HTTP endpoint.
func (f *function) call(method, path string, header http.Header, body string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	w := httptest.NewRecorder()
	runtimeapi.Gateway(f.Function.Function).ServeHTTP(w, r)
	noSecrets(f.t, "the answer", fmt.Sprint(w.Header())+w.Body.String())
	return w
}

// fixture returns a payload of events/.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("..", "..", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	return event
}
