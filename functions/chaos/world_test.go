package chaos

import (
	"encoding/base64"
	"net/http/httptest"
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
	keyID      = "STS.chaos-key"
	keySecret  = "chaos-key-secret-0123456789"
	stsToken   = "chaos-security-token-0123456789"
	apiToken   = "chaos-api-token-0123456789"
	hookSecret = "chaos-webhook-secret-0123456789"
	region     = testbed.Region

	web1 = "d-bp18kjxg9ebrhsgi0001"
	web2 = "d-bp18kjxg9ebrhsgi0002"
	db1  = "d-bp18kjxg9ebrhsgi0003"
)

// policy plans every slot of web-1, leaves one of web-2 to somebody else, and rotates nothing of db-1.
const policy = `
region: cn-hangzhou
targets:
  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {daily: 2, deploy: 1}, maxAge: 6h}
  web-2: {disk: d-bp18kjxg9ebrhsgi0002, keep: {daily: 1, manual: 1}}
  db-1: {disk: d-bp18kjxg9ebrhsgi0003}
allow:
  - {from: api, targets: [web-1, web-2, db-1], actions: [take, list, plan, keep]}
`

// keep is the policy's slots, by disk.
var keep = map[string]map[string]int{web1: {"daily": 2, "deploy": 1}, web2: {"daily": 1, "manual": 1}}

// timeout is that of the functions: of its 2 s they keep 400 ms for the answer.
const timeout = 2 * time.Second

var names = []string{"timer", "http", "event"}

// world is one account, and the same functions on two platforms that work on it.
type world struct {
	api       *simulator.Simulator
	judge     *judge
	url       string
	ahead     atomic.Int64 // of the clock of the account's state
	gateway   atomic.Int64 // skew of the clock of the API's gateway
	skew      atomic.Int64 // of the platforms' clocks
	functions map[runtimeapi.Platform]map[string]*testbed.Function
}

// begins is how long ago a history begins: all of it lies within maxEventAge of the processes' clocks.
const begins = -20 * time.Hour

// newWorld starts the nth world. Some have a foreign snapshot that failed; in some the API forgets client tokens at once.
func newWorld(t *testing.T, n uint64) *world {
	t.Helper()
	w := &world{functions: make(map[runtimeapi.Platform]map[string]*testbed.Function)}
	w.ahead.Store(int64(begins))
	w.api = simulator.New(simulator.Config{
		Now:  w.now,
		Wall: func() time.Time { return time.Now().Add(time.Duration(w.gateway.Load())) },
		Instances: []simulator.Instance{
			{ID: "i-web-1", RegionID: region, Disks: []simulator.Disk{{ID: web1}}},
			{ID: "i-web-2", RegionID: region, Disks: []simulator.Disk{{ID: web2}}},
			{ID: "i-db-1", RegionID: region, Disks: []simulator.Disk{{ID: db1}}},
		},
		CallsPerMinute: simulator.Unlimited, Seed: n,
	})
	w.renewKeys()
	w.api.AddSnapshot(simulator.Snapshot{ID: "s-foreign", DiskID: web2, Status: []string{simulator.Accomplished, simulator.Failed}[n%2]})
	w.judge = newJudge(w.api, keep, w.kill)
	w.judge.forgot = n%3 == 2
	server := httptest.NewServer(w.judge)
	t.Cleanup(server.Close)
	w.url = server.URL
	for _, platform := range testbed.Platforms {
		w.functions[platform] = make(map[string]*testbed.Function)
		for _, name := range names {
			w.functions[platform][name] = deploy(t, testbed.Deployment{
				Platform: platform, Name: name, Policy: policy, URL: w.url, Timeout: timeout,
				Clock: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) },
			})
		}
	}
	return w
}

// now is the time of the account's state.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// pass moves the clock of the account's state on: snapshots get done.
func (w *world) pass(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) renewKeys() { w.setKeys(time.Hour) }

func (w *world) setKeys(left time.Duration) {
	w.api.SetCredentials(simulator.Credential{AccessKeyID: keyID, AccessKeySecret: keySecret, SecurityToken: stsToken, Expires: time.Now().Add(left)})
}

// kill kills every process of a platform.
func (w *world) kill(platform runtimeapi.Platform) {
	for _, f := range w.functions[platform] {
		f.Kill()
	}
}

// deploy makes a function of the account. When the test ends, no secret and no stack trace may stand in its log.
func deploy(t *testing.T, d testbed.Deployment) *testbed.Function {
	t.Helper()
	d.Keys = runtimeapi.Credentials{AccessKeyID: keyID, AccessKeySecret: keySecret, SecurityToken: stsToken}
	d.Env = []string{"API_TOKEN=" + apiToken, "WEBHOOK_SECRET=whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret))}
	return testbed.Deploy(t, d, func(log string) { noSecrets(t, "the log of "+d.Name, log) })
}

// noSecrets checks that a text tells no secret, nothing of a signed request, and has no stack trace.
func noSecrets(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{
		keySecret, stsToken, apiToken, hookSecret, base64.StdEncoding.EncodeToString([]byte(hookSecret)), "Signature=", "goroutine ",
	} {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells %q:\n%.2000s", where, secret, text)
		}
	}
}
