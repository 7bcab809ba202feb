package policy_test

import (
	"strings"
	"testing"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

func TestMachine(t *testing.T) {
	t.Parallel()
	p := parse(t, `schedule: {daily: 0 3 * * *}
targets:
  web-1: {disk: d-1}
  db-1: {disk: d-2, keep: {daily: 1, deploy: 1}}
  bare-1: {disk: d-3}
allow:
  - {from: api, targets: [web-1, db-1], actions: [take]}
  - {from: standard, targets: [web-1, db-1], actions: [take], role: daily}
`)
	for name, c := range map[string]struct {
		from, target string
		action       policy.Action
		asked        string
		role, code   string
	}{
		"no role":           {"api", "web-1", policy.ActionTake, "", "", ""},
		"any role":          {"api", "web-1", policy.ActionTake, "weekly", "weekly", ""},
		"kept, no role":     {"api", "db-1", policy.ActionTake, "", "", ""},
		"kept, not fired":   {"api", "db-1", policy.ActionTake, "deploy", "deploy", ""},
		"kept, fired":       {"api", "db-1", policy.ActionTake, "daily", "", snapshot.CodeNotAllowed},
		"for the core":      {"api", "db-1", policy.ActionTake, "weekly", "weekly", ""},
		"role of the rule":  {"standard", "db-1", policy.ActionTake, "", "daily", ""},
		"same role":         {"standard", "web-1", policy.ActionTake, "daily", "daily", ""},
		"another role":      {"standard", "web-1", policy.ActionTake, "deploy", "", snapshot.CodeNotAllowed},
		"another action":    {"api", "web-1", policy.ActionPlan, "", "", snapshot.CodeNotAllowed},
		"another target":    {"api", "bare-1", policy.ActionTake, "", "", snapshot.CodeNotAllowed},
		"no such target":    {"api", "web-9", policy.ActionTake, "", "", snapshot.CodeUnknownTarget},
		"no target":         {"api", "", policy.ActionTake, "", "", snapshot.CodeInvalidOrder},
		"no rule for these": {"slack", "web-1", policy.ActionTake, "", "", snapshot.CodeNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grant, refused := p.Machine(c.from, c.target, c.action)
			role := ""
			if refused == nil {
				role, refused = p.RoleOf(grant, c.asked)
			}
			code := ""
			if refused != nil {
				code = refused.Code
			}
			if role != c.role || code != c.code {
				t.Errorf("got %q, %v, want %q, %s", role, refused, c.role, c.code)
			}
		})
	}
	if _, refused := p.RoleOf(policy.Grant{Target: "db-1"}, "daily"); !strings.Contains(refused.Message, "(deploy)") {
		t.Errorf("got %v, want the role that is left", refused)
	}
}

// TestTakers: what may take at a target besides the schedule.
func TestTakers(t *testing.T) {
	t.Parallel()
	const rules = `schedule: {daily: 0 3 * * *}
targets:
  a: {disk: d-1, keep: {daily: 1, deploy: 1}}
  b: {disk: d-2}
allow:
`
	for name, c := range map[string]struct {
		rules string
		a, b  string // the roles of daily, deploy that a rule takes there
	}{
		"List":     {"  - {from: api, targets: [a], actions: [list, plan, keep]}", "", ""},
		"Take":     {"  - {from: api, targets: [a], actions: [list, take]}", "deploy", ""},
		"Both":     {"  - {from: api, targets: [a, b], actions: [take]}", "deploy", "daily deploy"},
		"Chat":     {"  - {from: teams, tenant: t, targets: [b], actions: [take], role: daily}", "", "daily"},
		"Pipeline": {"  - {from: gitee, repository: a/b, on: push, refs: ['*'], targets: [a]}", "deploy", ""},
		"RoleOfPipeline": {"  - {from: gitee, repository: a/b, on: push, refs: ['*'], targets: [a], role: daily}", "daily",
			""},
		"Events": {"  - {from: api, targets: [a], actions: [list]}\nevents:\n" +
			"  - {source: x, targets: [b]}\n  - {source: y, targets: [a], role: daily}", "daily", "daily deploy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, rules+c.rules)
			for target, want := range map[string]string{"a": c.a, "b": c.b} {
				var taken []string
				for _, role := range []string{"daily", "deploy"} {
					if p.TakenBy(target, role) {
						taken = append(taken, role)
					}
				}
				if got := strings.Join(taken, " "); got != want || p.ScheduleOnly(target) != (want == "") {
					t.Errorf("%s: got %q, schedule only: %v; want %q", target, got, p.ScheduleOnly(target), want)
				}
			}
		})
	}
}
