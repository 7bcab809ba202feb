package webhook

import (
	"encoding/json"
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
// With a signing token, only a signature counts, as Standard Webhooks specifies: the old token, which any replay
// carries, is no way around it. Rules: docs.gitlab.com/user/project/integrations/webhooks and /webhook_events.
var gitlab = sender{
	name: "gitlab", variables: []variable{{envGitLabSigning, standardForm},
		{envGitLabToken, plainForm}}, needs: needsFirst,
	headers: []string{"X-Gitlab-Token", headerID, headerTime, headerSignature}, media: []string{mediaJSON},
	budget: budgetLong, forgive: true,
	verify: verifyGitLab, parse: parseGitLab, sample: sampleGitLab,
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

func parseGitLab(r *request) (inbound, error) {
	d, err := decodeJSON(r.plain)
	if err != nil {
		return nil, err
	}
	kind := d.text("object_kind")
	switch kind {
	case "deployment", "pipeline", "push", "tag_push":
	default: // their fields have types of their own
		return ignored(fmt.Sprintf("the event %s is not used", plain(kind))), d.err
	}
	e := pipelineEvent{
		repository: d.required("project.path_with_namespace"), tenant: d.id("project.id"),
		actor: d.text("user.username"),
	}
	if site, err := url.Parse(d.text("project.web_url")); err == nil && site.Host != "" {
		e.tenant = site.Host + "/" + e.tenant // two instances may have the same numbers
	}
	var in inbound
	switch kind {
	case "deployment":
		in = e.gitlabDeployment(d)
	case "pipeline":
		in = e.gitlabPipeline(d)
	default:
		e.on, e.actor = onPush, d.text("user_username")
		in = e.push(d, false)
	}
	return in, d.err
}

// gitlabDeployment takes the snapshot when a deployment starts: running is the first status of which GitLab sends an
// event for each. A deployment that is blocked may start days later, and all others are ends.
func (e pipelineEvent) gitlabDeployment(d *document) inbound {
	id := d.id("deployment_id")
	if d.text("status") != "running" {
		return ignored("only running deployments are used")
	}
	e.on, e.environment, e.ref, e.sha = onDeployment, d.text("environment"), d.text("ref"), d.text("short_sha")
	e.time = gitlabTime(d.text("status_changed_at"))
	return e.deployment(id)
}

// gitlabPipeline takes the snapshot when a pipeline starts. All of created, pending and running mean the same order, as
// any of them may be the first; a pipeline is also running when it goes on after a manual job or is retried, which is
// no start: then it has ended before, or has a duration.
func (e pipelineEvent) gitlabPipeline(d *document) inbound {
	id, ref := d.id("object_attributes.id"), d.text("object_attributes.ref")
	source, status := d.text("object_attributes.source"), d.text("object_attributes.status")
	duration, _ := read[json.Number](d, "object_attributes.duration").Float64()
	switch {
	case d.has("merge_request") || strings.Contains(source, "merge_request") ||
		strings.Contains(source, "pull_request"):
		return ignored("the pipeline is for a merge request")
	case strings.HasPrefix(ref, "refs/"):
		return ignored("the pipeline is of neither a branch nor a tag")
	case status != "created" && status != "pending" && status != "running":
		return ignored("only created, pending and running pipelines are used")
	case d.text("object_attributes.finished_at") != "" || duration > 0:
		return ignored("the pipeline has started before")
	}
	e.on, e.ref, e.sha = onPipeline, "refs/heads/"+ref, d.text("object_attributes.sha")
	if d.flag("object_attributes.tag") {
		e.ref = "refs/tags/" + ref
	}
	e.key, e.time = snapshot.ComposedKey("pipeline", id), gitlabTime(d.text("object_attributes.created_at"))
	return e
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
