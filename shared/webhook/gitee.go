package webhook

import (
	"cmp"
	"fmt"
	"time"
)

const envGitee = "GITEE_SECRET"

// gitee sends pushes of Gitee repositories.
//
// Its body carries the password and the signature again, so a body must never reach a log.
// Rules: help.gitee.com/webhook/how-to-verify-webhook-keys.
var gitee = sender{
	name: "gitee", variables: []variable{{envGitee, plainForm}},
	headers: []string{"X-Gitee-Token", "X-Gitee-Timestamp"}, media: []string{mediaJSON},
	budget: budgetLong,
	verify: verifyGitee, parse: parseGitee, sample: sampleGitee,
}

// verifyGitee takes either of what Gitee sends in X-Gitee-Token: the signature of the time, or the password itself.
func verifyGitee(k keyring, r *request) error {
	timestamp, token := r.one("X-Gitee-Timestamp"), r.one("X-Gitee-Token")
	if err := fresh(timestamp, time.Millisecond, r.now); err != nil {
		return err
	}
	if equalsAny(k[envGitee], token) {
		return nil
	}
	return checkSignature(k[envGitee], token, func(key string) string { return base64HMAC(key, timestamp, "\n", key) })
}

func parseGitee(r *request) (inbound, error) {
	event := r.one("X-Gitee-Event")
	if event != "Push Hook" && event != "Tag Push Hook" {
		return ignored(fmt.Sprintf("the event %s is not used", plain(event))), nil
	}
	d, err := decodeJSON(r.plain)
	if err != nil {
		return nil, err
	}
	repository := "repository"
	if !d.has(repository) {
		repository = "project"
	}
	e := pipelineEvent{
		on: onPush, tenant: d.id(repository + ".id"), actor: d.text("sender.login"),
		repository: cmp.Or(d.text(repository+".path_with_namespace"), d.text(repository+".full_name")),
	}
	return e.push(d, d.flag("deleted")), d.err
}

func sampleGitee(s sampler) Sample {
	key := s.key(envGitee)
	body := encoded(fields{
		"ref": s.ref(), "before": s.before(), "after": s.sha(), "deleted": false, "sender": fields{"login": "ana"},
		"repository": fields{"id": 120249025, "path_with_namespace": s.rule.Repository, "full_name": s.rule.Repository},
	})
	return newSample(mediaJSON, body, "X-Gitee-Event", "Push Hook", "X-Gitee-Timestamp", s.millis(),
		"X-Gitee-Token", base64HMAC(key, s.millis(), "\n", key))
}
