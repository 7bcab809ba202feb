package bench

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"runtime"
	"testing"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator/runtimeapi"
)

const (
	invocations = 1000
	memoryMax   = 32 << 20 // bytes resident, after that many invocations
	policy      = "region: cn-hangzhou\ntargets: {web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {daily: 1, deploy: 1}}}\n" +
		"allow: [{from: api, targets: [web-1], role: deploy, actions: [take]}]\n"
	token = "a-bearer-token-of-the-benchmarks"
)

// order is the nth event of a function: each is another order, or a sweep, which is one call of the API.
var order = map[string]func(n int) []byte{
	"timer": func(int) []byte { return []byte(`{"sweep":true}`) },
	"event": func(n int) []byte {
		return fmt.Appendf(nil, `{"target":"web-1","role":"deploy","key":"build-%d"}`, n)
	},
	"http": func(n int) []byte {
		event, _ := json.Marshal(map[string]any{
			"version": "v1", "rawPath": "/snapshots", "body": `{"target":"web-1"}`,
			"headers": map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json",
				"Idempotency-Key": fmt.Sprint("build-", n)},
			"requestContext": map[string]any{
				"requestId": "r", "http": map[string]string{"method": "POST", "path": "/snapshots"},
			},
		})
		return event
	},
}

// TestMemory holds the resident memory of a process to its limit, after a thousand orders or sweeps that were all done.
func TestMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Log("only Linux shows what a process holds in memory")
		return
	}
	server := httptest.NewServer(trivial)
	t.Cleanup(server.Close)
	for _, c := range []struct {
		name     string
		platform runtimeapi.Platform
	}{{"timer", runtimeapi.FC}, {"event", runtimeapi.FC}, {"http", runtimeapi.FC}, {"http", runtimeapi.Lambda}} {
		t.Run(c.name+"/"+string(c.platform), func(t *testing.T) {
			t.Parallel()
			f := testbed.Deploy(t, testbed.Deployment{
				Platform: c.platform, Name: c.name, Policy: policy, URL: server.URL, Env: []string{"API_TOKEN=" + token},
				Keys: runtimeapi.Credentials{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret"},
			}, func(string) {})
			for n := range invocations {
				answer, err := f.Invoke(t.Context(), order[c.name](n))
				if err == nil {
					err = answer.Err()
				}
				if err != nil {
					t.Fatalf("order %d: %v", n, err)
				}
			}
			held, err := f.Memory()
			if err != nil || len(held) != 1 {
				t.Fatalf("%d processes: %v", len(held), err)
			}
			for _, resident := range held {
				t.Logf("%.1f MB resident", float64(resident)/(1<<20))
				if resident > memoryMax {
					t.Errorf("%d bytes are resident after %d invocations: at most %d", resident, invocations, memoryMax)
				}
			}
		})
	}
}
