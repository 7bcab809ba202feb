package webhook

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// github takes events of repositories and organisations.
//
// Rules: docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries and /webhooks/webhook-events-and-payloads.
type github struct{ secrets []string }

func openGitHub(secrets Secrets) (sender, error) {
	values, err := secrets.read(envGitHub)
	return github{values}, err
}

// verify reads X-Hub-Signature-256 alone: GitHub sends a SHA-1 as well, which proves less.
func (g github) verify(r *request) error {
	return checkSignature(g.secrets, r.one("X-Hub-Signature-256"), func(secret string) string {
		return "sha256=" + hexHMAC(secret, r.body)
	})
}

// githubRun is a run of GitHub Actions. A run of a fork or for a pull request runs code that is not merged.
type githubRun struct {
	ID             int64             `json:"id"`
	RunAttempt     int64             `json:"run_attempt"`
	Event          string            `json:"event"`
	HeadBranch     string            `json:"head_branch"`
	HeadSHA        string            `json:"head_sha"`
	RunStartedAt   *time.Time        `json:"run_started_at"`
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

// strange says why a run must not act for a repository, or "". GitHub's schema lets the run of a deployment lack its
// head_repository.
func (run githubRun) strange(of githubRepository) string {
	head := run.HeadRepository
	switch {
	case strings.HasPrefix(run.Event, "pull_request"):
		return "the run is for a pull request"
	case head != nil && (head.ID != of.ID || !strings.EqualFold(head.FullName, of.FullName)):
		return "the run is of a fork"
	}
	return ""
}

// strangeAlone says why a run that speaks for itself, not for a deployment, must not act for a repository, or "".
func (run githubRun) strangeAlone(of githubRepository) string {
	switch {
	case run.Event == "merge_group" || run.Event == "issue_comment": // their branch does not tell what they run
		return "the run is for a merge queue or a comment"
	case run.HeadRepository == nil:
		return "the run may be of a fork: head_repository is missing"
	}
	return run.strange(of)
}

type githubEvent struct {
	Action     string           `json:"action"`
	Repository githubRepository `json:"repository"`
	Sender     struct {
		Login string `json:"login"`
	} `json:"sender"`
	Deployment *struct {
		ID          int64      `json:"id"`
		SHA         string     `json:"sha"`
		Ref         string     `json:"ref"`
		Environment string     `json:"environment"`
		CreatedAt   *time.Time `json:"created_at"`
	} `json:"deployment"`
	WorkflowRun *githubRun `json:"workflow_run"`
	Ref         string     `json:"ref"`
	Before      string     `json:"before"`
	After       string     `json:"after"`
	Deleted     bool       `json:"deleted"`
}

func (github) parse(r *request) (inbound, error) {
	kind := r.one("X-Github-Event")
	if kind == "" {
		return nil, malformed("the header X-GitHub-Event is missing")
	}
	if kind != onDeployment && kind != onWorkflowRun && kind != onPush {
		return ignored(fmt.Sprintf("the event %s is not used", plain(kind))), nil
	}
	var e githubEvent
	if err := decodeJSON(r.plain, &e); err != nil {
		return nil, err
	}
	p := pipeline{
		on: kind, repository: e.Repository.FullName, tenant: number(e.Repository.ID), actor: e.Sender.Login,
	}
	if e.Repository.ID == 0 || e.Repository.FullName == "" {
		return nil, malformed("field repository is missing")
	}
	switch kind {
	case onDeployment:
		return e.deployment(p)
	case onWorkflowRun:
		return e.workflowRun(p)
	default:
		p.ref, p.before, p.sha, p.time = e.Ref, e.Before, e.After, e.Repository.PushedAt.Time
		return p.push(e.Deleted)
	}
}

func (e githubEvent) deployment(p pipeline) (inbound, error) {
	d := e.Deployment
	if d == nil || d.ID == 0 {
		return nil, malformed("field deployment is missing")
	}
	if e.Action != "created" {
		return ignored("only created deployments are used"), nil
	}
	if e.WorkflowRun != nil {
		if why := e.WorkflowRun.strange(e.Repository); why != "" {
			return ignored(why), nil
		}
	}
	p.environment, p.ref, p.sha = d.Environment, d.Ref, d.SHA
	p.key, p.time = snapshot.ComposedKey("deployment", number(d.ID)), timeOf(d.CreatedAt)
	return p.deployment(), nil
}

// workflowRun takes the snapshot when a run is requested. Its later events may come after the deployment.
func (e githubEvent) workflowRun(p pipeline) (inbound, error) {
	run := e.WorkflowRun
	if run == nil || run.ID == 0 {
		return nil, malformed("field workflow_run is missing")
	}
	if why := run.strangeAlone(e.Repository); why != "" {
		return ignored(why), nil
	}
	switch {
	case e.Action != "requested":
		return ignored("only requested runs are used"), nil
	case run.HeadBranch == "":
		return ignored("the run has no branch"), nil
	}
	p.ref, p.sha = "refs/heads/"+run.HeadBranch, run.HeadSHA
	p.key = snapshot.ComposedKey("run", number(run.ID), number(cmp.Or(run.RunAttempt, 1)))
	p.time = timeOf(run.RunStartedAt)
	return p, nil
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
