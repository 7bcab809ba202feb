package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
)

// TestFind shows a snapshot of a target that the caller may list, and nothing of any other.
func TestFind(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC)
	running := snapshot.Snapshot{ID: "s-1", Name: "n", DiskID: "d-1", RegionID: "cn-hangzhou",
		Status: snapshot.Progressing, Progress: "7%", CreationTime: at}
	done := running
	done.Status, done.Progress = snapshot.Accomplished, "100%"
	for name, c := range map[string]struct {
		one    snapshot.Snapshot
		target string
		status int
		retry  string
		says   string
	}{
		"InProgress": {running, "web-1", 200, "30",
			`"status":"progressing","progress":"7%","creationTime":"2026-01-30T19:00:00Z"`},
		"Done":     {done, "blog-1", 200, "", `"status":"accomplished"`},
		"Hidden":   {done, "db-1", 404, "", `"UnknownSnapshot"`},
		"TakeOnly": {done, "shop-1", 404, "", `"UnknownSnapshot"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(core{find: func(id string) (snapshot.Snapshot, snapshot.Target, error) {
				if id != "s-1" {
					t.Errorf("asked for %q", id)
				}
				return c.one, snapshot.Target{Name: c.target}, nil
			}}, "GET", "/snapshots/s-1", "")
			if w.Code != c.status || w.Header().Get("Retry-After") != c.retry ||
				!strings.Contains(w.Body.String(), c.says) {
				t.Errorf("status %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		})
	}
}

// TestHiddenLooksUnknown shows that a snapshot which the caller may not see is answered as one that is not there.
func TestHiddenLooksUnknown(t *testing.T) {
	t.Parallel()
	hidden := serve(core{find: func(string) (snapshot.Snapshot, snapshot.Target, error) {
		return snapshot.Snapshot{ID: "s-1"}, snapshot.Target{Name: "db-1"}, nil
	}}, "GET", "/snapshots/s-1", "")
	pinned := serve(core{pin: func(_, _ string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
		return snapshot.Pinned{}, may(snapshot.Target{Name: "db-1"})
	}}, "POST", "/snapshots/s-1/keep", "")
	if hidden.Code != http.StatusNotFound || hidden.Body.String() != pinned.Body.String() {
		t.Errorf("%d %s and %d %s", hidden.Code, hidden.Body, pinned.Code, pinned.Body)
	}
}

// TestKeep shows who may pin: the bearer token with action keep, never a signature.
func TestKeep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, target, body string
		signed               bool
		until                string
		status               int
	}{
		"Forever":    {"POST", "web-1", "", false, "", 200},
		"UntilDay":   {"POST", "web-1", `{"until":"2026-12-01"}`, false, "2026-12-01", 200},
		"Unpin":      {"DELETE", "web-1", "", false, "", 200},
		"NotGranted": {"POST", "blog-1", "", false, "", 403},
		"Hidden":     {"DELETE", "db-1", "", false, "", 404},
		"Signed":     {"POST", "web-1", "", true, "", 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := func(may func(snapshot.Target) error) (snapshot.Pinned, error) {
				if err := may(snapshot.Target{Name: c.target}); err != nil {
					return snapshot.Pinned{}, err
				}
				return snapshot.Pinned{Listed: snapshot.Listed{SnapshotID: "s-1", Keep: "forever"}, Warning: "w"}, nil
			}
			asked := core{
				pin: func(_, until string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
					if until != c.until {
						t.Errorf("until %q, want %q", until, c.until)
					}
					return answer(may)
				},
				unpin: func(_ string, may func(snapshot.Target) error) (snapshot.Pinned, error) { return answer(may) },
			}
			r := httptest.NewRequest(c.method, "/snapshots/s-1/keep", strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/json")
			if !c.signed {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			httpapi.New(httpapi.Options{
				Policy: rules, Core: asked, Bearer: []string{token},
				Signed: func(http.Header, []byte) (string, bool) { return "msg-1", true },
			}).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d: %s", w.Code, c.status, w.Body)
			}
			if c.status == 200 && !strings.Contains(w.Body.String(), `"warning":"w"`) {
				t.Errorf("no warning: %s", w.Body)
			}
		})
	}
}

// TestReads shows that lists and plans are asked for as they were named, and that their errors are answers.
func TestReads(t *testing.T) {
	t.Parallel()
	throttled := error(&snapshot.Error{Code: snapshot.CodeThrottling, Kind: snapshot.KindThrottled, Retryable: true,
		Message: "the API wrote this: wait", Advice: "wait", RequestID: "r-1"})
	var failed error
	asked := core{
		list: func(target string) (snapshot.Listing, error) {
			return snapshot.Listing{Target: target, Slots: snapshot.SlotCount{Used: 0, Of: 3},
				Listed: []snapshot.Listed{}}, nil
		},
		plan: func(target string) (snapshot.Plan, error) {
			return snapshot.Plan{Target: target, Items: []snapshot.PlanItem{}}, failed
		},
	}
	if w := serve(asked, "GET", "/snapshots?target=web-1", ""); w.Code != 200 ||
		w.Body.String() != `{"target":"web-1","slots":{"used":0,"of":3},"snapshots":[]}`+"\n" {
		t.Errorf("list: %d %s", w.Code, w.Body)
	}
	if w := serve(asked, "GET", "/plan?target=web-1", ""); w.Code != 200 ||
		!strings.Contains(w.Body.String(), `"plan":[]`) {
		t.Errorf("plan: %d %s", w.Code, w.Body)
	}
	failed = throttled
	w := serve(asked, "GET", "/plan?target=web-1", "")
	got := document(t, w)
	if w.Code != 503 || !got.Retryable || got.RequestID != "r-1" || got.Detail != "wait" ||
		w.Header().Get("Retry-After") != "60" {
		t.Errorf("throttled: %d %v %+v", w.Code, w.Header(), got)
	}
}

// TestHooks shows that everything below /hooks/ is the webhooks' own, behind the headers of every answer.
func TestHooks(t *testing.T) {
	t.Parallel()
	handler := httpapi.New(httpapi.Options{Hooks: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.URL.Path))
	})})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("POST", "/hooks/slack", strings.NewReader("x")))
	if w.Body.String() != "/hooks/slack" || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
		w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

// TestHidden shows that a caller is shown no plan without the action plan, and nothing of targets that no rule of it names.
func TestHidden(t *testing.T) {
	t.Parallel()
	items := []snapshot.PlanItem{{SnapshotID: "s-1", Action: snapshot.ActionKeep, Target: "web-1"},
		{SnapshotID: "s-db", SnapshotName: "daily-db-1", Action: snapshot.ActionKeep, Target: "db-1"}}
	c := core{
		take: func(o snapshot.Order) snapshot.Result {
			return snapshot.Result{Target: o.Target, Outcome: snapshot.OutcomeBlocked, Plan: items,
				Error: &snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict, Message: "full"}}
		},
		plan: func(string) (snapshot.Plan, error) { return snapshot.Plan{Target: "web-1", Items: items}, nil },
		list: func(string) (snapshot.Listing, error) {
			return snapshot.Listing{Target: "web-1", Slots: snapshot.SlotCount{Used: 2, Of: 3}, Listed: []snapshot.Listed{
				{SnapshotID: "s-1", Target: "web-1"}, {SnapshotID: "s-db", Target: "db-1"}}}, nil
		},
	}
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		shows              bool // s-1; s-db is never shown
	}{
		"dry run":          {"POST", "/snapshots", `{"target":"shop-1","key":"k","dryRun":true}`, http.StatusForbidden, false},
		"blocked":          {"POST", "/snapshots", `{"target":"web-1","key":"k"}`, http.StatusConflict, true},
		"blocked, no plan": {"POST", "/snapshots", `{"target":"shop-1","key":"k"}`, http.StatusConflict, false},
		"plan":             {"GET", "/plan?target=web-1", "", http.StatusOK, true},
		"list":             {"GET", "/snapshots?target=web-1", "", http.StatusOK, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(c, test.method, test.path, test.body)
			body := w.Body.String()
			if w.Code != test.status || strings.Contains(body, `"s-1"`) != test.shows || strings.Contains(body, "db") {
				t.Errorf("%d %s", w.Code, body)
			}
		})
	}
}

// TestBlocked shows that a blocked order carries its plan into the problem document.
func TestBlocked(t *testing.T) {
	t.Parallel()
	w := serve(core{take: func(snapshot.Order) snapshot.Result {
		return snapshot.Result{
			Target: "web-1", Outcome: snapshot.OutcomeBlocked, Plan: []snapshot.PlanItem{{SnapshotID: "s-1",
				Action: snapshot.ActionForeign, Reason: "not ours", Target: "web-1"}},
			Error: &snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict, Message: "full"},
		}
	}}, "POST", "/snapshots", `{"target":"web-1","key":"k"}`)
	got := document(t, w)
	if w.Code != http.StatusConflict || got.Code != "SlotsFull" || len(got.Plan) != 1 ||
		w.Header().Get("Retry-After") != "" || w.Header().Get("Location") != "" {
		t.Errorf("%d %+v", w.Code, got)
	}
}

// TestDeferredOrder shows that the answer to a deferred order names the time until the next sweep.
func TestDeferredOrder(t *testing.T) {
	t.Parallel()
	w := serve(core{take: func(snapshot.Order) snapshot.Result {
		return snapshot.Result{
			Outcome: snapshot.OutcomeDeferred,
			Error: &snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict,
				Message: "the next sweep is at 19:10", Retryable: true},
		}
	}}, "POST", "/snapshots", `{"target":"web-1","key":"k"}`)
	got := document(t, w)
	if w.Code != http.StatusServiceUnavailable || got.Detail != "the next sweep is at 19:10" || !got.Retryable ||
		w.Header().Get("Retry-After") != "420" {
		t.Errorf("%d %v %+v", w.Code, w.Header(), got)
	}
}

// A path that is not in its plain form is nothing, and never a redirect.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/hooks", "/snapshots/..", "/snapshots/.", "/..", "//snapshots", "/snapshots/",
		"/plan/"} {
		if w := serve(core{}, "GET", path, ""); w.Code != 404 ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

// A body that is not JSON is refused by its type, and /healthz answers without a token.
func TestMediaTypeAndHealth(t *testing.T) {
	t.Parallel()
	handler := httpapi.New(httpapi.Options{Policy: rules, Bearer: []string{token}})
	for _, c := range []struct {
		method, path, mediaType string
		status                  int
	}{
		{"POST", "/snapshots", "text/plain", 415},
		{"POST", "/snapshots", "application/json; charset=latin1", 415},
		{"POST", "/snapshots/s-1/keep", "", 415},
		{"GET", "/healthz", "", 200},
		{"HEAD", "/healthz", "", 200},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader("{}"))
		r.Header.Set("Content-Type", c.mediaType)
		if c.status != 200 {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("%s %s, %q: status %d, want %d: %s", c.method, c.path, c.mediaType, w.Code, c.status, w.Body)
		}
	}
}
