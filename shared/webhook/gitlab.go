package webhook

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// gitlab takes events of projects and groups.
//
// With a signing token, only a signature counts, as Standard Webhooks have it: the old token, which any replay carries,
// is no way around it. Rules: docs.gitlab.com/user/project/integrations/webhooks and /webhook_events.
type gitlab struct {
	signing []string // keys; if there are any, tokens do not count
	tokens  []string
}

func openGitLab(secrets Secrets) (sender, error) {
	signing, err := secrets.decoded(envGitLabSigning, standardPrefix)
	if err == nil || !errors.Is(err, ErrUnset) {
		return gitlab{signing: signing}, err
	}
	tokens, err := secrets.read(envGitLabToken)
	return gitlab{tokens: tokens}, err
}

func (g gitlab) verify(r *request) error {
	if len(g.signing) > 0 {
		return verifyStandard(g.signing, r)
	}
	token := r.one("X-Gitlab-Token")
	if token == "" {
		return refuse("the token is missing")
	}
	if !equalsAny(g.tokens, token) {
		return refuse("the token does not match")
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

func (gitlab) parse(r *request) (inbound, error) {
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
	var e gitlabEvent
	if err := decodeJSON(r.plain, &e); err != nil {
		return nil, err
	}
	if e.Project.ID == 0 || e.Project.Path == "" {
		return nil, malformed("field project is missing")
	}
	p := pipeline{repository: e.Project.Path, tenant: number(e.Project.ID), actor: e.User.Username}
	if site, err := url.Parse(e.Project.WebURL); err == nil && site.Host != "" {
		p.tenant = site.Host + "/" + p.tenant // two instances may have the same numbers
	}
	switch e.Kind {
	case "deployment":
		return e.deployment(p)
	case "pipeline":
		return e.pipeline(p)
	default:
		p.on, p.ref, p.before, p.sha, p.actor = onPush, e.Ref, e.Before, e.After, e.UserUsername
		return p.push(false)
	}
}

// deployment takes the snapshot when a deployment starts: running is the first status of which GitLab sends an event for
// each. A deployment that is blocked may start days later, and all others are ends.
func (e gitlabEvent) deployment(p pipeline) (inbound, error) {
	if e.DeploymentID == 0 {
		return nil, malformed("field deployment_id is missing")
	}
	if e.Status != "running" {
		return ignored("only running deployments are used"), nil
	}
	p.on, p.environment, p.ref, p.sha = onDeployment, e.Environment, e.Ref, e.ShortSHA
	p.key, p.time = snapshot.ComposedKey("deployment", number(e.DeploymentID)), gitlabTime(e.StatusChangedAt)
	return p.deployment(), nil
}

// pipeline takes the snapshot when a pipeline starts. All of created, pending and running mean the same order, as any of
// them may be the first; a pipeline is also running when it goes on after a manual job or is retried, which is no start.
func (e gitlabEvent) pipeline(p pipeline) (inbound, error) {
	a := e.Attributes
	switch {
	case a.ID == 0:
		return nil, malformed("field object_attributes is missing")
	case e.MergeRequest != nil || strings.Contains(a.Source, "merge_request") || strings.Contains(a.Source, "pull_request"):
		return ignored("the pipeline is for a merge request"), nil
	case strings.HasPrefix(a.Ref, "refs/"):
		return ignored("the pipeline is of neither a branch nor a tag"), nil
	case a.Status != "created" && a.Status != "pending" && a.Status != "running":
		return ignored("only created, pending and running pipelines are used"), nil
	case a.FinishedAt != "" || a.Duration > 0:
		return ignored("the pipeline has started before"), nil
	}
	p.on, p.ref, p.sha = onPipeline, "refs/heads/"+a.Ref, a.SHA
	if a.Tag {
		p.ref = "refs/tags/" + a.Ref
	}
	p.key, p.time = snapshot.ComposedKey("pipeline", number(a.ID)), gitlabTime(a.CreatedAt)
	return p, nil
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
