package policy_test

import (
	"fmt"
	"reflect"
	"testing"

	"swas-snapshot/shared/policy"
)

const callers = `
targets:
  web-1: {disk: d-1}
  web-2: {disk: d-2}
  db-1: {disk: d-3}
allow:
  - {from: api, targets: [web-1], actions: [take, list]}
  - {from: standard, targets: [web-1], actions: [take], role: weekly}
  - {from: slack, tenant: T1, channels: [C1, C2], actors: [U1], targets: [web-2, web-1], actions: [take, keep]}
  - {from: slack, tenant: T1, actors: [U2], targets: [web-1], actions: [list], role: other}
  - {from: slack, tenant: T1, channels: [C3], targets: [db-1], actions: [take], role: nightly}
  - {from: teams, tenant: T1, targets: [db-1], actions: [plan]}
`

func TestPermit(t *testing.T) {
	t.Parallel()
	p := parse(t, callers)
	type q = policy.Question
	tests := map[string]struct {
		question q
		role     string
		ok       bool
	}{
		"API":             {q{From: "api", Target: "web-1", Action: "take"}, "", true},
		"APIList":         {q{From: "api", Target: "web-1", Action: "list"}, "", true},
		"APIOtherAction":  {q{From: "api", Target: "web-1", Action: "keep"}, "", false},
		"APIOtherTarget":  {q{From: "api", Target: "web-2", Action: "take"}, "", false},
		"APIFoldedTarget": {q{From: "api", Target: "WEB-1", Action: "take"}, "", false},
		"APINoTarget":     {q{From: "api", Action: "take"}, "", false},
		"APINoAction":     {q{From: "api", Target: "web-1"}, "", false},
		"StandardRole":    {q{From: "standard", Target: "web-1", Action: "take"}, "weekly", true},
		"NoCaller":        {q{}, "", false},
		"UnknownSender": {q{From: "wecom", Tenant: "T1", Channel: "C1", Actor: "U1", Target: "web-1", Action: "take"},
			"", false},
		"Slack": {q{From: "slack", Tenant: "T1", Channel: "C2", Actor: "U1", Target: "web-1", Action: "take"},
			"", true},
		"SlackOtherTenant": {q{From: "slack", Tenant: "T2", Channel: "C2", Actor: "U1", Target: "web-1", Action: "take"},
			"", false},
		"SlackNoTenant": {q{From: "slack", Channel: "C2", Actor: "U1", Target: "web-1", Action: "take"}, "", false},
		"SlackFoldedTenant": {q{From: "slack", Tenant: "t1", Channel: "C2", Actor: "U1", Target: "web-1", Action: "take"},
			"", false},
		"SlackOtherChannel": {q{From: "slack", Tenant: "T1", Channel: "C9", Actor: "U1", Target: "web-1", Action: "take"},
			"", false},
		"SlackNoChannel": {q{From: "slack", Tenant: "T1", Actor: "U1", Target: "web-1", Action: "take"}, "", false},
		"SlackOtherActor": {q{From: "slack", Tenant: "T1", Channel: "C2", Actor: "U9", Target: "web-1", Action: "take"},
			"", false},
		"SlackFoldedActor": {q{From: "slack", Tenant: "T1", Channel: "C2", Actor: "u1", Target: "web-1", Action: "take"},
			"", false},
		"SlackNoActor": {q{From: "slack", Tenant: "T1", Channel: "C2", Target: "web-1", Action: "take"}, "", false},
		"SlackAnyChannel": {q{From: "slack", Tenant: "T1", Channel: "C9", Actor: "U2", Target: "web-1", Action: "list"},
			"other", true},
		"SlackAnyActor": {q{From: "slack", Tenant: "T1", Channel: "C3", Actor: "U9", Target: "db-1", Action: "take"},
			"nightly", true},
		"SlackRulesDoNotMix": {q{From: "slack", Tenant: "T1", Channel: "C1", Actor: "U2", Target: "web-1", Action: "take"},
			"", false},
		"SlackWithARepository": {q{From: "slack", Tenant: "T1", Channel: "C2", Actor: "U1", Repository: "a/b",
			Target: "web-1", Action: "take"}, "", false},
		"TenantOfAnotherSender": {q{From: "teams", Tenant: "T1", Target: "web-1", Action: "plan"}, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := p.Permit(test.question)
			want := policy.Grant{}
			if test.ok {
				want = policy.Grant{Target: test.question.Target, Role: test.role}
			}
			if ok != test.ok || got != want {
				t.Errorf("got %+v, %v, want %+v, %v", got, ok, want, test.ok)
			}
		})
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	p := parse(t, callers)
	for name, test := range map[string]struct {
		from, tenant, channel, actor string
		want                         []string
	}{
		"API":          {from: "api", want: []string{"web-1"}},
		"FileOrder":    {"slack", "T1", "C1", "U1", []string{"web-1", "web-2"}},
		"SeveralRules": {"slack", "T1", "C3", "U2", []string{"web-1", "db-1"}},
		"Nothing":      {"slack", "T1", "C9", "U9", nil},
		"OtherTenant":  {"slack", "T2", "C1", "U1", nil},
		"NoCaller":     {},
		"Wildcard":     {"slack", "*", "*", "*", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := p.Visible(test.from, test.tenant, test.channel, test.actor); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

const pipelines = `
targets:
  web-1: {disk: d-1}
  web-2: {disk: d-2}
allow:
  - {from: api, targets: [web-1], actions: [take]}
  - {from: github, repository: Acme/Shop, on: deployment, environments: [production], targets: [web-1]}
  - {from: github, repository: acme/shop, on: push, refs: [refs/heads/main, "refs/tags/v*"], targets: [web-2],
	role: release}
  - {from: github, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1, web-2]}
  - {from: gitlab, tenant: "https://gitlab.example", repository: acme/web/shop, on: pipeline, refs: ["*"],
	targets: [web-1]}
  - {from: github, repository: acme/ops, on: deployment, environments: [production], refs: [refs/heads/main],
	targets: [web-1]}
  - {from: github, repository: acme/ci, on: workflow_run, workflow: .github/workflows/deploy.yml, refs: [refs/heads/main],
	targets: [web-1]}
`

func TestPipeline(t *testing.T) {
	t.Parallel()
	p := parse(t, pipelines)
	type q = policy.Question
	web1 := []policy.Grant{{Target: "web-1"}}
	for name, test := range map[string]struct {
		question q
		want     []policy.Grant
	}{
		"Deployment": {q{From: "github", Repository: "acme/shop", On: "deployment", Environment: "production"},
			web1},
		"DeploymentOfAnyRef": {q{From: "github", Repository: "ACME/shop", On: "deployment", Environment: "production",
			Ref: "v1"}, web1},
		"OtherEnvironment": {q{From: "github", Repository: "acme/shop", On: "deployment", Environment: "Production"},
			nil},
		"LongerEnvironment": {q{From: "github", Repository: "acme/shop", On: "deployment", Environment: "production-2"},
			nil},
		"NoEnvironment": {q{From: "github", Repository: "acme/shop", On: "deployment"}, nil},
		"OtherRepository": {q{From: "github", Repository: "acme/shop2", On: "deployment", Environment: "production"},
			nil},
		"LookAlikeRepository": {q{From: "github", Repository: "acme/\u017fhop", On: "deployment", Environment: "production"},
			nil},
		"OtherSender": {q{From: "gitlab", Repository: "acme/shop", On: "deployment", Environment: "production"},
			nil},
		"FirstRuleNamesRole": {q{From: "github", Repository: "acme/shop", On: "push", Ref: "refs/heads/main"},
			[]policy.Grant{{Target: "web-2", Role: "release"}, {Target: "web-1"}}},
		"Tag": {q{From: "github", Repository: "acme/shop", On: "push", Ref: "refs/tags/v1.0"},
			[]policy.Grant{{Target: "web-2", Role: "release"}}},
		"LookAlikeRef": {q{From: "github", Repository: "acme/shop", On: "push", Ref: "refs/heads/main2"}, nil},
		"RefBehindAnother": {q{From: "github", Repository: "acme/shop", On: "push", Ref: "refs/heads/x/refs/heads/main"},
			nil},
		"ShortRef":   {q{From: "github", Repository: "acme/shop", On: "push", Ref: "main"}, nil},
		"NoRef":      {q{From: "github", Repository: "acme/shop", On: "push"}, nil},
		"OtherEvent": {q{From: "github", Repository: "acme/shop", On: "workflow_run", Ref: "refs/heads/main"}, nil},
		"Workflow": {q{From: "github", Repository: "acme/ci", On: "workflow_run", Ref: "refs/heads/main",
			Workflow: ".github/workflows/deploy.yml"}, web1},
		"WorkflowWithRef": {q{From: "github", Repository: "acme/ci", On: "workflow_run", Ref: "refs/heads/main",
			Workflow: ".github/workflows/deploy.yml@refs/heads/main"}, web1},
		"OtherWorkflow": {q{From: "github", Repository: "acme/ci", On: "workflow_run", Ref: "refs/heads/main",
			Workflow: ".github/workflows/deploy.yml.yml"}, nil},
		"NoWorkflow": {q{From: "github", Repository: "acme/ci", On: "workflow_run", Ref: "refs/heads/main"}, nil},
		"Tenant": {q{From: "gitlab", Tenant: "https://gitlab.example", Repository: "acme/web/shop",
			On: "pipeline", Ref: "refs/heads/x"}, web1},
		"OtherTenant": {q{From: "gitlab", Tenant: "https://gitlab.invalid", Repository: "acme/web/shop",
			On: "pipeline", Ref: "refs/heads/x"}, nil},
		"RefAndEnvironment": {q{From: "github", Repository: "acme/ops", On: "deployment", Environment: "production",
			Ref: "refs/heads/main"}, web1},
		"EnvironmentAlone": {q{From: "github", Repository: "acme/ops", On: "deployment", Environment: "production",
			Ref: "refs/heads/x"}, nil},
		"RulesWithoutPipeline": {q{From: "api"}, nil},
		"NoCaller":             {q{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := p.Pipeline(test.question)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			for _, grant := range test.want {
				test.question.Target, test.question.Action = grant.Target, policy.ActionTake
				if one, ok := p.Permit(test.question); !ok || one != grant {
					t.Errorf("Permit: got %+v, %v, want %+v", one, ok, grant)
				}
				test.question.Action = policy.ActionKeep
				if _, ok := p.Permit(test.question); ok {
					t.Errorf("Permit: a pipeline may keep %s", grant.Target)
				}
			}
		})
	}
}

// The zero policy, and the zero rule in it, allow nothing: whatever is asked.
func TestPermitDeniesByDefault(t *testing.T) {
	t.Parallel()
	words := []string{"", "*", "api", "slack", "github", "web-1", "take", "T1", "a/b", "push"}
	for _, p := range []policy.Policy{{},
		{Allow: []policy.Allow{{Targets: []string{"", "web-1"}, Actions: []policy.Action{"", "take"}}}}} {
		for _, from := range words {
			for _, rest := range words {
				q := policy.Question{From: from, Tenant: rest, Channel: rest, Actor: rest, Target: "web-1", Action: "take"}
				if _, ok := p.Permit(q); ok {
					t.Errorf("%+v is allowed", q)
				}
				q.Repository, q.On, q.Environment, q.Ref = rest, rest, rest, rest
				if grants := p.Pipeline(q); grants != nil {
					t.Errorf("%+v is granted %v", q, grants)
				}
			}
		}
	}
}

// Each field that a rule names matters: whatever one of them is changed to, the grant is gone.
func TestPermitNeedsEveryField(t *testing.T) {
	t.Parallel()
	p := parse(t, callers+`
  - {from: github, repository: acme/shop, on: deployment, environments: [production], refs: [refs/heads/main],
	tenant: T9, targets: [db-1]}
  - {from: feishu, tenant: T9, channels: [C9], actors: [U9], targets: [db-1], actions: [take]}
`)
	granted := []policy.Question{
		{From: "github", Tenant: "T9", Repository: "acme/shop", On: "deployment", Environment: "production",
			Ref: "refs/heads/main", Target: "db-1", Action: "take"},
		{From: "feishu", Tenant: "T9", Channel: "C9", Actor: "U9", Target: "db-1", Action: "take"},
	}
	for _, q := range granted {
		if _, ok := p.Permit(q); !ok {
			t.Fatalf("%+v is not allowed", q)
		}
		fields := reflect.ValueOf(q)
		for i := range fields.NumField() {
			old := fields.Field(i).String()
			if old == "" {
				continue
			}
			for _, change := range []string{"", "*", old + "x", "x" + old, old[1:], " " + old, old + "\x00",
				fmt.Sprint(old, "/", old)} {
				changed := q
				reflect.ValueOf(&changed).Elem().Field(i).SetString(change)
				if _, ok := p.Permit(changed); ok {
					t.Errorf("%s %q is allowed like %q", fields.Type().Field(i).Name, change, old)
				}
			}
		}
	}
}
