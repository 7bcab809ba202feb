package e2e

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// TestPoll is what a CI job does: order, poll the Location until the snapshot is accomplished, and order again.
func TestPoll(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		f := c.deploy(t, deployment{platform: platform, name: "http"})
		ordered := f.call("POST", "/snapshots", keyed("build-1"), httpOrder)
		wantStatus(t, ordered, 202)
		location := ordered.Header().Get("Location")

		var one snapshot.Listed
		polled := f.call("GET", location, bearer(), "")
		wantStatus(t, polled, 200)
		decode(t, polled.Body.Bytes(), &one)
		if one.Status != snapshot.Progressing || polled.Header().Get("Retry-After") == "" || "/snapshots/"+one.SnapshotID != location {
			t.Errorf("while in progress: %+v, Retry-After %q", one, polled.Header().Get("Retry-After"))
		}

		c.pass(time.Hour)
		polled = f.call("GET", location, bearer(), "")
		wantStatus(t, polled, 200)
		decode(t, polled.Body.Bytes(), &one)
		if one.Status != snapshot.Accomplished || one.Progress != "100%" || polled.Header().Get("Retry-After") != "" || one.Target != "web-1" {
			t.Errorf("once accomplished: %+v, Retry-After %q", one, polled.Header().Get("Retry-After"))
		}
		c.wantCalls(t, map[string]int{"CreateSnapshot": 1, "ListSnapshots": 2})
		c.wantSnapshots(t, 1)
	})
}

// TestKeyOfAnotherTarget shows that a key which was used for one target is refused for another, in the process that
// knows it and in one that does not.
func TestKeyOfAnotherTarget(t *testing.T) {
	t.Parallel()
	both := strings.NewReplacer("{from: api, targets: [web-1]", "{from: api, targets: [web-1, db-1]", "weekly: 2", "deploy: 2").Replace(policy)
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		f := c.deploy(t, deployment{platform: platform, name: "http", policy: both})
		wantStatus(t, f.call("POST", "/snapshots", keyed("build-1"), httpOrder), 202)
		for range 2 {
			w := f.call("POST", "/snapshots", keyed("build-1"), `{"target":"db-1"}`)
			wantStatus(t, w, 422)
			checkProblem(t, w, "IdempotentParameterMismatch")
			f.Kill()
		}
		c.wantSnapshots(t, 1)
	})
}

// TestPins pins a snapshot beside two foreign ones and unpins it: the answer says what the pin leaves of the slots.
func TestPins(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		for range 2 {
			c.AddSnapshot(simulator.Snapshot{DiskID: disk})
		}
		f := c.deploy(t, deployment{platform: platform, name: "http"})
		wantStatus(t, f.call("POST", "/snapshots", keyed("build-1"), `{"target":"web-1","role":"deploy"}`), 202)
		c.pass(time.Hour)
		id := c.Snapshots()[0].ID // the newest
		day := time.Now().AddDate(0, 0, 7).UTC().Format(time.DateOnly)
		c.called()

		for _, step := range []struct {
			method, body string
			keep         string
			warns        bool
			calls        map[string]int
		}{
			{"POST", `{"until":"` + day + `"}`, day, true, map[string]int{"ListSnapshots": 1, "TagResources": 1}},
			{"POST", `{"until":"` + day + `"}`, day, true, oneList},
			{"POST", "", "forever", true, map[string]int{"ListSnapshots": 1, "TagResources": 1}},
			{"DELETE", "", "", false, map[string]int{"ListSnapshots": 1, "TagResources": 1}},
			{"DELETE", "", "", false, oneList},
		} {
			w := f.call(step.method, "/snapshots/"+id+"/keep", bearer("Content-Type", "application/json"), step.body)
			wantStatus(t, w, 200)
			var got snapshot.Pinned
			decode(t, w.Body.Bytes(), &got)
			if got.SnapshotID != id || got.Keep != step.keep || strings.Contains(got.Warning, "web-1 has no free slot while this is pinned: orders for role daily, orders for role deploy will be blocked") != step.warns {
				t.Errorf("%s %s: %+v, want keep %q and a warning: %t", step.method, step.body, got, step.keep, step.warns)
			}
			c.wantCalls(t, step.calls)
		}
	})
}

// TestSignedOrders shows that a Standard Webhooks signature is as good as the bearer token, for orders and reading; not
// for pins, since it does not cover the path.
func TestSignedOrders(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret))
	now := time.Now()
	const pinned = `{"until":"forever"}`
	for name, r := range map[string]request{
		"fresh":          {method: "POST", header: signed(hookSecret, "msg-1", now, httpOrder), body: httpOrder, status: 202, head: inflight, says: []string{`"role":"deploy"`}, calls: oneCall},
		"stale":          {method: "POST", header: signed(hookSecret, "msg-1", now.Add(-time.Hour), httpOrder), body: httpOrder, status: 401, code: "Unauthenticated"},
		"of the future":  {method: "POST", header: signed(hookSecret, "msg-1", now.Add(time.Hour), httpOrder), body: httpOrder, status: 401, code: "Unauthenticated"},
		"another secret": {method: "POST", header: signed("another-secret-0123456789", "msg-1", now, httpOrder), body: httpOrder, status: 401, code: "Unauthenticated"},
		"another body":   {method: "POST", header: signed(hookSecret, "msg-1", now, httpOrder), body: `{"target":"web-1"}`, status: 401, code: "Unauthenticated"},
		"without an ID":  {method: "POST", header: signed(hookSecret, "", now, httpOrder), body: httpOrder, status: 401, code: "Unauthenticated"},
		"a wrong token beside it": {method: "POST", header: func() http.Header {
			h := signed(hookSecret, "msg-1", now, httpOrder)
			h.Set("Authorization", "Bearer another-token-000001")
			return h
		}(), body: httpOrder, status: 401, code: "Unauthenticated"},
		"another key in the header": {method: "POST", header: func() http.Header {
			h := signed(hookSecret, "msg-1", now, httpOrder)
			h.Set("Idempotency-Key", "msg-2")
			return h
		}(), body: httpOrder, status: 400, code: "MalformedEvent"},
		"a list":              {path: "/snapshots?target=web-1", header: signed(hookSecret, "msg-1", now, ""), status: 200, calls: oneList},
		"a plan, not granted": {path: "/plan?target=web-1", header: signed(hookSecret, "msg-1", now, ""), status: 403, code: "NotAllowed"},
		"a pin": {before: ordered("build-1"), method: "POST", path: "/snapshots/*/keep", header: signed(hookSecret, "msg-1", now, pinned), body: pinned,
			status: 403, code: "NotAllowed", calls: oneList},
		"the hook": {method: "POST", path: "/hooks/standard", header: signed(hookSecret, "msg-1", now, httpOrder), body: httpOrder, status: 202, head: inflight, calls: oneCall},
		"the hook, stale": {method: "POST", path: "/hooks/standard", header: signed(hookSecret, "msg-1", now.Add(-time.Hour), httpOrder), body: httpOrder,
			status: 401, code: "Unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
				r := r
				r.env = []string{"WEBHOOK_SECRET=" + secret}
				if first, pin := r.before, strings.Contains(r.path, "*"); pin {
					path := r.path
					r.before = nil
					c := newCloud(t)
					f := c.deploy(t, deployment{platform: platform, name: "http", env: r.env})
					first(t, c, f)
					w := f.call(r.method, strings.Replace(path, "*", c.Snapshots()[0].ID, 1), r.header, r.body)
					wantStatus(t, w, r.status)
					checkProblem(t, w, r.code)
					c.wantCalls(t, r.calls)
					return
				}
				r.send(t, platform)
			})
		})
	}
}

// TestSignedRetry shows that the ID of a signed message is its key: sent again, to either path, it is the same order.
func TestSignedRetry(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret))
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		f := c.deploy(t, deployment{platform: platform, name: "http", env: []string{"WEBHOOK_SECRET=" + secret}})
		for range 2 {
			wantStatus(t, f.call("POST", "/snapshots", signed(hookSecret, "msg-1", time.Now(), httpOrder), httpOrder), 202)
			wantStatus(t, f.call("POST", "/hooks/standard", signed(hookSecret, "msg-1", time.Now(), httpOrder), httpOrder), 202)
		}
		c.wantCalls(t, oneCall)
		c.wantSnapshots(t, 1)
	})
}
