package webhook

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// What a pipeline's event is about, as the policy names it under on.
const (
	onDeployment  = "deployment"
	onWorkflowRun = "workflow_run"
	onPush        = "push"
	onPipeline    = "pipeline"
)

// pipelineEvent is an event of a code host that may be worth a snapshot. All fields are what the host says.
type pipelineEvent struct {
	on          string
	tenant      string // the number of the repository or project, the same in hooks of an organisation
	repository  string // owner/name
	workflow    string // of a workflow_run: the path of its file
	environment string
	ref         string // full where the host tells branches from tags
	before      string // of a push: the commit that it replaces
	sha         string
	key         string // the business key
	time        time.Time
	actor       string
}

// number returns the text of an ID.
func number(id int64) string { return strconv.FormatInt(id, 10) }

// push completes a push, or says why it deploys nothing. Its key has the commit before, so that a branch which goes
// back to an earlier commit is another event.
func (e pipelineEvent) push(d *document, deleted bool) inbound {
	e.ref, e.before, e.sha = d.required("ref"), d.required("before"), d.required("after")
	if deleted || strings.Trim(e.sha, "0") == "" {
		return ignored("the branch or tag was deleted")
	}
	e.key = snapshot.ComposedKey("push", e.ref, e.before, e.sha)
	return e
}

// deployment completes a deployment, unless its ref is that of a pull or merge request: code that is not merged.
func (e pipelineEvent) deployment(id string) inbound {
	full := strings.HasPrefix(e.ref, "refs/")
	branch := strings.HasPrefix(e.ref, "refs/heads/") || strings.HasPrefix(e.ref, "refs/tags/")
	if full && !branch || strings.HasPrefix(e.ref, "pull/") || strings.HasPrefix(e.ref, "merge-requests/") {
		return ignored("the deployment is of neither a branch nor a tag")
	}
	e.key = snapshot.ComposedKey("deployment", id)
	return e
}

// question asks the policy for the targets of the event. The ref of a deployment may be short; policies name full ones.
func (e pipelineEvent) question(from string) policy.Question {
	ref := e.ref
	if e.on == onDeployment && !strings.HasPrefix(ref, "refs/") {
		ref = "refs/heads/" + ref
	}
	return policy.Question{
		From: from, Tenant: e.tenant, Repository: e.repository, On: e.on, Workflow: e.workflow,
		Environment: e.environment, Ref: ref,
	}
}

// orders returns an order for each target that the policy grants.
func (e pipelineEvent) orders(from string, grants []policy.Grant) []snapshot.Order {
	orders := make([]snapshot.Order, len(grants))
	for i, grant := range grants {
		orders[i] = snapshot.Order{
			Target: grant.Target, Role: grant.Role,
			Reason: e.reason(), Actor: plain(e.actor),
			Sender: from, Tenant: e.tenant, Key: e.key, Time: e.time,
			Tags: e.tags(), Paced: true, Unread: true,
		}
	}
	return orders
}

func (e pipelineEvent) reason() string {
	reason := fmt.Sprintf("%s of %s, ref %s, sha %s", e.on, e.repository, e.ref, e.sha)
	if e.environment != "" {
		reason += ", environment " + e.environment
	}
	return clip(visible(reason), snapshot.ReasonMax)
}

func (e pipelineEvent) tags() []snapshot.Tag {
	var tags []snapshot.Tag
	for _, tag := range []snapshot.Tag{
		{Key: "repository", Value: strings.ToLower(e.repository)}, {Key: "ref", Value: e.ref}, {Key: "sha",
			Value: e.sha},
	} {
		tag.Value = clip(strings.ReplaceAll(visible(tag.Value), "://", ":"),
			snapshot.TagValueMax) // the API takes no URL
		if tag.Value != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// refused says why the policy grants nothing.
func (e pipelineEvent) refused() ignored {
	where := "ref " + e.ref
	if e.on == onDeployment {
		where = "environment " + e.environment
	}
	return ignored(plain(fmt.Sprintf("no rule of allow names a %s of %s, %s", e.on, e.repository, where)))
}
