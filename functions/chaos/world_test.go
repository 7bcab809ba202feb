package chaos

import (
	"bytes"
	"encoding/base64"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	region     = "cn-hangzhou"

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

var (
	platforms = []runtimeapi.Platform{runtimeapi.FC, runtimeapi.Lambda}
	names     = []string{"timer", "http", "event"}
)

// world is one account, and the same functions on two platforms that work on it.
type world struct {
	api       *simulator.Simulator
	judge     *judge
	url       string
	ahead     atomic.Int64 // of the clock of the account's state
	gateway   atomic.Int64 // skew of the clock of the API's gateway
	skew      atomic.Int64 // of the platforms' clocks
	functions map[runtimeapi.Platform]map[string]*function
}

// begins is how long ago a history begins: all of it lies within maxEventAge of the processes' clocks.
const begins = -20 * time.Hour

// newWorld starts the nth world. Some have a foreign snapshot that failed; in some the API forgets client tokens at once.
func newWorld(t *testing.T, n uint64) *world {
	t.Helper()
	w := &world{functions: make(map[runtimeapi.Platform]map[string]*function)}
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
	for _, platform := range platforms {
		w.functions[platform] = make(map[string]*function)
		for _, name := range names {
			w.functions[platform][name] = deploy(t, deployment{
				platform: platform, name: name, policy: policy, url: w.url, timeout: timeout,
				clock: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) },
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

// deployment is a function and where it runs.
type deployment struct {
	platform  runtimeapi.Platform
	name      string // timer, http or event
	policy    string
	url       string // of the API
	timeout   time.Duration
	instances int // at most; default 4
	clock     func() time.Time
}

// function is a deployed function and what it logged.
type function struct {
	*runtimeapi.Function
	platform runtimeapi.Platform
	name     string
	log      log
}

func deploy(t *testing.T, d deployment) *function {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "snapshots.yaml"), []byte(d.policy), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &function{platform: d.platform, name: d.name}
	config := runtimeapi.Config{
		Platform: d.platform, Binary: filepath.Join(binaries, d.name), Dir: folder, Region: region, Timeout: d.timeout, Now: d.clock,
		Grace: time.Millisecond, MaxInstances: d.instances, Stdout: &f.log, Stderr: &f.log,
		Env: []string{
			"SWAS_ENDPOINT=" + d.url, "SNAPSHOT_CALLS_PER_MINUTE=0", "API_TOKEN=" + apiToken,
			"WEBHOOK_SECRET=whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret)),
		},
	}
	if d.platform == runtimeapi.FC {
		config.Credentials = func() runtimeapi.Credentials {
			return runtimeapi.Credentials{AccessKeyID: keyID, AccessKeySecret: keySecret, SecurityToken: stsToken}
		}
	} else {
		config.Env = append(config.Env, "ALIBABA_CLOUD_REGION_ID="+region, "ALIBABA_CLOUD_ACCESS_KEY_ID="+keyID,
			"ALIBABA_CLOUD_ACCESS_KEY_SECRET="+keySecret, "ALIBABA_CLOUD_SECURITY_TOKEN="+stsToken)
	}
	var err error
	if f.Function, err = runtimeapi.Start(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		noSecrets(t, "the log of "+d.name, f.log.String())
	})
	return f
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

// log is a buffer for several goroutines.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
