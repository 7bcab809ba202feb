package policy

import (
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// Action is what a caller asks for over HTTP.
type Action string

// The actions of allow. A pipeline's rule names none: it may take.
const (
	ActionTake Action = "take" // take a snapshot
	ActionList Action = "list" // see the snapshots of a target, and the status of one
	ActionPlan Action = "plan" // see what the next sweep keeps and deletes
	ActionKeep Action = "keep" // pin and unpin a snapshot
)

// Allow is one rule of allow: it grants, and nothing else does.
type Allow struct {
	From string `yaml:"from" check:"sender"` // api, standard, slack, github, ...

	// Of chat senders. Without Channels the rule is for every channel of the tenant, without Actors for every user.
	Tenant   string   `yaml:"tenant" check:"name"` // the sender's own scope; never empty for a chat sender
	Channels []string `yaml:"channels" check:"name"`
	Actors   []string `yaml:"actors" check:"name"`

	// Of pipelines, which may have a Tenant, too. In Refs * matches any run of characters; Environments match exactly.
	Repository   string   `yaml:"repository" check:"repository"` // owner/name; capitals do not count
	On           string   `yaml:"on"`                            // deployment, workflow_run, push, pipeline
	Workflow     string   `yaml:"workflow" check:"name"`         // of a workflow_run: its file, as GitHub names it; "": any
	Environments []string `yaml:"environments" check:"name"`
	Refs         []string `yaml:"refs" check:"ref"` // full: refs/heads/main

	Targets []string `yaml:"targets" check:"target"`
	Actions []Action `yaml:"actions" check:"action"`
	// Role is that of the snapshots; empty: the only one that the target keeps and no schedule fires.
	Role string `yaml:"role" check:"role"`
}

// senderKind is one value of from, and what its rules may say.
type senderKind struct {
	name   string
	keys   []string
	needed []string // those of keys that every rule must have
	on     []string // the events of a pipeline
}

// senders is every value of from in the order of the documentation. The events of GitLab and Gitee have the names that
// GitHub gives to its own, where they mean the same.
var senders = []senderKind{
	machine("api"), chat("slack"), chat("dingtalk"), chat("feishu"), chat("wecom"), chat("teams"),
	pipeline("github", "deployment", "workflow_run", "push"),
	pipeline("gitlab", "deployment", "pipeline", "push"),
	pipeline("gitee", "push"),
	machine("standard"),
}

func machine(name string) senderKind {
	return senderKind{name: name, needed: []string{"actions", "targets"},
		keys: []string{"from", "targets", "actions", "role"}}
}

func chat(name string) senderKind {
	return senderKind{name: name, needed: []string{"tenant", "actions", "targets"},
		keys: []string{"from", "tenant", "channels", "actors", "targets", "actions", "role"}}
}

func pipeline(name string, on ...string) senderKind {
	return senderKind{name: name, needed: []string{"repository", "on", "targets"}, on: on,
		keys: []string{"from", "repository", "on", "workflow", "environments", "refs", "targets", "role", "tenant"}}
}

// senderNames returns every value of from.
func senderNames() []string {
	names := make([]string, len(senders))
	for i, one := range senders {
		names[i] = one.name
	}
	return names
}

// advice says what to write for a key of allow that is missing.
var advice = map[string]string{
	"targets": "name the targets that the rule is about",
	"tenant": "name the sender's own scope (Slack team_id, DingTalk corp id, Feishu tenant_key, " +
		"WeCom CorpID, Teams tenant.id)",
	"actions":      "name some of take, list, plan, keep",
	"repository":   "name it as owner/name",
	"on":           "name the event that takes a snapshot",
	"environments": "a deployment is allowed by its environment; name those that count, such as production",
	"refs": "a push, workflow_run or pipeline is allowed by its ref; name those that count in full, " +
		"such as refs/heads/main, or \"*\" for all",
}

// allow reads one rule of allow.
func (r *reader) allow(at field) Allow {
	var rule Allow
	name := r.text(at.get("from"), "sender")
	i := slices.IndexFunc(senders, func(s senderKind) bool { return s.name == name })
	if i < 0 { // what else is needed depends on the sender
		r.decode(at, &rule)
		r.need(at, "from", "name one of "+strings.Join(senderNames(), ", "))
		return Allow{}
	}
	from := senders[i]
	r.decode(at, &rule, from.keys...)
	for _, name := range from.needed {
		r.need(at, name, advice[name])
	}
	if from.on == nil {
		return rule
	}
	rule.Actions = []Action{ActionTake}
	if workflow := at.get("workflow"); workflow.exists() && (from.name != "github" || rule.On != "workflow_run") {
		r.fail(workflow, "makes no sense here: only on: workflow_run of github has a workflow")
	}
	environments := at.get("environments")
	switch {
	case rule.On == "": // reported
	case !slices.Contains(from.on, rule.On):
		r.fail(at.get("on"), "%s %s", snapshot.Quote(at.get("on").node.Value), oneOf(from.on...).defect)
	case rule.On == "deployment":
		r.need(at, "environments", advice["environments"])
	default:
		r.need(at, "refs", advice["refs"])
		if environments.exists() {
			r.fail(environments, "makes no sense on %s, which has no environment: use refs", rule.On)
		}
	}
	return rule
}
