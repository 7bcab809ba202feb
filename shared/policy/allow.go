package policy

import (
	"slices"
	"strings"
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
	From string // the sender: api, standard, slack, github, ...

	// Of chat senders. Without Channels the rule is for every channel of the tenant, without Actors for every user.
	Tenant   string // the sender's own scope; never empty for a chat sender, optional for a pipeline
	Channels []string
	Actors   []string

	// Of pipelines. In Refs * matches any run of characters; Environments match exactly.
	Repository   string // owner/name; capitals do not count
	On           string // deployment, workflow_run, push, pipeline
	Environments []string
	Refs         []string // full: refs/heads/main

	Targets []string
	Actions []Action
	Role    string // of the snapshots; "": the only one that the target keeps and no schedule fires
}

// sender is what a rule for one sender may say.
type sender struct {
	keys   []string // beside from
	needed []string // those of them that it must say
	on     []string // the events of a pipeline
}

// senders is every value of from. The hooks of GitLab and Gitee are named as GitHub names its own, where they mean the
// same.
var senders = map[string]sender{
	"api":      machine,
	"standard": machine,
	"slack":    chat,
	"dingtalk": chat,
	"feishu":   chat,
	"wecom":    chat,
	"teams":    chat,
	"github":   pipeline("deployment", "workflow_run", "push"),
	"gitlab":   pipeline("deployment", "pipeline", "push"),
	"gitee":    pipeline("push"),
}

var (
	machine = sender{keys: []string{"targets", "actions", "role"}, needed: []string{"actions"}}
	chat    = sender{
		keys:   []string{"tenant", "channels", "actors", "targets", "actions", "role"},
		needed: []string{"tenant", "actions"},
	}
)

func pipeline(on ...string) sender {
	return sender{
		keys:   []string{"repository", "on", "environments", "refs", "targets", "role", "tenant"},
		needed: []string{"repository", "on"},
		on:     on,
	}
}

// senderNames is the values of from in the order of the documentation.
var senderNames = []string{"api", "slack", "dingtalk", "feishu", "wecom", "teams", "github", "gitlab", "gitee", "standard"}

// allowKeys is every key that a rule of some sender has.
var allowKeys = []string{"from", "tenant", "channels", "actors", "repository", "on", "environments", "refs", "targets", "actions", "role"}

// advice says what to write for a key of allow that is missing.
var advice = map[string]string{
	"tenant":       "name the sender's own scope (Slack team_id, DingTalk corp id, Feishu tenant_key, WeCom CorpID, Teams tenant.id)",
	"actions":      "name some of take, list, plan, keep",
	"repository":   "name it as owner/name",
	"on":           "name the event that takes a snapshot",
	"environments": "a deployment is allowed by its environment; name those that count, such as production",
	"refs":         "a push, workflow_run or pipeline is allowed by its ref; name those that count in full, such as refs/heads/main, or \"*\" for all",
}

// allow reads one rule of allow.
func (r *reader) allow(at place, known []string) Allow {
	keys, ok := r.fields(at, allowKeys...)
	if !ok {
		return Allow{}
	}
	rule := Allow{From: r.choice(keys, "from", senderNames)}
	if _, ok := keys.get("from"); !ok {
		r.missing(keys, "from", "name one of "+strings.Join(senderNames, ", "))
	}
	from, ok := senders[rule.From]
	if !ok {
		return Allow{} // what else it may say depends on who it is for
	}
	for _, name := range allowKeys {
		if field, ok := keys.get(name); ok && name != "from" && !slices.Contains(from.keys, name) {
			r.fail(field, "makes no sense for %s: use from, %s", rule.From, strings.Join(from.keys, ", "))
			delete(keys.byName, name)
		}
	}
	for _, name := range from.needed {
		r.need(keys, name)
	}
	rule.Tenant = r.optional(keys, "tenant", noWildcard, wildcardDefect)
	rule.Channels = r.texts(keys, "channels", noWildcard, wildcardDefect)
	rule.Actors = r.texts(keys, "actors", noWildcard, wildcardDefect)
	rule.Targets = r.targetNames(keys, known)
	rule.Role = r.role(keys)
	if from.on == nil {
		for _, action := range r.texts(keys, "actions", validAction, "is none of take, list, plan, keep") {
			rule.Actions = append(rule.Actions, Action(action))
		}
		return rule
	}
	rule.Actions = []Action{ActionTake}
	rule.Repository = r.optional(keys, "repository", validRepository, "is not a repository: write owner/name, without wildcards")
	rule.On = r.choice(keys, "on", from.on)
	switch environments, given := keys.get("environments"); {
	case rule.On == "": // reported
	case rule.On == "deployment":
		r.need(keys, "environments")
	default:
		r.need(keys, "refs")
		if given {
			r.fail(environments, "makes no sense on %s, which has no environment: use refs", rule.On)
			delete(keys.byName, "environments")
		}
	}
	rule.Environments = r.texts(keys, "environments", noWildcard, wildcardDefect)
	rule.Refs = r.texts(keys, "refs", validRef, "is not a full ref: write one such as refs/heads/main or refs/tags/v*, or \"*\" for all")
	return rule
}

// need reports a key that the rule must have.
func (r *reader) need(keys fields, name string) {
	if _, ok := keys.get(name); !ok {
		r.missing(keys, name, advice[name])
	}
}

const wildcardDefect = "is a wildcard, which matches nothing here: name what you mean"

func noWildcard(text string) bool { return text != "*" }

func validAction(text string) bool {
	switch Action(text) {
	case ActionTake, ActionList, ActionPlan, ActionKeep:
		return true
	}
	return false
}

// validRepository reports whether text is a path of at least two names. Its characters are ASCII, as those of GitHub,
// GitLab and Gitee are, so that nothing that only looks like it can be meant.
func validRepository(text string) bool {
	names := strings.Split(text, "/")
	for _, name := range names {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool {
			return c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
		}) {
			return false
		}
	}
	return len(names) >= 2
}

func validRef(text string) bool { return text == "*" || strings.HasPrefix(text, "refs/") }
