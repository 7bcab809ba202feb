package policy_test

import (
	"testing"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

func TestMachine(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse([]byte(`region: cn-hangzhou
targets: {web-1: {disk: d-1}, db-1: {disk: d-2}}
allow:
  - {from: api, targets: [web-1], actions: [take]}
  - {from: standard, targets: [web-1], actions: [take], role: daily}
`), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from, target string
		action       policy.Action
		asked        string
		role, code   string
	}{
		"api":               {"api", "web-1", policy.ActionTake, "", "manual", ""},
		"own role":          {"api", "web-1", policy.ActionTake, "weekly", "weekly", ""},
		"role of the rule":  {"standard", "web-1", policy.ActionTake, "", "daily", ""},
		"same role":         {"standard", "web-1", policy.ActionTake, "daily", "daily", ""},
		"another role":      {"standard", "web-1", policy.ActionTake, "deploy", "", snapshot.CodeNotAllowed},
		"another action":    {"api", "web-1", policy.ActionPlan, "", "", snapshot.CodeNotAllowed},
		"another target":    {"api", "db-1", policy.ActionTake, "", "", snapshot.CodeNotAllowed},
		"no such target":    {"api", "web-9", policy.ActionTake, "", "", snapshot.CodeUnknownTarget},
		"no target":         {"api", "", policy.ActionTake, "", "", snapshot.CodeInvalidOrder},
		"no rule for these": {"slack", "web-1", policy.ActionTake, "", "", snapshot.CodeNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grant, refused := p.Machine(c.from, c.target, c.action)
			role := ""
			if refused == nil {
				role, refused = grant.RoleOf(c.from, c.asked)
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
	if role, _ := (policy.Grant{}).RoleOf("standard", ""); role != snapshot.RoleDeploy {
		t.Errorf("a pipeline takes with role %s", role)
	}
}
