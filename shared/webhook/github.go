package webhook

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const envGitHub = "GITHUB_WEBHOOK_SECRET"

// github sends events of repositories and organisations.
//
// Rules: docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries and /webhooks/webhook-events-and-payloads.
var github = sender{
	name:      "github",
	variables: []variable{{envGitHub, plainForm}},
	headers:   []string{"X-Hub-Signature-256"},
	media:     []string{mediaJSON},
	budget:    budgetLong,
	verify:    verifyGitHub,
	parse:     parseGitHub,
	sample:    sampleGitHub,
}

// verifyGitHub reads X-Hub-Signature-256 alone: GitHub sends a SHA-1 as well, which proves less.
func verifyGitHub(k keyring, r *request) error {
	return checkSignature(k[envGitHub], r.one("X-Hub-Signature-256"), func(key string) string {
		return githubSignature(key, r.body)
	})
}

func githubSignature(key, body string) string { return "sha256=" + hexHMAC(key, body) }

// githubRun is a run of GitHub Actions. A run of a fork or for a pull request runs code that is not merged.
type githubRun struct {
	ID             int64             `json:"id"`
	RunAttempt     int64             `json:"run_attempt"`
	Event          string            `json:"event"`
	HeadBranch     string            `json:"head_branch"`
	HeadSHA        string            `json:"head_sha"`
	RunStartedAt   time.Time         `json:"run_started_at"`
	HeadRepository *githubRepository `json:"head_repository"`
}

type githubRepository struct {
	ID       int64      `json:"id"`
	FullName string     `json:"full_name"`
	PushedAt githubTime `json:"pushed_at"`
}

// githubTime is a time as RFC 3339 or, in pushes, as seconds since 1970; what cannot be read has no time.
type githubTime struct{ time.Time }

// UnmarshalJSON reads either form.
func (t *githubTime) UnmarshalJSON(text []byte) error {
	if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil && seconds > 0 {
		t.Time = time.Unix(seconds, 0)
	} else if t.Time.UnmarshalJSON(text) != nil {
		t.Time = time.Time{}
	}
	return nil
}

// unmerged says why a run must not act for a repository, or "". GitHub's schema lets the run of a deployment lack its
// head_repository.
func (run githubRun) unmerged(in githubRepository) string {
	head := run.HeadRepository
	switch {
	case strings.HasPrefix(run.Event, "pull_request"):
		return "the run is for a pull request"
	case head != nil && (head.ID != in.ID || !strings.EqualFold(head.FullName, in.FullName)):
		return "the run is of a fork"
	}
	return ""
}

type githubEvent struct {
	Action     string           `json:"action"`
	Repository githubRepository `json:"repository"`
	Sender     struct {
		Login string `json:"login"`
	} `json:"sender"`
	Deployment *struct {
		ID          int64     `json:"id"`
		SHA         string    `json:"sha"`
		Ref         string    `json:"ref"`
		Environment string    `json:"environment"`
		CreatedAt   time.Time `json:"created_at"`
	} `json:"deployment"`
	WorkflowRun *githubRun `json:"workflow_run"`
	Ref         string     `json:"ref"`
	Before      string     `json:"before"`
	After       string     `json:"after"`
	Deleted     bool       `json:"deleted"`
}

func parseGitHub(r *request) (inbound, error) {
	on := r.one("X-Github-Event")
	if on == "" {
		return nil, malformed("the header X-GitHub-Event is missing")
	}
	if on != onDeployment && on != onWorkflowRun && on != onPush {
		return ignored(fmt.Sprintf("the event %s is not used", plain(on))), nil
	}
	var body githubEvent
	if err := decodeJSON(r.plain, &body); err != nil {
		return nil, err
	}
	if body.Repository.ID == 0 || body.Repository.FullName == "" {
		return nil, malformed("field repository is missing")
	}
	e := pipelineEvent{
		on: on, repository: body.Repository.FullName, tenant: number(body.Repository.ID), actor: body.Sender.Login,
	}
	switch on {
	case onDeployment:
		return body.deployment(e)
	case onWorkflowRun:
		return body.workflowRun(e)
	default:
		e.ref, e.before, e.sha, e.time = body.Ref, body.Before, body.After, body.Repository.PushedAt.Time
		return e.push(body.Deleted)
	}
}

func (g githubEvent) deployment(e pipelineEvent) (inbound, error) {
	d := g.Deployment
	if d == nil || d.ID == 0 {
		return nil, malformed("field deployment is missing")
	}
	if g.Action != "created" {
		return ignored("only created deployments are used"), nil
	}
	if g.WorkflowRun != nil {
		if why := g.WorkflowRun.unmerged(g.Repository); why != "" {
			return ignored(why), nil
		}
	}
	e.environment, e.ref, e.sha, e.time = d.Environment, d.Ref, d.SHA, d.CreatedAt
	return e.deployment(d.ID), nil
}

// workflowRun takes the snapshot when a run is requested. Its later events may come after the deployment.
func (g githubEvent) workflowRun(e pipelineEvent) (inbound, error) {
	run := g.WorkflowRun
	if run == nil || run.ID == 0 {
		return nil, malformed("field workflow_run is missing")
	}
	unmerged := run.unmerged(g.Repository)
	switch {
	case run.Event == "merge_group" || run.Event == "issue_comment": // their branch does not say what they run
		return ignored("the run is for a merge queue or a comment"), nil
	case run.HeadRepository == nil:
		return ignored("the run may be of a fork: head_repository is missing"), nil
	case unmerged != "":
		return ignored(unmerged), nil
	case g.Action != "requested":
		return ignored("only requested runs are used"), nil
	case run.HeadBranch == "":
		return ignored("the run has no branch"), nil
	}
	e.ref, e.sha, e.time = "refs/heads/"+run.HeadBranch, run.HeadSHA, run.RunStartedAt
	e.key = snapshot.ComposedKey("run", number(run.ID), number(cmp.Or(run.RunAttempt, 1)))
	return e, nil
}

func sampleGitHub(s sampler) Sample {
	repository := fields{"id": 1296269, "full_name": s.rule.Repository}
	body := fields{"repository": repository, "sender": fields{"login": "ana"}}
	switch s.rule.On {
	case onDeployment:
		body["action"] = "created"
		body["deployment"] = fields{
			"id": s.number(), "sha": s.sha(), "ref": s.branch(), "environment": s.environment(), "created_at": s.rfc3339(),
		}
	case onWorkflowRun:
		body["action"] = "requested"
		body["workflow_run"] = fields{
			"id": s.number(), "run_attempt": 1, "event": "push", "head_branch": s.branch(), "head_sha": s.sha(),
			"head_repository": repository,
		}
	default:
		body["ref"], body["before"], body["after"], body["deleted"] = s.ref(), s.before(), s.sha(), false
	}
	text := encoded(body)
	return newSample(mediaJSON, text, "X-GitHub-Event", s.rule.On, "X-GitHub-Delivery", s.id,
		"X-Hub-Signature-256", githubSignature(s.key(envGitHub), text))
}
