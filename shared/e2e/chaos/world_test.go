package chaos

import (
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
)

// The account of every test. None of the secrets may ever be seen in an answer or a log.
const (
	sweepKey   = "STS.chaos-sweep" // of timer
	takeKey    = "STS.chaos-take"  // of http and event
	keySecret  = "chaos-key-secret-0123456789"
	stsToken   = "chaos-security-token-0123456789"
	apiToken   = "chaos-api-token-0123456789"
	hookSecret = "chaos-webhook-secret-0123456789"
	region     = testbed.Region

	web1 = "d-bp18kjxg9ebrhsgi0001"
	web2 = "d-bp18kjxg9ebrhsgi0002"
	db1  = "d-bp18kjxg9ebrhsgi0003"
)

// policy keeps a slot of web-1 free. A foreign snapshot holds that of web-2, so that its daily is replaced. Nothing of
// db-1 is ever deleted.
const policy = `
region: cn-hangzhou
schedule: {daily: 0 */3 * * *}
targets:
  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {daily: 1, deploy: 1}, maxAge: 6h}
  web-2: {disk: d-bp18kjxg9ebrhsgi0002, keep: {daily: 1, manual: 1}}
  db-1: {disk: d-bp18kjxg9ebrhsgi0003}
allow:
  - {from: api, targets: [web-1, web-2, db-1], actions: [take, list, plan, keep]}
`

// keep is the policy's slots, by disk.
var keep = map[string]map[string]int{web1: {"daily": 1, "deploy": 1}, web2: {"daily": 1, "manual": 1}}

// timeouts are those of the functions, of which they keep a fifth for the answer.
var timeouts = map[string]time.Duration{"timer": 4 * time.Second, "http": 2 * time.Second, "event": 2 * time.Second}

var names = []string{"timer", "http", "event"}

// world is one account, and the same functions on two platforms that work on it.
type world struct {
	api       *simulator.Simulator
	judge     *judge
	url       string
	clock     *testbed.Clock
	gateway   atomic.Int64 // skew of the clock of the API's gateway
	skew      atomic.Int64 // of the platforms' clocks
	functions map[runtimeapi.Platform]map[string]*testbed.Function
}

// newWorld starts the nth world. Some have a foreign snapshot that failed; in some the API forgets client tokens at once.
func newWorld(t *testing.T, n uint64) *world {
	t.Helper()
	w := &world{
		functions: make(map[runtimeapi.Platform]map[string]*testbed.Function),
		clock:     testbed.NewClock(t, time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC)),
	}
	w.judge = newJudge(keep, w.kill)
	w.api = simulator.New(simulator.Config{
		Now:  w.clock.Now,
		Wall: func() time.Time { return w.clock.Now().Add(time.Duration(w.gateway.Load())) },
		Instances: []simulator.Instance{
			{ID: "i-web-1", RegionID: region, Disks: []simulator.Disk{{ID: web1}}},
			{ID: "i-web-2", RegionID: region, Disks: []simulator.Disk{{ID: web2}}},
			{ID: "i-db-1", RegionID: region, Disks: []simulator.Disk{{ID: db1}}},
		},
		CallsPerMinute: simulator.Unlimited, Seed: n, OnDelete: w.judge.deletion,
	})
	w.renewKeys()
	w.api.AddSnapshot(simulator.Snapshot{ID: "s-foreign", DiskID: web2, Status: []string{simulator.Accomplished, simulator.Failed}[n%2]})
	w.judge.start(w.api)
	w.judge.forgot = n%3 == 2
	server := httptest.NewServer(w.judge)
	t.Cleanup(server.Close)
	w.url = server.URL
	for _, platform := range testbed.Platforms {
		w.functions[platform] = make(map[string]*testbed.Function)
		for _, name := range names {
			w.functions[platform][name] = deploy(t, testbed.Deployment{
				Platform: platform, Name: name, Policy: policy, URL: w.url, Timeout: timeouts[name], Moved: w.clock,
				Clock: func() time.Time { return w.clock.Now().Add(time.Duration(w.skew.Load())) },
			})
		}
	}
	return w
}

func (w *world) renewKeys() { w.setKeys(240 * time.Hour) }

func (w *world) setKeys(left time.Duration) {
	w.api.SetCredentials(credentials(w.clock.Now().Add(left))...)
}

// credentials are the keys of the two RAM policies.
func credentials(expires time.Time) []simulator.Credential {
	key := simulator.Credential{AccessKeyID: sweepKey, AccessKeySecret: keySecret, SecurityToken: stsToken, Expires: expires, Actions: simulator.SweepActions}
	other := key
	other.AccessKeyID, other.Actions = takeKey, simulator.TakeActions
	return []simulator.Credential{key, other}
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
	d.Keys = runtimeapi.Credentials{AccessKeyID: takeKey, AccessKeySecret: keySecret, SecurityToken: stsToken}
	if d.Name == "timer" {
		d.Keys.AccessKeyID = sweepKey
	}
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
			t.Errorf("%s tells %q:\n%.6000s", where, secret, text)
		}
	}
}
