package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// The account of every test. None of the secrets may ever be seen in an answer or a log.
const (
	sweepKey    = "LTAI-e2e-sweep" // of timer
	takeKey     = "LTAI-e2e-take"  // of http and event: it may not delete
	operatorKey = "LTAI-e2e-operator"
	keySecret   = "e2e-key-secret-0123456789"
	stsToken    = "e2e-security-token-0123456789"
	apiToken    = "demo-token-not-a-secret-0001" // as in the fixtures of events/
	hookSecret  = "e2e-webhook-secret-0123456789"
	region      = testbed.Region
	disk        = "d-bp18kjxg9ebrhsgi0001" // of target web-1
	otherDisk   = "d-bp18kjxg9ebrhsgi0002" // of target db-1, which no caller may name over HTTP
	missingDisk = "d-bp18kjxg9ebrhsgi0009" // of no server
)

// policy is that of every test that needs no other. Nothing is due by itself.
const policy = `
region: cn-hangzhou
targets:
  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {daily: 1, deploy: 1}}
  db-1: {disk: d-bp18kjxg9ebrhsgi0002, keep: {weekly: 2}}
allow:
  - {from: api, targets: [web-1], role: deploy, actions: [take, list, plan, keep]}
  - {from: standard, targets: [web-1], role: deploy, actions: [take, list]}
events:
  - {source: acs.oss, type: "oss:ObjectCreated:*", subject: "*/releases/web/*", targets: [web-1], role: deploy}
  - {source: aws.codepipeline, type: "CodePipeline*", subject: "*:shop", targets: [web-1], role: deploy}
`

// scheduled is the policy with the schedule of the repository's snapshots.yaml: 03:00 in Shanghai is 19:00Z.
const scheduled = "timeZone: Asia/Shanghai\nschedule: {daily: 0 3 * * *}" + policy

// night is just after the events of events/: daily is due, and no order is late.
var night = time.Date(2026, 1, 30, 19, 2, 30, 0, time.UTC)

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
	clock *testbed.Clock // of the account and all functions; nil: the machine's

	mu      sync.Mutex
	deleted []simulator.Snapshot // by functions, as they were then
}

// newCloud starts an account with two servers of one disk each.
func newCloud(t *testing.T, changes ...func(*simulator.Config)) *cloud {
	t.Helper()
	return startCloud(t, nil, changes...)
}

// newCloudAt starts an account whose clock, and that of its functions, shows at.
func newCloudAt(t *testing.T, at time.Time, changes ...func(*simulator.Config)) *cloud {
	t.Helper()
	return startCloud(t, testbed.NewClock(t, at), changes...)
}

func startCloud(t *testing.T, clock *testbed.Clock, changes ...func(*simulator.Config)) *cloud {
	t.Helper()
	c := &cloud{t: t, clock: clock}
	config := simulator.Config{
		Now: c.now,
		Credentials: []simulator.Credential{
			{AccessKeyID: sweepKey, AccessKeySecret: keySecret, Actions: simulator.SweepActions},
			{AccessKeyID: takeKey, AccessKeySecret: keySecret, Actions: simulator.TakeActions},
			{AccessKeyID: operatorKey, AccessKeySecret: keySecret},
		},
		Instances: []simulator.Instance{
			{ID: "i-web", RegionID: region, Disks: []simulator.Disk{{ID: disk}}},
			{ID: "i-db", RegionID: region, Disks: []simulator.Disk{{ID: otherDisk}}},
		},
		CallsPerMinute: simulator.Unlimited,
		Seed:           1,
		OnDelete: func(key string, victim simulator.Snapshot, _ []simulator.Snapshot) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if key == operatorKey {
				return
			}
			if c.deleted = append(c.deleted, victim); key != sweepKey {
				t.Errorf("%s deleted %s", key, victim.ID)
			}
		},
	}
	if clock != nil {
		config.Wall = clock.Now
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

// now is the time of the account.
func (c *cloud) now() time.Time {
	if c.clock != nil {
		return c.clock.Now()
	}
	return time.Now().Add(time.Duration(c.ahead.Load()))
}

// pass moves the clock of the account on, and that of the functions if it is set: snapshots are accomplished.
func (c *cloud) pass(d time.Duration) {
	if c.clock != nil {
		c.clock.Pass(d)
	} else {
		c.ahead.Add(int64(d))
	}
}

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
	keys     *runtimeapi.Credentials // default: those of its part of the account
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
		Platform: d.platform, Name: d.name, Policy: d.policy, URL: c.url, Timeout: d.timeout, Instances: 10, Clock: d.clock, Moved: c.clock,
		Keys: runtimeapi.Credentials{AccessKeyID: takeKey, AccessKeySecret: keySecret},
		Env:  append([]string{"API_TOKEN=" + apiToken}, d.env...),
	}
	if d.name == timer {
		made.Keys.AccessKeyID = sweepKey
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

// add adds a snapshot of web-1's disk that this project took, as of an order that no test repeats.
func (c *cloud) add(id, role, status string, at time.Time, tags ...simulator.Tag) {
	c.AddSnapshot(simulator.Snapshot{ID: id, Name: role + "-web-1-" + id, DiskID: disk, Status: status, CreationTime: at, Tags: append([]simulator.Tag{
		{Key: snapshot.TagToken, Value: "sn1-" + strings.Repeat("a", 48) + (id + "aaaa")[2:6]}, {Key: snapshot.TagMeta, Value: role + "/api/0123456789ab"},
	}, tags...)})
}

// gone removes a snapshot, as an operator does in the console.
func (c *cloud) gone(id string) {
	c.t.Helper()
	if reply := c.Do(c.t.Context(), operatorKey, "DeleteSnapshot", map[string]string{"RegionId": region, "SnapshotId": id}); reply.Code != "" {
		c.t.Fatalf("the operator could not delete %s: %s", id, reply.Message)
	}
}

// wantDeleted checks which snapshots were deleted by functions, in their order.
func (c *cloud) wantDeleted(t *testing.T, want ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []string
	for _, one := range c.deleted {
		got = append(got, one.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v were deleted, want %v", got, want)
	}
}

// roles returns how many snapshots of each role there are; those that are not ours have none.
func (c *cloud) roles() map[string]int {
	roles := make(map[string]int)
	for _, one := range c.Snapshots() {
		roles[roleOf(one)]++
	}
	return roles
}

// roleOf returns the role of a snapshot of ours.
func roleOf(one simulator.Snapshot) string {
	for _, tag := range one.Tags {
		if tag.Key == snapshot.TagMeta {
			role, _, _ := strings.Cut(tag.Value, "/")
			return role
		}
	}
	return ""
}

// robot receives notifications.
type robot struct {
	*httptest.Server
	mu   sync.Mutex
	said []said
}

// said is what these tests read of a notification.
type said struct{ Kind, What, Key string }

func newRobot(t *testing.T) *robot {
	t.Helper()
	r := &robot{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var one said
		err := json.NewDecoder(request.Body).Decode(&one)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.said = append(r.said, one); err != nil {
			t.Errorf("a notification cannot be read: %v", err)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// rule is the line of a policy that sends some kinds of notifications here.
func (r *robot) rule(kinds string) string {
	return fmt.Sprintf("notify: [{url: %q, form: json, on: [%s]}]\n", r.URL, kinds)
}

// heard returns the notifications since the last time, and forgets them.
func (r *robot) heard() []said {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.said
	r.said = nil
	return all
}

// sweep sends the tick of this minute, as the timer of s.yaml does.
func (f *function) sweep(c *cloud) answered {
	f.t.Helper()
	return read(f.t, f.invoke(fmt.Appendf(nil, `{"triggerTime":%q,"triggerName":"sweep","payload":"{\"sweep\":true}"}`,
		c.now().UTC().Truncate(time.Minute).Format(time.RFC3339))))
}

// ids returns the IDs of all snapshots, the newest first.
func (c *cloud) ids() []string {
	var ids []string
	for _, one := range c.Snapshots() {
		ids = append(ids, one.ID)
	}
	return ids
}
