package webhook

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const (
	envGitLabSigning = "GITLAB_SIGNING_TOKEN"
	envGitLabToken   = "GITLAB_TOKEN"
)

// gitlab sends events of projects and groups.
//
// With a signing token, only a signature counts, as Standard Webhooks specifies: the old token, which any replay carries,
// is no way around it. Rules: docs.gitlab.com/user/project/integrations/webhooks and /webhook_events.
var gitlab = sender{
	name:      "gitlab",
	variables: []variable{{envGitLabSigning, standardForm}, {envGitLabToken, plainForm}},
	needs:     needsFirst,
	headers:   []string{"X-Gitlab-Token", headerID, headerTime, headerSignature},
	media:     []string{mediaJSON},
	budget:    budgetLong,
	forgive:   true,
	verify:    verifyGitLab,
	parse:     parseGitLab,
	sample:    sampleGitLab,
}

func verifyGitLab(k keyring, r *request) error {
	if signing := k[envGitLabSigning]; len(signing) > 0 {
		return verifyStandard(signing, r)
	}
	if !equalsAny(k[envGitLabToken], r.one("X-Gitlab-Token")) {
		return refuse("the token is missing or does not match")
	}
	return nil
}

type gitlabEvent struct {
	Kind    string `json:"object_kind"`
	Project struct {
		ID     int64  `json:"id"`
		Path   string `json:"path_with_namespace"`
		WebURL string `json:"web_url"`
	} `json:"project"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	UserUsername string `json:"user_username"`

	// Deployment
	DeploymentID    int64  `json:"deployment_id"`
	Status          string `json:"status"`
	StatusChangedAt string `json:"status_changed_at"`
	Environment     string `json:"environment"`
	Ref             string `json:"ref"` // of a push as well
	ShortSHA        string `json:"short_sha"`

	// Pipeline
	Attributes struct {
		ID         int64   `json:"id"`
		Ref        string  `json:"ref"`
		Tag        bool    `json:"tag"`
		SHA        string  `json:"sha"`
		Source     string  `json:"source"`
		Status     string  `json:"status"`
		CreatedAt  string  `json:"created_at"`
		FinishedAt string  `json:"finished_at"` // null before the first end
		Duration   float64 `json:"duration"`    // null before the first end or stop at a manual job
	} `json:"object_attributes"`
	MergeRequest *struct{} `json:"merge_request"`

	// Push
	Before string `json:"before"`
	After  string `json:"after"`
}

func parseGitLab(r *request) (inbound, error) {
	var head struct {
		Kind string `json:"object_kind"`
	}
	if err := decodeJSON(r.plain, &head); err != nil {
		return nil, err
	}
	switch head.Kind {
	case "deployment", "pipeline", "push", "tag_push":
	default: // their fields have types of their own
		return ignored(fmt.Sprintf("the event %s is not used", plain(head.Kind))), nil
	}
	var body gitlabEvent
	if err := decodeJSON(r.plain, &body); err != nil {
		return nil, err
	}
	if body.Project.ID == 0 || body.Project.Path == "" {
		return nil, malformed("field project is missing")
	}
	e := pipelineEvent{repository: body.Project.Path, tenant: number(body.Project.ID), actor: body.User.Username}
	if site, err := url.Parse(body.Project.WebURL); err == nil && site.Host != "" {
		e.tenant = site.Host + "/" + e.tenant // two instances may have the same numbers
	}
	switch body.Kind {
	case "deployment":
		return body.deployment(e)
	case "pipeline":
		return body.pipeline(e)
	default:
		e.on, e.ref, e.before, e.sha, e.actor = onPush, body.Ref, body.Before, body.After, body.UserUsername
		return e.push(false)
	}
}

// deployment takes the snapshot when a deployment starts: running is the first status of which GitLab sends an event for
// each. A deployment that is blocked may start days later, and all others are ends.
func (g gitlabEvent) deployment(e pipelineEvent) (inbound, error) {
	if g.DeploymentID == 0 {
		return nil, malformed("field deployment_id is missing")
	}
	if g.Status != "running" {
		return ignored("only running deployments are used"), nil
	}
	e.on, e.environment, e.ref, e.sha = onDeployment, g.Environment, g.Ref, g.ShortSHA
	e.time = gitlabTime(g.StatusChangedAt)
	return e.deployment(g.DeploymentID), nil
}

// pipeline takes the snapshot when a pipeline starts. All of created, pending and running mean the same order, as any of
// them may be the first; a pipeline is also running when it goes on after a manual job or is retried, which is no start.
func (g gitlabEvent) pipeline(e pipelineEvent) (inbound, error) {
	a := g.Attributes
	switch {
	case a.ID == 0:
		return nil, malformed("field object_attributes is missing")
	case g.MergeRequest != nil || strings.Contains(a.Source, "merge_request") || strings.Contains(a.Source, "pull_request"):
		return ignored("the pipeline is for a merge request"), nil
	case strings.HasPrefix(a.Ref, "refs/"):
		return ignored("the pipeline is of neither a branch nor a tag"), nil
	case a.Status != "created" && a.Status != "pending" && a.Status != "running":
		return ignored("only created, pending and running pipelines are used"), nil
	case a.FinishedAt != "" || a.Duration > 0:
		return ignored("the pipeline has started before"), nil
	}
	e.on, e.ref, e.sha, e.time = onPipeline, "refs/heads/"+a.Ref, a.SHA, gitlabTime(a.CreatedAt)
	if a.Tag {
		e.ref = "refs/tags/" + a.Ref
	}
	e.key = snapshot.ComposedKey("pipeline", number(a.ID))
	return e, nil
}

// gitlabTime reads the two forms of GitLab's times; what it cannot read has no time.
func gitlabTime(text string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

func sampleGitLab(s sampler) Sample {
	body := fields{"project": fields{
		"id": 15, "path_with_namespace": s.rule.Repository, "web_url": "https://gitlab.com/" + s.rule.Repository,
	}}
	switch s.rule.On {
	case onDeployment:
		body["object_kind"], body["status"], body["deployment_id"] = "deployment", "running", s.number()
		body["environment"], body["ref"], body["short_sha"] = s.environment(), s.branch(), s.sha()[:8]
	case onPipeline:
		body["object_kind"] = "pipeline"
		body["object_attributes"] = fields{
			"id": s.number(), "ref": s.branch(), "sha": s.sha(), "source": "push", "status": "pending",
		}
	default:
		body["object_kind"], body["ref"] = "push", "refs/heads/"+s.branch()
		body["before"], body["after"] = s.before(), s.sha()
	}
	return s.standard(envGitLabSigning, encoded(body))
}
