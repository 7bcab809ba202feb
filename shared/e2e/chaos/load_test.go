package chaos

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
)

const (
	clients      = 50
	loadRequests = 2000
	loadMemory   = 48 << 20 // bytes resident of a process, at most
	loadGrowth   = 1.3      // of a process from the first half to the second, at most
	loadPolicy   = `
region: cn-hangzhou
targets:
  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {daily: 1, deploy: 1}, minInterval: 2h} # all orders get one snapshot
  db-1: {disk: d-bp18kjxg9ebrhsgi0003}
allow:
  - {from: api, targets: [web-1], actions: [take, list, plan]}
  - {from: standard, targets: [web-1], role: deploy, actions: [take]}
`
)

// kinds are the requests of the load: what each of them must be answered, n being a number that only one request has.
var kinds = map[string]struct {
	request func(n int) *http.Request
	status  int
	code    string // of the problem document; "": there is none
}{
	"bearer order": {func(n int) *http.Request { return keyed(fmt.Sprint("build-", n), `{"target":"web-1","role":"deploy"}`) }, 202, ""},
	"bearer replay": {func(n int) *http.Request {
		return keyed(fmt.Sprint("again-", n%10), `{"target":"web-1","role":"deploy"}`)
	}, 202, ""},
	"signed order": {func(n int) *http.Request {
		return signed(hookSecret, fmt.Sprint("msg-", n), time.Now(), `{"target":"web-1","role":"deploy"}`)
	}, 202, ""},
	"signed replay": {func(n int) *http.Request {
		return signed(hookSecret, fmt.Sprint("msg-again-", n%10), time.Now(), `{"target":"web-1","role":"deploy"}`)
	}, 202, ""},
	"forged signature": {func(n int) *http.Request {
		return signed("another-secret-0123456789", fmt.Sprint("msg-", n), time.Now(), `{"target":"web-1","role":"deploy"}`)
	}, 401, "Unauthenticated"},
	"old signature": {func(n int) *http.Request {
		return signed(hookSecret, fmt.Sprint("msg-", n), time.Now().Add(-time.Hour), `{"target":"web-1","role":"deploy"}`)
	}, 401, "Unauthenticated"},
	"changed body": {func(n int) *http.Request {
		r := signed(hookSecret, fmt.Sprint("msg-", n), time.Now(), `{"target":"web-1","role":"deploy"}`)
		r.Body = io.NopCloser(strings.NewReader(`{"target":"web-1","role":"daily"}`))
		return r
	}, 401, "Unauthenticated"},
	"forged token": {func(n int) *http.Request {
		r := keyed(fmt.Sprint("build-", n), `{"target":"web-1","role":"deploy"}`)
		r.Header.Set("Authorization", fmt.Sprint("Bearer forged-token-0123456789-", n))
		return r
	}, 401, "Unauthenticated"},
	"no credentials": {func(int) *http.Request { return httptest.NewRequest(http.MethodGet, "/plan?target=web-1", nil) }, 401, "Unauthenticated"},
	"another target": {func(n int) *http.Request { return keyed(fmt.Sprint("build-", n), `{"target":"db-1"}`) }, 403, "NotAllowed"},
	"no JSON":        {func(n int) *http.Request { return keyed(fmt.Sprint("build-", n), `{"target":`) }, 400, "MalformedEvent"},
	"a used key":     {func(int) *http.Request { return keyed("again-0", `{"target":"web-1","role":"daily"}`) }, 422, "IdempotentParameterMismatch"},
	"list":           {func(int) *http.Request { return bearing(http.MethodGet, "/snapshots?target=web-1", "") }, 200, ""},
	"health":         {func(int) *http.Request { return httptest.NewRequest(http.MethodGet, "/healthz", nil) }, 200, ""},
}

func keyed(key, body string) *http.Request {
	r := bearing(http.MethodPost, "/snapshots", body)
	r.Header.Set("Idempotency-Key", key)
	return r
}

// signed is a Standard Webhooks message.
func signed(secret, id string, at time.Time, body string) *http.Request {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + stamp + "." + body))
	r := httptest.NewRequest(http.MethodPost, "/snapshots", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

// TestLoad lets 50 clients at once ask the HTTP function through each platform's gateway: orders, replays and forgeries in
// any order. Each gets the answer that was intended, and no process grows. It does not run beside other tests, whose
// processes would be in its figures.
func TestLoad(t *testing.T) {
	for _, platform := range testbed.Platforms {
		t.Run(string(platform), func(t *testing.T) { load(t, platform) })
	}
}

func load(t *testing.T, platform runtimeapi.Platform) {
	api := simulator.New(simulator.Config{
		Credentials: credentials(time.Now().Add(time.Hour)),
		Instances: []simulator.Instance{
			{ID: "i-web-1", RegionID: region, Disks: []simulator.Disk{{ID: web1}}},
			{ID: "i-db-1", RegionID: region, Disks: []simulator.Disk{{ID: db1}}},
		},
		CallsPerMinute: simulator.Unlimited, Duration: 24 * time.Hour, // one snapshot is in progress all the time
	})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	f := deploy(t, testbed.Deployment{Platform: platform, Name: "http", Policy: loadPolicy, URL: server.URL, Instances: 8})
	gateway := runtimeapi.Gateway(f.Function)

	// The key that is used for another order later has to have its snapshot first: an order that gets that of another leaves
	// no trace of its key in the account.
	ask(t, gateway, "bearer replay", 0)
	var next atomic.Int64
	half := func() []time.Duration { return crowd(t, gateway, &next) }
	took := half()
	first := memory(t, f)
	took = append(took, half()...)
	second := memory(t, f)

	for pid, resident := range second {
		before, lived := first[pid]
		if resident > loadMemory {
			t.Errorf("a process holds %.1f MB, more than %d", mb(resident), loadMemory>>20)
		}
		if lived && float64(resident) > loadGrowth*float64(before) {
			t.Errorf("a process grew from %.1f MB to %.1f MB", mb(before), mb(resident))
		}
	}
	if n := len(api.Snapshots()); n != 1 {
		t.Errorf("there are %d snapshots, want the one that all orders get", n)
	}
	slices.Sort(took)
	t.Logf("%d requests of %d clients: p50 %v, p99 %v, at most %v; %d processes of at most %.1f MB, then %.1f MB",
		len(took), clients, took[len(took)/2], took[len(took)*99/100], took[len(took)-1], len(second), mb(most(first)), mb(most(second)))
}

// crowd lets all clients ask until half of the load is done, and returns how long each request took.
func crowd(t *testing.T, gateway http.Handler, next *atomic.Int64) []time.Duration {
	t.Helper()
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	lasts, start := askedTime(t, "SNAPSHOT_LOAD")/2, time.Now()
	end := next.Load() + loadRequests/2
	took := make([][]time.Duration, clients)
	var all sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(uint64(client), uint64(end)))
		all.Go(func() {
			for {
				n := next.Add(1)
				if lasts == 0 && n > end || lasts > 0 && time.Since(start) > lasts {
					return
				}
				began := time.Now()
				ask(t, gateway, names[random.IntN(len(names))], int(n))
				took[client] = append(took[client], time.Since(began))
			}
		})
	}
	all.Wait()
	return slices.Concat(took...)
}

// ask sends one request and checks the answer.
func ask(t *testing.T, gateway http.Handler, name string, n int) {
	t.Helper()
	kind, w := kinds[name], httptest.NewRecorder()
	gateway.ServeHTTP(w, kind.request(n))
	body := w.Body.String()
	var problem struct{ Code string }
	if w.Code >= 400 {
		if err := json.Unmarshal([]byte(body), &problem); err != nil {
			t.Errorf("%s: the answer cannot be read: %v", name, err)
		}
	}
	if w.Code != kind.status || problem.Code != kind.code {
		t.Errorf("%s: the answer is %d %q, want %d %q: %.300s", name, w.Code, problem.Code, kind.status, kind.code, body)
	}
	noSecrets(t, "the answer", body)
}

// memory returns what each process holds, by its process ID. Only Linux tells.
func memory(t *testing.T, f *testbed.Function) map[int]int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return nil
	}
	held, err := f.Memory()
	if err != nil || len(held) == 0 {
		t.Fatalf("the memory of %d processes: %v", len(held), err)
	}
	return held
}

func most(held map[int]int64) int64 {
	var n int64
	for _, one := range held {
		n = max(n, one)
	}
	return n
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }
