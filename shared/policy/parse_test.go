package policy_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// env returns a getenv over pairs of a name and a value.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// parse reads a policy that must be right.
func parse(t testing.TB, text string) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text), env())
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return p
}

func TestParseContract(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := policy.Parse(data, env("DINGTALK_ROBOT_URL", "https://robot.example/send?access_token=1"))
	if err != nil {
		t.Fatal(err)
	}
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	slots := got.Targets[0].Keep
	if at := slots[0].Schedule.Next(time.Date(2026, 7, 1, 0, 0, 0, 0,
		time.UTC)); at.Format(time.RFC3339) != "2026-07-01T20:00:00Z" {
		t.Errorf("daily is due at %s", at)
	}
	slots[0].Schedule = nil
	web, main := []string{"web-1"}, []string{"refs/heads/main"}
	want := policy.Policy{
		Policy: snapshot.Policy{
			RegionID:    "cn-hangzhou",
			MaxEventAge: time.Hour,
			Deployment:  "production",
			Location:    shanghai,
			Targets: []snapshot.Target{{
				Name: "web-1", DiskID: "d-bp18kjxg9ebrhsgi0001", RegionID: "cn-shanghai", ResourceGroupID: "rg-aek2bti7cf70001",
				Tags:   []snapshot.Tag{{Key: "team", Value: "web"}},
				Keep:   []snapshot.Slots{{Role: "daily", Count: 1}, {Role: "deploy", Count: 1}},
				MaxAge: 26 * time.Hour,
			}},
		},
		Allow: []policy.Allow{
			{From: "api", Targets: web, Actions: []policy.Action{"take", "list", "plan"}, Role: "deploy"},
			{From: "slack", Tenant: "T1DC2JH3J", Channels: []string{"C0PS"}, Actors: []string{"U2CERLKJA"}, Targets: web,
				Actions: []policy.Action{"take", "list", "plan", "keep"}},
			{From: "github", Repository: "acme/shop", On: "deployment", Environments: []string{"production"}, Refs: main,
				Targets: web,
				Actions: []policy.Action{"take"}},
			{From: "github", Repository: "acme/shop", On: "workflow_run", Workflow: ".github/workflows/deploy.yml", Refs: main, Targets: web,
				Actions: []policy.Action{"take"}},
			{From: "standard", Targets: web, Actions: []policy.Action{"take", "list"}},
		},
		Events: []policy.EventRule{{Source: "acs.oss", Type: "oss:ObjectCreated:*", Subject: "*/releases/web/*", Targets: web,
			Role: "deploy"}},
		Notify: []policy.Notify{{URL: "https://robot.example/send?access_token=1", Form: "dingtalk",
			On: []snapshot.NotificationKind{"failed", "stale", "blocked"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	first := func(p policy.Policy) snapshot.Target { return p.Targets[0] }
	tests := map[string]struct {
		text string
		got  func(policy.Policy) any
		want any
	}{
		"RegionOfPolicy": {"region: cn-beijing\ntargets: {a: {disk: d-1}}",
			func(p policy.Policy) any { return first(p).RegionID }, "cn-beijing"},
		"NoRegion": {"targets: {a: {disk: d-1}}", func(p policy.Policy) any { return first(p).RegionID }, ""},
		"Instance": {"targets: {a: {instance: 2ad1ae67295445f5}}",
			func(p policy.Policy) any { return first(p).InstanceID }, "2ad1ae67295445f5"},
		"Days": {"targets: {a: {disk: d-1, maxAge: 7d}}", func(p policy.Policy) any { return first(p).MaxAge },
			7 * 24 * time.Hour},
		"DaysAndHours": {"targets: {a: {disk: d-1, maxAge: 1d12h}}", func(p policy.Policy) any { return first(p).MaxAge },
			36 * time.Hour},
		"GoDuration": {"targets: {a: {disk: d-1, maxAge: 1h30m}}", func(p policy.Policy) any { return first(p).MaxAge },
			90 * time.Minute},
		"MinIntervalZero": {"targets: {a: {disk: d-1, minInterval: 0s}}",
			func(p policy.Policy) any { return first(p).MinInterval }, time.Duration(0)},
		"TagsSorted": {"targets: {a: {disk: d-1, tags: {z: '', b: x}}}",
			func(p policy.Policy) any { return first(p).Tags }, []snapshot.Tag{{Key: "b", Value: "x"}, {Key: "z"}}},
		"KeepInOrder": {"targets: {a: {disk: d-1, keep: {z: 1, b: 1}}}",
			func(p policy.Policy) any { return first(p).Keep }, []snapshot.Slots{{Role: "z", Count: 1}, {Role: "b", Count: 1}}},
		"TargetsInOrder": {"targets: {z: {disk: d-1}, a: {disk: d-2}}", func(p policy.Policy) any { return first(p).Name },
			"z"},
		"TargetOfDigits": {"targets: {'1': {disk: d-1}}", func(p policy.Policy) any { return first(p).Name }, "1"},
		"ByteOrderMark":  {"\ufefftargets: {a: {disk: d-1}}", func(p policy.Policy) any { return first(p).Name }, "a"},
		"WindowsLineEnds": {"region: cn-beijing\r\ntargets:\r\n  a:\r\n    disk: d-1\r\n",
			func(p policy.Policy) any { return first(p).DiskID }, "d-1"},
		"LastDocumentMark": {"---\ntargets: {a: {disk: d-1}}\n...\n", func(p policy.Policy) any { return len(p.Targets) }, 1},
		"TenTags": {"targets: {a: {disk: d-1, tags: {" + tags(10) + "}}}",
			func(p policy.Policy) any { return len(first(p).Tags) }, 10},
		"RoleOfRule": {withRule("allow", "{from: slack, tenant: T1, targets: [a], actions: [take], role: weekly}"),
			func(p policy.Policy) any { return p.Allow[0].Role }, "weekly"},
		"NoDeployment": {"targets: {a: {disk: d-1}}", func(p policy.Policy) any { return p.Deployment }, ""},
		"NoTimeZone": {"targets: {a: {disk: d-1}}", func(p policy.Policy) any { return p.Location },
			(*time.Location)(nil)},
		"NotifyDeleted": {withRule("notify", "{url: 'https://h', form: json, on: [deleted]}"),
			func(p policy.Policy) any { return p.Notify[0].On }, []snapshot.NotificationKind{snapshot.NotifyDeleted}},
		"NoRoleOfChat": {withRule("allow", "{from: slack, tenant: T1, targets: [a], actions: [take]}"),
			func(p policy.Policy) any { return p.Allow[0].Role }, ""},
		"NoRoleOfEvents": {withRule("events", "{source: x, targets: [a]}"),
			func(p policy.Policy) any { return p.Events[0].Role }, ""},
		"OtherRoleListed": {"targets: {a: {disk: d-1, keep: {x: 1, y: 1}}}\n" +
			"allow: [{from: api, targets: [a], actions: [list]}]", func(p policy.Policy) any { return p.Allow[0].Role }, ""},
		"AnyRef": {withRule("allow",
			"{from: gitlab, repository: g/sub/p, on: pipeline, refs: ['*'], targets: [a]}"),
			func(p policy.Policy) any { return p.Allow[0].Refs }, []string{"*"}},
		"NotifyLoopback": {withRule("notify", "{url: 'http://127.0.0.1:8080/x', form: json, on: [done]}"),
			func(p policy.Policy) any { return p.Notify[0].URL }, "http://127.0.0.1:8080/x"},
		"NotifyLoopback6": {withRule("notify", "{url: 'http://[::1]:8080/x', form: json, on: [done]}"),
			func(p policy.Policy) any { return p.Notify[0].URL }, "http://[::1]:8080/x"},
		"NotifyLOCALHOST": {withRule("notify", "{url: 'http://LOCALHOST/x', form: json, on: [done]}"),
			func(p policy.Policy) any { return p.Notify[0].URL }, "http://LOCALHOST/x"},
		"NotifyLocalhost": {withRule("notify", "{url: 'http://localhost/x', form: feishu, secret: s, on: [done]}"),
			func(p policy.Policy) any { return p.Notify[0].Secret }, "s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.got(parse(t, test.text)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}

// withRule is a policy with one target, a, and one rule, on line 2.
func withRule(list, rule string) string {
	return "targets: {a: {disk: d-1}}\n" + list + ": [" + rule + "]\n"
}

func TestParseEnvironment(t *testing.T) {
	t.Parallel()
	text := "targets: {a: {disk: '${DISK}', tags: {note: '<${A}${B}>'}}}"
	getenv := env("DISK", "d-1", "A", "${B}", "B", "x: {y: z}")
	p, err := policy.Parse([]byte(text), getenv)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Targets[0].Tags[0].Value, "<${B}x: {y: z}>"; got != want {
		t.Errorf("a value is expanded once and parsed never: got %q, want %q", got, want)
	}
	if got := p.Targets[0].DiskID; got != "d-1" {
		t.Errorf("disk %q", got)
	}
}

// Whatever the environment holds may be a secret: no defect of such a value may quote it.
func TestParseKeepsEnvironmentSecret(t *testing.T) {
	t.Parallel()
	const hidden = "Hidden_Value"
	for name, text := range map[string]string{
		"region":   "region: ${X}\ntargets: {a: {disk: d-1}}",
		"age":      "maxEventAge: ${X}\ntargets: {a: {disk: d-1}}",
		"disk":     "targets: {a: {disk: '${X}'}}",
		"instance": "targets: {a: {instance: '${X} '}}",
		"zone":     "timeZone: ${X}\ntargets: {a: {disk: d-1}}",
		"name":     "deployment: ${X}.\ntargets: {a: {disk: d-1}}",
		"schedule": "schedule: {x: '0 ${X} * * *'}\ntargets: {a: {disk: d-1, keep: {x: 1}}}",
		"line":     "targets: {a: {disk: d-1, keep: {x: 1}, schedule: {x: '@${X}'}}}",
		"kept":     "targets: {a: {disk: d-1, keep: {x: 1}}}\nevents: [{source: x, targets: [a], role: '${X}'}]",
		"group":    "targets: {a: {disk: d-1, resourceGroup: '${X}'}}",
		"tag":      "targets: {a: {disk: d-1, tags: {k: 'http://${X}'}}}",
		"from":     withRule("allow", "{from: '${X}', targets: [a], actions: [take]}"),
		"target":   withRule("allow", "{from: api, targets: ['${X}'], actions: [take]}"),
		"action":   withRule("allow", "{from: api, targets: [a], actions: ['${X}']}"),
		"role":     withRule("allow", "{from: api, targets: [a], actions: [take], role: '1${X}'}"),
		"actors":   withRule("allow", "{from: teams, tenant: t, actors: ['${X}', '${X}'], targets: [a], actions: [take]}"),
		"ref":      withRule("allow", "{from: gitee, repository: a/b, on: push, refs: ['${X}'], targets: [a]}"),
		"url":      withRule("notify", "{url: 'ftp://${X}/${X}', form: json, on: [done]}"),
		"control":  withRule("notify", "{url: \"https://${X}\\n\", form: json, on: [done]}"),
		"form":     withRule("notify", "{url: 'https://h', form: '${X}', on: [done]}"),
		"on":       withRule("notify", "{url: 'https://h', form: json, on: ['${X}']}"),
		"secret":   withRule("notify", "{url: 'https://h', form: json, secret: '${X}', on: [done]}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse([]byte(text), env("X", hidden))
			if err == nil || strings.Contains(err.Error(), hidden) {
				t.Errorf("got %v, want a defect without the value", err)
			}
		})
	}
}

// A robot's URL is a bearer credential, also where it stands in the file itself.
func TestParseKeepsURLSecret(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://h/hidden", "https://u:hidden@h/", "https:hidden", "https://h/%zz?hidden",
		" https://h/hidden", "https://h:x/hidden", "hidden"} {
		_, err := policy.Parse([]byte(withRule("notify", "{url: '"+url+"', form: json, on: [done]}")), env())
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got %v, want a defect without the URL", url, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse([]byte("region: nowhere\ntargets: {a: {disk: d-1}}"), env())
	var wrong policy.Errors
	if !errors.As(err, &wrong) || len(wrong) != 1 || wrong[0].Line != 1 || wrong[0].Field != "region" {
		t.Errorf("got %#v", err)
	}
}

func TestErrorsAreInvalidPolicy(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse([]byte("targets: 1"), env())
	got := snapshot.AsError(err)
	if got.Code != snapshot.CodeBadPolicy || got.Kind != snapshot.KindConfig || got.Retryable ||
		got.Message != err.Error() {
		t.Errorf("got %+v", got)
	}
}

func TestErrorsShowFifty(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse([]byte(strings.Repeat("x: 1\n", 61)+"targets: {a: {disk: d-1}}"), env())
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 51 || lines[50] != "and 11 more" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
