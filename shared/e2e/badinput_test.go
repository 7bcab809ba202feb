package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// Events that nothing is wrong with.
const (
	goodOrder = `{"target":"web-1","role":"deploy","key":"build-1"}`
	goodTick  = `{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily","payload":"{\"role\":\"daily\"}"}`
)

// mistake is one mistake of a deployment or of an event, and the one error that it leads to.
type mistake struct {
	deployment
	account func(*simulator.Config) // nil: the plain one
	only    runtimeapi.Platform     // "": both
	event   string                  // default: one that nothing is wrong with
	code    string
	says    []string       // parts of the message
	calls   map[string]int // of the API; nil: none
}

const timer, event = "timer", "event"

// tick is a tick of Function Compute with a payload.
func tick(payload string) string {
	return fmt.Sprintf(`{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"t","payload":%q}`, payload)
}

// broken is policy behind a first line that is wrong.
func broken(line string, says ...string) mistake {
	return mistake{deployment: deployment{policy: line + policy}, code: "InvalidPolicy", says: says}
}

// fleet is a policy of n servers that keep two snapshots each.
func fleet(n int) string {
	var text strings.Builder
	text.WriteString("region: cn-hangzhou\ntargets:\n")
	for i := range n {
		fmt.Fprintf(&text, "  web-%d: {disk: d-fleet%d, keep: {daily: 1, deploy: 1}}\n", i, i)
	}
	text.WriteString("allow: [{from: api, targets: [web-0], role: deploy, actions: [take]}]\n")
	return text.String()
}

var mistakes = map[string]mistake{
	"no policy file": {deployment: deployment{policy: "-"}, code: "InvalidPolicy", says: []string{"snapshots.yaml", "does not exist", "SNAPSHOTS_FILE"}},
	"a wrong policy": {deployment: deployment{policy: "region: cn-hangzhou\ntargets:\n  web-1: {disc: d-1}\ncolour: red\n"}, code: "InvalidPolicy",
		says: []string{"snapshots.yaml:3", "disc", "snapshots.yaml:4", "colour"}},
	"an empty policy":                 {deployment: deployment{policy: "\n"}, code: "InvalidPolicy", says: []string{"snapshots.yaml"}},
	"a schedule that is no cron line": broken("schedule: {daily: 0 3 * *}", "snapshots.yaml:1", "minute hour day-of-month month day-of-week"),
	"a schedule that never fires":     broken("schedule: {daily: 0 3 31 2 *}", "snapshots.yaml:1", "never"),
	"a schedule that fires too often": broken("schedule: {daily: \"*/30 * * * *\"}", "snapshots.yaml:1", "60 minutes"),
	"a schedule of a target": {deployment: deployment{policy: strings.Replace(policy, "keep: {weekly: 2}", "keep: {weekly: 2}, schedule: {weekly: 0 25 * * 0}", 1)},
		code: "InvalidPolicy", says: []string{"snapshots.yaml:5", "hour"}},
	"a schedule of an unknown role": broken("schedule: {hourly: 0 3 * * *}", "snapshots.yaml:1", "hourly"),
	"an unknown zone":               broken("timeZone: Asia/Peking", "snapshots.yaml:1", "Asia/Peking", "Asia/Shanghai"),
	"a zone that is an offset":      broken("timeZone: +08:00", "snapshots.yaml:1", "timeZone"),
	"a sum that leaves no slot free": {deployment: deployment{policy: strings.Replace(policy, "daily: 1, deploy: 1", "daily: 2, deploy: 1", 1)}, code: "InvalidPolicy",
		says: []string{"snapshots.yaml:4", "daily 2 + deploy 1 = 3", "keep: {daily: 1, deploy: 1}", "remove web-1 from allow[0]"}},
	"a sum that no schedule fires": {deployment: deployment{policy: strings.Replace(policy, "weekly: 2", "weekly: 3", 1)}, code: "InvalidPolicy",
		says: []string{"snapshots.yaml:5", "db-1", "schedule"}},
	"a sum that no server has":  {deployment: deployment{policy: "targets: {web-1: {disk: d-1, keep: {daily: 4}}}"}, code: "InvalidPolicy", says: []string{"4", "3"}},
	"a sum that no account has": {deployment: deployment{policy: fleet(8)}, code: "InvalidPolicy", says: []string{"16", "14"}},
	"an unset variable": {deployment: deployment{policy: policy + "notify:\n  - {url: \"${ROBOT_URL}\", form: json, on: [failed]}\n"}, code: "InvalidPolicy",
		says: []string{"ROBOT_URL"}},

	"a pace that is no number":   {deployment: deployment{env: []string{"SNAPSHOT_CALLS_PER_MINUTE=ten"}}, code: "InvalidConfig", says: []string{"SNAPSHOT_CALLS_PER_MINUTE", "10"}},
	"a negative pace":            {deployment: deployment{env: []string{"SNAPSHOT_CALLS_PER_MINUTE=-1"}}, code: "InvalidConfig", says: []string{"SNAPSHOT_CALLS_PER_MINUTE"}},
	"an unknown level":           {deployment: deployment{env: []string{"SNAPSHOT_LOG_LEVEL=loud"}}, code: "InvalidConfig", says: []string{"SNAPSHOT_LOG_LEVEL", "debug, info, warn or error"}},
	"an impossible region":       {deployment: deployment{env: []string{"ALIBABA_CLOUD_REGION_ID=Hangzhou!"}}, code: "InvalidConfig", says: []string{"ALIBABA_CLOUD_REGION_ID"}},
	"plain http to the world":    {deployment: deployment{env: []string{"SWAS_ENDPOINT=http://swas.example.com"}}, code: "InvalidConfig", says: []string{"SWAS_ENDPOINT", "https"}},
	"an endpoint that is a path": {deployment: deployment{env: []string{"SWAS_ENDPOINT=/tmp"}}, code: "InvalidConfig", says: []string{"SWAS_ENDPOINT"}},
	"two mistakes at once": {deployment: deployment{policy: "-", env: []string{"SNAPSHOT_CALLS_PER_MINUTE=ten"}}, code: "InvalidConfig",
		says: []string{"SNAPSHOT_CALLS_PER_MINUTE", "snapshots.yaml"}},

	"no credentials": {deployment: deployment{keys: &runtimeapi.Credentials{}}, code: "NoCredentials", says: []string{"role", "ALIBABA_CLOUD_ACCESS_KEY_ID"}},
	"half a key": {deployment: deployment{keys: &runtimeapi.Credentials{AccessKeyID: takeKey}}, code: "NoCredentials", says: []string{"secret"},
		only: runtimeapi.FC},
	"half a key in the environment": {deployment: deployment{keys: &runtimeapi.Credentials{AccessKeyID: takeKey}}, code: "NoCredentials",
		says: []string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing"}, only: runtimeapi.Lambda},
	"two sources of keys": {deployment: deployment{env: []string{"ALIBABA_CLOUD_SECRET_ID=swas"}}, code: "NoCredentials",
		says: []string{"ALIBABA_CLOUD_SECRET_ID"}, only: runtimeapi.Lambda},
	"a wrong secret": {deployment: deployment{keys: &runtimeapi.Credentials{AccessKeyID: takeKey, AccessKeySecret: "wrong-secret"}}, code: "SignatureDoesNotMatch",
		says: []string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET"}, calls: oneCall},
	"an unknown key": {deployment: deployment{keys: &runtimeapi.Credentials{AccessKeyID: "LTAI-unknown", AccessKeySecret: keySecret}}, code: "InvalidAccessKeyId.NotFound",
		says: []string{"ALIBABA_CLOUD_ACCESS_KEY_ID"}, calls: oneCall},
	"an expired token": {deployment: deployment{keys: &runtimeapi.Credentials{AccessKeyID: takeKey, AccessKeySecret: keySecret, SecurityToken: stsToken}},
		account: func(c *simulator.Config) {
			c.Credentials = []simulator.Credential{{AccessKeyID: takeKey, AccessKeySecret: keySecret, SecurityToken: stsToken, Expires: time.Now().Add(-time.Hour)}}
		}, code: "InvalidSecurityToken.Expired", says: []string{"ALIBABA_CLOUD_SECURITY_TOKEN"}, calls: oneCall},
	"a role without the permission": {account: func(c *simulator.Config) { c.Credentials[1].Actions = []string{"ListSnapshots"} },
		code: "NoPermission", says: []string{"swas-open:CreateSnapshot", "RAM policy"}, calls: oneCall},

	"an endpoint without a server": {deployment: deployment{env: []string{"SWAS_ENDPOINT=http://127.0.0.1:1"}, timeout: brief}, code: "NoAnswer",
		says: []string{"connection refused", "SWAS_ENDPOINT"}},
	"a deadline that has passed": {deployment: deployment{clock: func() time.Time { return time.Now().Add(-time.Hour) }}, code: "DeadlineExceeded", says: []string{"time"}},

	"an unknown target": {event: `{"target":"web-2","key":"k"}`, code: "UnknownTarget", says: []string{`"web-2"`, "did you mean web-1?"}},
	"an unknown disk": {event: `{"RegionId":"cn-hangzhou","DiskId":"` + missingDisk + `","ClientToken":"t-1"}`, code: "InvalidDiskId.NotFound", says: []string{"disk", "region"},
		calls: oneCall},
	"a disk in another region": {event: `{"RegionId":"cn-beijing","DiskId":"` + disk + `","ClientToken":"t-1"}`, code: "InvalidDiskId.NotFound", calls: oneCall},
	"an impossible role":       {event: `{"target":"web-1","role":"1st","key":"k"}`, code: "InvalidOrder", says: []string{"role", "letter"}},
	"an impossible disk":       {event: `{"RegionId":"cn-hangzhou","DiskId":"disk one","SnapshotName":"mine","ClientToken":"t-1"}`, code: "InvalidDiskId", says: []string{"DiskId"}},
	"a long token":             {deployment: deployment{policy: scheduled}, event: `{"RegionId":"cn-hangzhou","DiskId":"` + disk + `","ClientToken":"` + strings.Repeat("t", 65) + `"}`, code: "InvalidClientToken", says: []string{"ClientToken", "64"}},
	"an old event": {deployment: deployment{policy: "region: cn-hangzhou\ntargets: {web-1: {disk: " + disk + "}}"},
		event: `{"id":"1","source":"acme","specversion":"1.0","type":"t","time":"2026-01-30T19:02:03Z","data":` + goodOrder + `}`,
		code:  "EventTooOld", says: []string{"1h0m", "maxEventAge"}},
	"a bus event that no rule names": {event: `{"id":"1","source":"acs.ecs","specversion":"1.0","type":"t","time":"2026-01-30T19:02:03Z","data":{"state":"x"}}`,
		code: "NoRule", says: []string{"events in snapshots.yaml"}},
	"a role that is not kept": {event: `{"target":"web-1","role":"dialy","key":"k"}`, code: "UnknownRole", says: []string{"did you mean daily?"}},
	"a role of several":       {event: `{"target":"web-1","key":"k"}`, code: "UnknownRole", says: []string{"name one of daily, deploy"}},
	"a tick for an unknown role": {deployment: deployment{name: timer}, event: tick(`{"role":"hourly"}`), code: "UnknownRole",
		says: []string{`"hourly"`, "keep"}},
	"a tick for a role that its target does not keep": {deployment: deployment{name: timer}, event: tick(`{"role":"weekly","targets":["web-1"]}`), code: "UnknownRole",
		says: []string{"daily, deploy"}},
	"a tick for an unknown target": {deployment: deployment{name: timer}, event: tick(`{"role":"daily","targets":["web-3"]}`), code: "UnknownTarget",
		says: []string{`"web-3"`, "did you mean web-1?"}},
	"a tick for a role without a time": {deployment: deployment{name: timer}, event: `{"role":"daily"}`, code: "MalformedEvent",
		says: []string{"scheduledTime", "schedule in snapshots.yaml"}},
	"a tick of the future": {deployment: deployment{name: timer}, event: strings.Replace(goodTick, "2026", "2126", 1), code: "EventTooOld", says: []string{"future", "clock"}},
	"a tick for targets alone": {deployment: deployment{name: timer}, event: tick(`{"targets":["web-1"]}`), code: "MalformedEvent",
		says: []string{"role"}},

	"no event":                      {event: " ", code: "MalformedEvent", says: []string{"empty", "expected"}},
	"an event that is no JSON":      {event: "take a snapshot", code: "MalformedEvent", says: []string{"JSON", "expected"}},
	"an event of an unknown shape":  {event: `{"hello":"world"}`, code: "MalformedEvent", says: []string{"expected"}},
	"an empty object":               {event: `{}`, code: "MalformedEvent", says: []string{"expected"}},
	"an empty list":                 {event: `[]`, code: "MalformedEvent"},
	"null":                          {event: `null`, code: "MalformedEvent"},
	"an unknown field":              {event: `{"target":"web-1","key":"k","colour":"red"}`, code: "MalformedEvent", says: []string{"colour"}},
	"a doubled field":               {event: `{"target":"web-1","target":"db-1","key":"k"}`, code: "MalformedEvent", says: []string{"target"}},
	"a field doubled in capitals":   {event: `{"RegionId":"cn-hangzhou","DiskId":"` + disk + `","DISKID":"` + otherDisk + `"}`, code: "MalformedEvent", says: []string{"DISKID"}},
	"a field with a long s":         {event: `{"RegionId":"cn-hangzhou","DiskId":"` + disk + `","Diſkid":"` + otherDisk + `"}`, code: "MalformedEvent"},
	"something behind the event":    {event: goodOrder + "x", code: "MalformedEvent"},
	"an unknown source of records":  {event: `{"Records":[{"eventSource":"aws:s3"}]}`, code: "MalformedEvent", says: []string{"source"}},
	"no tick":                       {deployment: deployment{name: timer}, event: " ", code: "MalformedEvent", says: []string{"empty", "expected"}},
	"a tick with a wrong payload":   {deployment: deployment{name: timer}, event: `{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily","payload":"daily"}`, code: "MalformedEvent", says: []string{"payload"}},
	"a tick without a payload":      {deployment: deployment{name: timer}, event: `{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily","payload":""}`, code: "MalformedEvent"},
	"a tick for a role and a sweep": {deployment: deployment{name: timer}, event: `{"role":"daily","sweep":true}`, code: "MalformedEvent"},
}

// TestMistakes makes every mistake once: there is one error, which says what is wrong and what to do, as a function
// error; the API was not called in vain, and nothing was left behind.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, platform := range testbed.Platforms {
				if m.only == "" || m.only == platform {
					t.Run(string(platform), func(t *testing.T) {
						t.Parallel()
						m.make(t, platform)
					})
				}
			}
		})
	}
}

func (m mistake) make(t *testing.T, platform runtimeapi.Platform) {
	c := newCloud(t)
	if m.account != nil {
		c = newCloud(t, m.account)
	}
	m.platform = platform
	if m.name == "" {
		m.name = event
	}
	if m.event == "" {
		m.event = map[string]string{timer: goodTick, event: goodOrder}[m.name]
	}
	answer := c.deploy(t, m.deployment).invoke([]byte(m.event))
	if answer.Crashed || answer.TimedOut || answer.FunctionError == "" {
		t.Fatalf("there is no function error: %+v", answer)
	}
	got := read(t, answer)
	failed := 0
	for _, result := range got.results {
		if result.Error == nil {
			continue
		}
		failed++
		wantError(t, result, m.code)
		for _, part := range m.says {
			if !strings.Contains(result.Error.Message, part) {
				t.Errorf("the message does not say %q: %s", part, result.Error.Message)
			}
		}
	}
	if failed != 1 {
		t.Errorf("there are %d errors, want 1: %s", failed, answer.ErrorMessage)
	}
	var document struct {
		Stack json.RawMessage `json:"stackTrace"`
	}
	if decode(t, answer.Payload, &document); len(document.Stack) > 0 && string(document.Stack) != "null" {
		t.Errorf("there is a stack trace: %s", document.Stack)
	}
	if m.calls == nil {
		m.calls = map[string]int{}
	}
	c.wantCalls(t, m.calls)
	c.wantSnapshots(t, 0)
}

// TestOneBadElement shows that what is wrong with one element of a list is said of that element, while the others are
// done; the list delivered again costs them nothing.
func TestOneBadElement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloud(t)
		f := c.deploy(t, deployment{platform: platform, name: "event"})
		list := []byte(`[` + goodOrder + `,{"target":"web-9","key":"build-2"},{"target":"db-1","key":"build-3"}]`)
		got := read(t, f.invoke(list))
		if len(got.results) != 3 {
			t.Fatalf("there are %d results, want 3", len(got.results))
		}
		wantOutcome(t, got.results[0], snapshot.OutcomeCreated)
		wantError(t, got.results[1], "UnknownTarget")
		wantOutcome(t, got.results[2], snapshot.OutcomeCreated)
		again := read(t, f.invoke(list))
		wantOutcome(t, again.results[0], snapshot.OutcomeReplayed)
		wantOutcome(t, again.results[2], snapshot.OutcomeReplayed)
		c.wantCalls(t, map[string]int{"CreateSnapshot": 2})
		c.wantSnapshots(t, 2)
	})
}

// TestWrongPolicyOverHTTP shows that the HTTP function answers a caller who has the bearer token with what is wrong with its policy,
// and other callers only that something is.
func TestWrongPolicyOverHTTP(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		f := newCloud(t).deploy(t, deployment{platform: platform, name: "http", policy: "colour: red\n"})
		for name, c := range map[string]struct {
			header http.Header
			tells  bool
		}{
			"with the token":      {http.Header{"Authorization": {"Bearer " + apiToken}}, true},
			"without":             {nil, false},
			"with another":        {http.Header{"Authorization": {"Bearer demo-token-not-a-secret-0002"}}, false},
			"with no bearer form": {http.Header{"Authorization": {apiToken}}, false},
		} {
			w := f.call(http.MethodGet, "/snapshots?target=web-1", c.header, "")
			var document httpapi.Problem
			decode(t, w.Body.Bytes(), &document)
			if w.Code != http.StatusInternalServerError || document.Code != "InvalidPolicy" || document.Status != w.Code {
				t.Errorf("%s: status %d, document %+v", name, w.Code, document)
			}
			if got := strings.Contains(document.Detail, "colour"); got != c.tells {
				t.Errorf("%s: the detail is %q", name, document.Detail)
			}
		}
	})
}

// TestNoHTTPEvent shows that the HTTP function refuses an event that is no HTTP request.
func TestNoHTTPEvent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		f := newCloud(t).deploy(t, deployment{platform: platform, name: "http"})
		for _, event := range []string{" ", "x", goodOrder, `{"version":"3"}`} {
			if answer := f.invoke([]byte(event)); answer.FunctionError != "MalformedEvent" || !strings.Contains(answer.ErrorMessage, "expected") {
				t.Errorf("event %q: function error %q: %s", event, answer.FunctionError, answer.ErrorMessage)
			}
		}
	})
}
