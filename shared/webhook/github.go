package webhook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const envGitHub = "GITHUB_WEBHOOK_SECRET"

// github sends events of repositories and organisations.
//
// Rules: docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries and
// docs.github.com/webhooks/webhook-events-and-payloads.
var github = sender{
	name: "github", variables: []variable{{envGitHub, plainForm}},
	headers: []string{"X-Hub-Signature-256"}, media: []string{mediaJSON},
	budget: budgetLong,
	verify: verifyGitHub, parse: parseGitHub, sample: sampleGitHub,
}

// verifyGitHub reads X-Hub-Signature-256 alone: GitHub sends a SHA-1 as well, which proves less.
func verifyGitHub(k keyring, r *request) error {
	return checkSignature(k[envGitHub], r.one("X-Hub-Signature-256"), func(key string) string {
		return githubSignature(key, r.body)
	})
}

func githubSignature(key, body string) string { return "sha256=" + hexHMAC(key, body) }

func parseGitHub(r *request) (inbound, error) {
	on := r.one("X-Github-Event")
	if on == "" {
		return nil, malformed("the header X-GitHub-Event is missing")
	}
	if on != onDeployment && on != onWorkflowRun && on != onPush {
		return ignored(fmt.Sprintf("the event %s is not used", plain(on))), nil
	}
	d, err := decodeJSON(r.plain)
	if err != nil {
		return nil, err
	}
	e := pipelineEvent{
		on: on, repository: d.required("repository.full_name"), tenant: d.id("repository.id"),
		actor: d.text("sender.login"),
	}
	var in inbound
	switch on {
	case onDeployment:
		in = e.githubDeployment(d)
	case onWorkflowRun:
		in = e.githubRun(d)
	default:
		e.time = githubPushTime(d.value("repository.pushed_at"))
		in = e.push(d, d.flag("deleted"))
	}
	return in, d.err
}

func (e pipelineEvent) githubDeployment(d *document) inbound {
	id, why := d.id("deployment.id"), unmergedRun(d)
	switch {
	case d.text("action") != "created":
		return ignored("only created deployments are used")
	case why != "":
		return ignored(why)
	}
	e.environment, e.ref, e.sha = d.text("deployment.environment"), d.text("deployment.ref"), d.text("deployment.sha")
	e.time = d.time("deployment.created_at")
	return e.deployment(id)
}

// githubRun takes the snapshot when a run is requested. Its later events may come after the deployment.
func (e pipelineEvent) githubRun(d *document) inbound {
	id, event, branch := d.id("workflow_run.id"), d.text("workflow_run.event"), d.text("workflow_run.head_branch")
	why := unmergedRun(d)
	switch {
	case event == "merge_group" || event == "issue_comment": // their branch does not say what they run
		return ignored("the run is for a merge queue or a comment")
	case !d.has("workflow_run.head_repository"):
		return ignored("the run may be of a fork: head_repository is missing")
	case why != "":
		return ignored(why)
	case d.text("action") != "requested":
		return ignored("only requested runs are used")
	case branch == "":
		return ignored("the run has no branch")
	}
	e.ref, e.sha, e.time = "refs/heads/"+branch, d.text("workflow_run.head_sha"), d.time("workflow_run.run_started_at")
	e.workflow = d.text("workflow_run.path")
	e.key = snapshot.ComposedKey("run", id, number(cmp.Or(d.number("workflow_run.run_attempt"), 1)))
	return e
}

// unmergedRun says why the run of GitHub Actions in an event, if there is one, must not act for the repository, or "".
// A run of a fork or for a pull request runs code that is not merged. GitHub's schema lets the run of a deployment lack
// its head_repository.
func unmergedRun(d *document) string {
	const head, own = "workflow_run.head_repository", "repository"
	fork := d.number(head+".id") != d.number(own+".id") ||
		!strings.EqualFold(d.text(head+".full_name"), d.text(own+".full_name"))
	switch {
	case strings.HasPrefix(d.text("workflow_run.event"), "pull_request"):
		return "the run is for a pull request"
	case d.has(head) && fork:
		return "the run is of a fork"
	}
	return ""
}

// githubPushTime reads a time as seconds since 1970 or as RFC 3339; what it cannot read has no time.
func githubPushTime(value any) time.Time {
	switch value := value.(type) {
	case json.Number:
		if seconds, err := value.Int64(); err == nil && seconds > 0 {
			return time.Unix(seconds, 0)
		}
	case string:
		at, _ := time.Parse(time.RFC3339, value)
		return at
	}
	return time.Time{}
}

func sampleGitHub(s sampler) Sample {
	repository := fields{"id": 1296269, "full_name": s.rule.Repository}
	body := fields{"repository": repository, "sender": fields{"login": "ana"}}
	switch s.rule.On {
	case onDeployment:
		body["action"] = "created"
		body["deployment"] = fields{
			"id": s.number(), "sha": s.sha(), "ref": s.branch(), "environment": s.environment(),
			"created_at": s.rfc3339(),
		}
	case onWorkflowRun:
		body["action"] = "requested"
		body["workflow_run"] = fields{
			"id": s.number(), "run_attempt": 1, "event": "push", "head_branch": s.branch(), "head_sha": s.sha(),
			"head_repository": repository, "path": cmp.Or(s.rule.Workflow, ".github/workflows/deploy.yml"),
		}
	default:
		body["ref"], body["before"], body["after"], body["deleted"] = s.ref(), s.before(), s.sha(), false
	}
	text := encoded(body)
	return newSample(mediaJSON, text, "X-GitHub-Event", s.rule.On, "X-GitHub-Delivery", s.id,
		"X-Hub-Signature-256", githubSignature(s.key(envGitHub), text))
}
