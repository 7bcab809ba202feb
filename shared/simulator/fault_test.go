package simulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// overHTTP makes a signed call of CreateSnapshot over a real connection and returns what the client sees.
func (h *harness) overHTTP(
	server *httptest.Server, ctx context.Context, pairs ...string,
) (status int, body string, err error) {
	h.t.Helper()
	pairs = append([]string{"DiskId", "d-web", "SnapshotName", "one"}, pairs...)
	query := signed("POST", h.common("CreateSnapshot", pairs...)).Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/?"+query, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault     Fault
		status    int    // 0: no answer
		body      string // a part of it
		broken    bool   // the body ends early
		snapshots int
	}{
		"none": {Fault{Action: "ListSnapshots", Answer: AnswerLost}, 200, `"SnapshotId":"s-`, false, 1},
		"code": {Fault{Answer: AnswerError, Code: "SnapshotLimitExceed"}, 403,
			`"Code":"SnapshotLimitExceed"`, false, 0},
		"code by default": {Fault{Answer: AnswerError}, 500,
			`"Message":"An error occurred while processing your request."`, false, 0},
		"unknown code": {Fault{Answer: AnswerError, Code: "Odd.Code"}, 400, `"Code":"Odd.Code"`, false, 0},
		"code, status, message": {Fault{Answer: AnswerError, Code: "Throttling", Status: 503, Message: "slow down"}, 503,
			`"Message":"slow down"`, false, 0},
		"code after the effect": {Fault{Answer: AnswerError, Code: "ServiceUnavailable", Effect: true}, 503,
			`"Code":"ServiceUnavailable"`, false, 1},
		"lost before":         {Fault{Answer: AnswerLost}, 0, "", true, 0},
		"lost after":          {Fault{Answer: AnswerLost, Effect: true}, 0, "", true, 1},
		"cut":                 {Fault{Answer: AnswerCut, Effect: true}, 200, `{"RequestId":"`, true, 1},
		"empty":               {Fault{Answer: AnswerEmpty, Effect: true}, 200, "", false, 1},
		"object":              {Fault{Answer: AnswerObject}, 200, "{}", false, 0},
		"garbage":             {Fault{Answer: AnswerGarbage}, 200, `{"SnapshotId":"s-`, false, 0},
		"page of the gateway": {Fault{Answer: AnswerHTML}, 502, "<html>", false, 0},
		"second call":         {Fault{Answer: AnswerLost, Skip: 1}, 200, `"SnapshotId":"s-`, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			server := httptest.NewServer(h.sim)
			defer server.Close()
			h.sim.Fault(c.fault)
			status, body, err := h.overHTTP(server, t.Context())
			if status != c.status || !strings.Contains(body, c.body) || (err != nil) != c.broken {
				t.Errorf("status %d, body %q, error %v", status, body, err)
			}
			if n := len(h.sim.Snapshots()); n != c.snapshots {
				t.Errorf("%d snapshots, want %d", n, c.snapshots)
			}
		})
	}
}

// After an answer that was lost behind the effect, the same token must find the same snapshot.
func TestRetryAfterLostAnswer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	server := httptest.NewServer(h.sim)
	defer server.Close()
	h.sim.Fault(Fault{Action: "CreateSnapshot", Answer: AnswerLost, Effect: true, Count: 2})
	for range 2 {
		if _, _, err := h.overHTTP(server, t.Context(), "ClientToken", "tok"); err == nil {
			t.Fatal("the answer arrived")
		}
	}
	status, body, err := h.overHTTP(server, t.Context(), "ClientToken", "tok")
	list := h.sim.Snapshots()
	if err != nil || status != 200 || len(list) != 1 || !strings.Contains(body, list[0].ID) {
		t.Errorf("status %d, body %s, error %v, snapshots %v", status, body, err, list)
	}
}

func TestFaultCounts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	codes := func(n int) string {
		var all []string
		for range n {
			all = append(all, orElse(h.call("ListSnapshots").code(), "ok"))
		}
		return strings.Join(all, " ")
	}
	h.sim.Fault(Fault{Action: "ListSnapshots", Answer: AnswerError, Code: "A", Skip: 1, Count: 2})
	h.sim.Fault(Fault{Answer: AnswerError, Code: "B"})
	if got := codes(5); got != "B A A ok ok" {
		t.Errorf("codes = %s", got)
	}
	h.sim.Fault(Fault{Answer: AnswerError, Code: "C", Count: Forever})
	if got := codes(3); got != "C C C" {
		t.Errorf("codes = %s", got)
	}
	h.sim.ClearFaults()
	h.sim.Fault(Fault{Key: "another-key", Answer: AnswerError, Code: "D"})
	if got := codes(1); got != "ok" {
		t.Errorf("codes = %s", got)
	}
}

// Faults are for calls that reached the action: a forged one must not use them up.
func TestFaultsAreBehindTheGateway(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.Fault(Fault{Answer: AnswerError, Code: "A"})
	h.want(h.call("ListSnapshots", "AccessKeyId", "other"), "InvalidAccessKeyId.NotFound")
	h.want(h.call("ListSnapshots"), "A")
}

func TestDelay(t *testing.T) {
	t.Parallel()
	var slept time.Duration
	h := newHarness(t, func(c *Config) { c.Sleep = func(_ context.Context, d time.Duration) { slept += d } })
	h.sim.Fault(Fault{Action: "CreateSnapshot", Delay: time.Hour})
	h.create("d-web", "one")
	h.create("d-db", "two")
	if slept != time.Hour {
		t.Errorf("slept %s, want 1h", slept)
	}
}

// A client that gives up on a slow answer must free the handler, and the effect stays.
func TestDelayEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	asleep := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.Sleep = func(ctx context.Context, d time.Duration) { close(asleep); sleep(ctx, d) }
	})
	server := httptest.NewServer(h.sim)
	defer server.Close() // waits for the handler
	h.sim.Fault(Fault{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asleep; cancel() }()
	if _, _, err := h.overHTTP(server, ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if len(h.sim.Snapshots()) != 1 {
		t.Error("the effect is gone")
	}
}

func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newHarness(t, func(c *Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	h.create("d-web", "one")
	h.sim.SetCredentials(Credential{AccessKeyID: testKey, AccessKeySecret: "another-secret",
		SecurityToken: "security-token"})
	h.call("ListSnapshots", "SecurityToken", "security-token")
	for _, want := range []string{`"action":"CreateSnapshot"`, `"code":"SignatureDoesNotMatch"`, `"status":400`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
	for _, secret := range []string{testSecret, "another-secret", "security-token", testKey, "Signature="} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
