package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
)

// order takes a snapshot of web-1 beforehand, with a key.
func order(key string) func(*testing.T, *cloud, *function) {
	return func(t *testing.T, c *cloud, f *function) {
		t.Helper()
		if w := f.call(http.MethodPost, "/snapshots", keyed(key), httpOrder); w.Code != http.StatusAccepted {
			t.Fatalf("the order before got %d: %s", w.Code, w.Body)
		}
		c.called()
	}
}

// ordered does so, and lets the snapshot be done.
func ordered(key string) func(*testing.T, *cloud, *function) {
	return func(t *testing.T, c *cloud, f *function) {
		t.Helper()
		order(key)(t, c, f)
		c.pass(time.Hour)
	}
}

// full fills the server of web-1 with snapshots that are not ours.
func full(_ *testing.T, c *cloud, _ *function) {
	for n := range 3 {
		c.AddSnapshot(simulator.Snapshot{ID: fmt.Sprintf("s-foreign%d", n), DiskID: disk})
	}
}

var (
	oneList   = map[string]int{"ListSnapshots": 1}
	inflight  = map[string]string{"Location": "/snapshots/s-*", "Retry-After": "*"}
	allowGet  = map[string]string{"Allow": "GET"}
	allowBoth = map[string]string{"Allow": "GET, POST"}
)

// anyRole is policy with a rule that grants each role.
var anyRole = strings.Replace(policy, "{from: api, targets: [web-1], role: deploy", "{from: api, targets: [web-1]", 1)

// requests is the HTTP contract, on both platforms.
var requests = map[string]request{
	"health needs nothing":        {path: "/healthz", status: 200, says: []string{`"ok"`}},
	"health without a secret set": {path: "/healthz", notFound: true, status: 200, says: []string{`"ok"`}},
	"health takes no POST":        {method: "POST", path: "/healthz", status: 405, code: "MethodNotAllowed", head: allowGet},

	"an order": {method: "POST", header: keyed("build-1"), body: httpOrder, status: 202, head: inflight, calls: oneCall,
		says: []string{`"outcome":"created"`, `"status":"progressing"`, `"role":"deploy"`}},
	"a quoted key": {before: order("build-1"), method: "POST", header: keyed(`"build-1"`), body: httpOrder, status: 202, head: inflight,
		says: []string{`"outcome":"replayed"`}},
	"the key in the body": {before: order("build-1"), method: "POST", header: bearer("Content-Type", "application/json"),
		body: `{"target":"web-1","role":"deploy","reason":"before the upgrade","key":"build-1"}`, status: 202, head: inflight, says: []string{`"outcome":"replayed"`}},
	"the same key twice": {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","key":"build-1"}`, status: 202, calls: oneCall},
	"an order of its own role": {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","role":"deploy"}`, status: 202, calls: oneCall,
		says: []string{`"role":"deploy"`}},
	"a dry run": {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","dryRun":true}`, status: 200, says: []string{`"planned"`, `"create"`}, calls: oneList},
	"a second order while one is in progress": {before: order("build-1"), method: "POST", header: keyed("build-2"), body: httpOrder, status: 202, head: inflight,
		says: []string{`"joined"`}, calls: oneJoined},
	"an order that is accomplished": {before: func(t *testing.T, c *cloud, f *function) {
		ordered("build-1")(t, c, f)
		c.ForgetTokens()
		f.Kill()
	}, method: "POST", header: keyed("build-1"), body: httpOrder, status: 200, head: map[string]string{"Location": "/snapshots/s-*", "Retry-After": ""},
		says: []string{`"replayed"`, `"accomplished"`}, calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}},
	"maxAge": {before: ordered("build-1"), method: "POST", header: keyed("build-2"), body: `{"target":"web-1","maxAge":"2h"}`, status: 200,
		says: []string{`"reused"`}, calls: oneList},
	"minInterval": {policy: strings.Replace(policy, "keep: {daily: 1, deploy: 1}", "keep: {daily: 1, deploy: 1}, minInterval: 2h", 1),
		before: func(t *testing.T, c *cloud, f *function) {
			wantStatus(t, f.call("POST", "/snapshots", keyed("build-1"), httpOrder), 202)
			c.called()
		}, method: "POST", header: keyed("build-2"), body: httpOrder, status: 202, says: []string{`"reused"`}, calls: oneList},
	"slots full": {before: full, method: "POST", header: keyed("build-1"), body: httpOrder, status: 409, code: "SlotsFull",
		says: []string{`"plan":[`, `"action":"foreign"`, "s-foreign0"}, calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}},

	"no key":                      {method: "POST", header: bearer("Content-Type", "application/json"), body: httpOrder, status: 400, code: "MissingIdempotencyKey", says: []string{"Idempotency-Key"}},
	"an empty key":                {method: "POST", header: keyed(""), body: httpOrder, status: 400, code: "MissingIdempotencyKey"},
	"two keys":                    {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","key":"build-2"}`, status: 400, code: "MalformedEvent", says: []string{"Idempotency-Key"}},
	"a long key":                  {method: "POST", header: keyed(strings.Repeat("k", 256)), body: httpOrder, status: 422, code: "InvalidOrder", says: []string{"key"}},
	"a key of other parameters":   {before: order("build-1"), method: "POST", header: keyed("build-1"), body: `{"target":"web-1","role":"daily"}`, policy: anyRole, status: 422, code: "IdempotentParameterMismatch"},
	"an order that is no JSON":    {method: "POST", header: keyed("build-1"), body: "web-1", status: 400, code: "MalformedEvent"},
	"an empty order":              {method: "POST", header: keyed("build-1"), status: 400, code: "MalformedEvent"},
	"an order of an unknown form": {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","colour":"red"}`, status: 400, code: "MalformedEvent", says: []string{"colour"}},
	"a raw disk":                  {method: "POST", header: keyed("build-1"), body: `{"RegionId":"cn-hangzhou","DiskId":"` + disk + `"}`, status: 400, code: "MalformedEvent"},
	"an order without a target":   {method: "POST", header: keyed("build-1"), body: `{"role":"daily"}`, status: 400, code: "MalformedEvent", says: []string{"target"}},
	"an impossible role":          {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","role":"1st"}`, policy: anyRole, status: 422, code: "InvalidOrder", says: []string{"role"}},
	"a role that is not kept":     {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","role":"manual"}`, policy: anyRole, status: 422, code: "UnknownRole", says: []string{`\"manual\"`, "daily, deploy"}},
	"a role that is not granted":  {method: "POST", header: keyed("build-1"), body: `{"target":"web-1","role":"daily"}`, status: 403, code: "NotAllowed", says: []string{"deploy only"}},
	"a role of several":           {method: "POST", header: keyed("build-1"), body: `{"target":"web-1"}`, policy: anyRole, status: 422, code: "UnknownRole", says: []string{"name one of daily, deploy"}},
	"an unknown target":           {method: "POST", header: keyed("build-1"), body: `{"target":"web-9"}`, status: 404, code: "UnknownTarget"},
	"a forbidden target":          {method: "POST", header: keyed("build-1"), body: `{"target":"db-1"}`, status: 403, code: "NotAllowed"},
	"a form":                      {method: "POST", header: bearer("Content-Type", "application/x-www-form-urlencoded", "Idempotency-Key", "k"), body: "target=web-1", status: 415, code: "UnsupportedMediaType"},
	"no content type":             {method: "POST", header: bearer("Idempotency-Key", "k"), body: httpOrder, status: 415, code: "UnsupportedMediaType"},
	"another character set":       {method: "POST", header: bearer("Content-Type", "application/json; charset=gbk", "Idempotency-Key", "k"), body: httpOrder, status: 415, code: "UnsupportedMediaType"},
	"a compressed body":           {method: "POST", header: keyed("k", "Content-Encoding", "gzip"), body: httpOrder, status: 415},
	"a body over 1 MiB":           {method: "POST", header: keyed("k"), body: `{"target":"` + strings.Repeat("w", 1<<20) + `"}`, status: 413, code: "BodyTooLarge"},
	"a method of no use":          {method: "PUT", header: keyed("k"), body: httpOrder, status: 405, code: "MethodNotAllowed", head: allowBoth},
	"a path of no use":            {path: "/snapshot", header: bearer(), status: 404, code: "NotFound"},
	"a doubled slash":             {path: "//snapshots", header: bearer(), status: 404, code: "NotFound"},
	"a slash too many":            {path: "/snapshots/", header: bearer(), status: 404, code: "NotFound"},

	"no credentials":             {header: nil, path: "/snapshots?target=web-1", status: 401, code: "Unauthenticated", head: map[string]string{"WWW-Authenticate": "*"}},
	"another token":              {header: headers("Authorization", "Bearer demo-token-not-a-secret-0002"), path: "/snapshots?target=web-1", status: 401, code: "Unauthenticated"},
	"half the token":             {header: headers("Authorization", "Bearer "+apiToken[:20]), path: "/plan?target=web-1", status: 401, code: "Unauthenticated"},
	"the token as a password":    {header: headers("Authorization", "Basic "+apiToken), status: 401, code: "Unauthenticated"},
	"a POST without credentials": {method: "POST", header: headers("Content-Type", "application/json"), body: "x", status: 401, code: "Unauthenticated"},
	"a pin without credentials":  {method: "POST", path: "/snapshots/s-1/keep", status: 401, code: "Unauthenticated"},
	"the second of two tokens":   {env: []string{"API_TOKEN=another-token-000001 " + apiToken}, path: "/snapshots?target=web-1", header: bearer(), status: 200, calls: oneList},
	"a short token is no token": {env: []string{"API_TOKEN=short"}, path: "/snapshots?target=web-1", header: headers("Authorization", "Bearer short"),
		status: 404, code: "NotFound"},
	"no secret set": {notFound: true, path: "/snapshots?target=web-1", header: bearer(), status: 404, code: "NotFound"},

	"a list": {before: ordered("build-1"), path: "/snapshots?target=web-1", header: bearer(), status: 200, calls: oneList,
		says: []string{`"target":"web-1"`, `"slots":{"used":1,"of":3}`, `"snapshots":[{`, `"accomplished"`}},
	"an empty list":             {path: "/snapshots?target=web-1", header: bearer(), status: 200, says: []string{`"snapshots":[]`, `"used":0`}, calls: oneList},
	"a list of nothing":         {header: bearer(), status: 400, says: []string{"target"}, code: "InvalidOrder"},
	"a list of a forbidden one": {path: "/snapshots?target=db-1", header: bearer(), status: 403, code: "NotAllowed"},
	"a list of an unknown one":  {path: "/snapshots?target=web-9", header: bearer(), status: 404, code: "UnknownTarget"},
	"an unknown parameter":      {path: "/snapshots?target=web-1&page=2", header: bearer(), status: 400, code: "MalformedEvent", says: []string{"target"}},
	"a list by HEAD":            {method: "HEAD", path: "/snapshots?target=web-1", header: bearer(), status: 200, calls: oneList},
	"a plan":                    {policy: scheduled, path: "/plan?target=web-1", header: bearer(), status: 200, says: []string{`"target":"web-1"`, `"plan":[`, `"create"`, "role daily is due since"}, calls: oneList},
	"a plan of nothing":         {path: "/plan?target=web-1", header: bearer(), status: 200, says: []string{`"plan":[]`}, calls: oneList},
	"a plan of a role":          {path: "/plan?target=web-1&role=daily", header: bearer(), status: 400, code: "MalformedEvent", says: []string{"target"}},
	"a plan with more":          {path: "/plan?target=web-1&dry=1", header: bearer(), status: 400, code: "MalformedEvent"},
	"a plan by POST":            {method: "POST", path: "/plan?target=web-1", header: bearer(), status: 405, code: "MethodNotAllowed", head: allowGet},
	"an unknown snapshot":       {path: "/snapshots/s-nothing", header: bearer(), status: 404, code: "UnknownSnapshot", calls: oneList},
	"a snapshot with a query":   {path: "/snapshots/s-nothing?x=1", header: bearer(), status: 400, code: "MalformedEvent"},
	"a forbidden snapshot":      {before: foreignTarget, path: "/snapshots/s-forbidden", header: bearer(), status: 404, code: "UnknownSnapshot", calls: oneList},
	"a DELETE of a snapshot":    {method: "DELETE", path: "/snapshots/s-1", header: bearer(), status: 405, code: "MethodNotAllowed", head: allowGet},
	"a pin of a forbidden one":  {before: foreignTarget, method: "POST", path: "/snapshots/s-forbidden/keep", header: bearer(), status: 404, code: "UnknownSnapshot", calls: oneList},
	"a pin of a foreign one":    {before: full, method: "POST", path: "/snapshots/s-foreign0/keep", header: bearer(), status: 409, code: "ForeignSnapshot", calls: oneList},
	"a pin in the past":         {method: "POST", path: "/snapshots/s-1/keep", header: bearer("Content-Type", "application/json"), body: `{"until":"2020-01-01"}`, status: 422, code: "InvalidOrder", says: []string{"past"}},
	"a pin until no day":        {method: "POST", path: "/snapshots/s-1/keep", header: bearer("Content-Type", "application/json"), body: `{"until":"Friday"}`, status: 422, code: "InvalidOrder"},
	"a pin of an unknown form":  {method: "POST", path: "/snapshots/s-1/keep", header: bearer("Content-Type", "application/json"), body: `{"till":"x"}`, status: 400, code: "MalformedEvent"},
	"a pin that is no JSON":     {method: "POST", path: "/snapshots/s-1/keep", header: bearer("Content-Type", "text/plain"), body: `x`, status: 415, code: "UnsupportedMediaType"},
	"a pin by GET":              {path: "/snapshots/s-1/keep", header: bearer(), status: 405, code: "MethodNotAllowed"},
	"a hook without a secret":   {method: "POST", path: "/hooks/slack", body: "x", status: 404, code: "NotFound"},
	"a hook of an unknown kind": {method: "POST", path: "/hooks/pigeon", body: "x", status: 404, code: "NotFound"},

	"throttled":         {before: fault("Throttling.User", 0), timeout: brief, method: "POST", header: keyed("k"), body: httpOrder, status: 503, code: "Throttling.User", head: map[string]string{"Retry-After": "*"}, says: []string{`"retryable":true`, `"requestId":"`}},
	"an API that fails": {before: fault("InternalError", 0), timeout: brief, method: "POST", header: keyed("k"), body: httpOrder, status: 503, code: "InternalError", head: map[string]string{"Retry-After": "*"}, says: []string{`"retryable":true`}},
	"an API that is down": {before: fault("ServiceUnavailable", 0), timeout: brief, method: "POST", header: keyed("k"), body: httpOrder, status: 503, code: "ServiceUnavailable",
		head: map[string]string{"Retry-After": "*"}},
	"an API that does not answer": {before: fault("", simulator.AnswerLost), timeout: brief, method: "POST", header: keyed("k"), body: httpOrder, status: 503, code: "NoAnswer",
		head: map[string]string{"Retry-After": "*"}},
	"a name of no use":                 {before: fault("InvalidSnapshotName.ValueNotSupported", 0), method: "POST", header: keyed("k"), body: httpOrder, status: 422, code: "InvalidSnapshotName.ValueNotSupported", calls: oneCall},
	"a disk that is gone":              {before: fault("InvalidDiskId.NotFound", 0), method: "POST", header: keyed("k"), body: httpOrder, status: 404, code: "InvalidDiskId.NotFound", calls: oneCall},
	"a missing permission":             {before: fault("Forbidden.RAM", 0), method: "POST", header: keyed("k"), body: httpOrder, status: 500, code: "Forbidden.RAM", says: []string{"swas-open:CreateSnapshot"}, calls: oneCall},
	"a list that may not be":           {before: fault("Forbidden.RAM", 0), path: "/snapshots?target=web-1", header: bearer(), status: 500, code: "Forbidden.RAM", says: []string{"swas-open:ListSnapshots"}, calls: oneList},
	"in progress, not by us":           {before: busy, timeout: brief, method: "POST", header: keyed("k"), body: httpOrder, status: 503, code: "IncorrectDiskStatus.CreatingSnapshot", head: map[string]string{"Retry-After": "*"}},
	"our own pace is used up":          {env: []string{"SNAPSHOT_CALLS_PER_MINUTE=1"}, before: order("build-1"), timeout: brief, method: "POST", header: keyed("k"), body: httpOrder, status: 503, code: "TooManyCalls", head: map[string]string{"Retry-After": "*"}},
	"a signature without a secret set": {method: "POST", header: signed(hookSecret, "msg-1", time.Now(), httpOrder), body: httpOrder, status: 401, code: "Unauthenticated"},
	"an order with a query":            {method: "POST", path: "/snapshots?dryRun=true", header: keyed("k"), body: httpOrder, status: 400, code: "MalformedEvent", says: []string{"query"}},
	"a pin with a query":               {method: "POST", path: "/snapshots/s-1/keep?until=2099-01-01", header: bearer(), status: 400, code: "MalformedEvent"},
	"an unpin with a query":            {method: "DELETE", path: "/snapshots/s-1/keep?until=2099-01-01", header: bearer(), status: 400, code: "MalformedEvent"},
}

// fault makes every call fail with a code, or get another answer.
func fault(code string, answer simulator.FaultKind) func(*testing.T, *cloud, *function) {
	return func(_ *testing.T, c *cloud, _ *function) {
		f := simulator.Fault{Answer: answer, Code: code, Count: simulator.Forever}
		if code != "" {
			f.Answer = simulator.AnswerError
		}
		c.Fault(f)
	}
}

// busy adds a foreign snapshot of web-1's disk that is in progress.
func busy(_ *testing.T, c *cloud, _ *function) {
	c.AddSnapshot(simulator.Snapshot{DiskID: disk, Status: simulator.Progressing})
}

// foreignTarget adds a snapshot of a target that the caller may not see.
func foreignTarget(_ *testing.T, c *cloud, _ *function) {
	c.AddSnapshot(simulator.Snapshot{ID: "s-forbidden", DiskID: otherDisk})
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, want int) {
	t.Helper()
	if w.Code != want {
		t.Fatalf("the status is %d, want %d: %s", w.Code, want, w.Body)
	}
}
