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

// pipeline is an event of a forge that may be worth a snapshot. All fields are what the forge says.
type pipeline struct {
	on          string
	tenant      string // the repository's or project's number: hooks of an organisation and of a repository mean the same
	repository  string // owner/name
	environment string
	ref         string // full where the forge tells branches from tags
	before      string // of a push: the commit that it replaces
	sha         string
	key         string // the business key
	time        time.Time
	actor       string
}

// number returns the text of an ID.
func number(id int64) string { return strconv.FormatInt(id, 10) }

// push completes a push, or says why it is none that deploys anything. Its key has the commit before, so that a branch
// which goes back to an earlier commit is another event.
func (p pipeline) push(deleted bool) (inbound, error) {
	switch {
	case p.ref == "" || p.before == "" || p.sha == "":
		return nil, malformed("field ref, before or after is missing")
	case deleted || strings.Trim(p.sha, "0") == "":
		return ignored("the branch or tag was deleted"), nil
	}
	p.key = snapshot.ComposedKey("push", p.ref, p.before, p.sha)
	return p, nil
}

// deployment passes a deployment on, unless its ref is that of a pull or merge request: code that is not merged.
func (p pipeline) deployment() inbound {
	full := strings.HasPrefix(p.ref, "refs/")
	branch := strings.HasPrefix(p.ref, "refs/heads/") || strings.HasPrefix(p.ref, "refs/tags/")
	if full && !branch || strings.HasPrefix(p.ref, "pull/") || strings.HasPrefix(p.ref, "merge-requests/") {
		return ignored("the deployment is of neither a branch nor a tag")
	}
	return p
}

// question asks the policy for the targets of the event. The ref of a deployment may be short; policies name full ones.
func (p pipeline) question(from string) policy.Question {
	ref := p.ref
	if p.on == onDeployment && !strings.HasPrefix(ref, "refs/") {
		ref = "refs/heads/" + ref
	}
	return policy.Question{From: from, Tenant: p.tenant, Repository: p.repository, On: p.on, Environment: p.environment, Ref: ref}
}

// orders makes an order for each target that the policy grants.
func (p pipeline) orders(from string, grants []policy.Grant) []snapshot.Order {
	orders := make([]snapshot.Order, len(grants))
	for i, grant := range grants {
		orders[i] = snapshot.Order{
			Target: grant.Target, Role: grant.Role,
			Reason: p.reason(), Actor: plain(p.actor),
			Sender: from, Tenant: p.tenant, Key: p.key, Time: p.time,
			Tags: p.tags(), Paced: true, Unread: true,
		}
	}
	return orders
}

func (p pipeline) reason() string {
	reason := fmt.Sprintf("%s of %s, ref %s, sha %s", p.on, p.repository, p.ref, p.sha)
	if p.environment != "" {
		reason += ", environment " + p.environment
	}
	return clip(visible(reason), snapshot.ReasonMax)
}

func (p pipeline) tags() []snapshot.Tag {
	var tags []snapshot.Tag
	for _, tag := range []snapshot.Tag{{Key: "repository", Value: strings.ToLower(p.repository)}, {Key: "ref", Value: p.ref}, {Key: "sha", Value: p.sha}} {
		if tag.Value = tagValue(tag.Value); tag.Value != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// tagValue makes what a forge says a value that the API takes as a tag.
func tagValue(text string) string {
	return clip(strings.ReplaceAll(visible(text), "://", ":"), snapshot.TagValueMax)
}

// refused says why the policy grants nothing.
func (p pipeline) refused() ignored {
	where := "ref " + p.ref
	if p.on == onDeployment {
		where = "environment " + p.environment
	}
	return ignored(plain(fmt.Sprintf("no rule of allow names a %s of %s, %s", p.on, p.repository, where)))
}
