package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// TestTimers shows that serve has the one timer of s.yaml, which sweeps.
func TestTimers(t *testing.T) {
	t.Parallel()
	timers, err := readTimers()
	if err != nil || len(timers) != 1 || timers[0].Name != "sweep" || timers[0].Payload != `{"sweep":true}` {
		t.Fatalf("the timers of s.yaml are %+v, %v", timers, err)
	}
	var announced strings.Builder
	s := &session{stdout: &announced}
	if err := s.announce(addresses{HTTP: "http://127.0.0.1:9000"}, timers, samples{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(announced.String(), "timer  sweep") {
		t.Errorf("it announces\n%s", &announced)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 25*time.Minute)
		defer stop()
		start := time.Now().UTC().Truncate(10 * time.Minute)
		var got []time.Duration
		eachTime(ctx, timers[0].Next, func(at time.Time) {
			if !at.Equal(time.Now()) {
				t.Errorf("%s comes at %s", at, time.Now())
			}
			got = append(got, at.Sub(start))
		})
		if want := []time.Duration{10 * time.Minute, 20 * time.Minute}; !slices.Equal(got, want) {
			t.Errorf("it fires after %v, want %v", got, want)
		}
	})
}

// TestSamples sends the request that serve prints for each rule to the real function, which takes all of them.
func TestSamples(t *testing.T) {
	t.Parallel()
	getenv := policyFile(t, `region: cn-hangzhou
targets: {web-1: {disk: d-1, keep: {deploy: 1}}}
allow:
  - {from: api, targets: [web-1], role: deploy, actions: [take]}
  - {from: api, targets: [web-1], actions: [plan]}
  - {from: api, targets: [web-1], actions: [list]}
  - {from: standard, targets: [web-1], role: deploy, actions: [take]}
  - {from: github, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1], role: deploy}
`)
	s := &session{getenv: getenv, platform: "fc", stderr: t.Output()}
	made := newSamples(s)
	c, err := newCloud(t.Context(), s, cloudConfig{functions: []string{"http"}, env: made.env})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if len(made.rules) != 5 {
		t.Fatalf("there are %d rules", len(made.rules))
	}
	for _, rule := range made.rules {
		sample, err := made.sample(rule, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		method := http.MethodGet
		if len(sample.Body) > 0 {
			method = http.MethodPost
		}
		r := httptest.NewRequest(method, sample.Path, bytes.NewReader(sample.Body))
		r.Header = sample.Header
		w := httptest.NewRecorder()
		runtimeapi.Gateway(c.functions["http"]).ServeHTTP(w, r)
		if w.Code >= http.StatusBadRequest {
			t.Errorf("%s %v: status %d: %s", rule.From, rule.Actions, w.Code, w.Body)
		}
	}
	var printed strings.Builder
	if err := made.print(&printed, "http://127.0.0.1:9000", time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"\n# api\ncurl -H 'Authorization: Bearer " + made.token + "' -H 'Content-Type: application/json'" +
			" -H 'Idempotency-Key: ",
		` --data-raw '{"target":"web-1"}' 'http://127.0.0.1:9000/snapshots'` + "\n",
		"' 'http://127.0.0.1:9000/plan?target=web-1'\n",
		"' 'http://127.0.0.1:9000/snapshots?target=web-1'\n",
		"\n# github push\ncurl -H 'Content-Type: application/json' -H 'X-Github-Delivery: ",
	} {
		if !strings.Contains(printed.String(), line) {
			t.Errorf("it does not print %q:\n%s", line, &printed)
		}
	}
	if got := quote("it's"); got != `'it'\''s'` {
		t.Errorf("a quote is quoted as %s", got)
	}
}
