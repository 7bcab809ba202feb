package webhook

import (
	"fmt"
	"time"
)

// gitee takes pushes of Gitee repositories.
//
// Its body carries the password and the signature again, so a body must never reach a log.
// Rules: help.gitee.com/webhook/how-to-verify-webhook-keys.
type gitee struct{ secrets []string }

func openGitee(secrets Secrets) (sender, error) {
	values, err := secrets.read(envGitee)
	return gitee{values}, err
}

// verify takes either of what Gitee sends in X-Gitee-Token: the signature of the time, or the password itself.
func (g gitee) verify(r *request) error {
	timestamp := r.one("X-Gitee-Timestamp")
	if err := fresh(timestamp, time.Millisecond, r.now); err != nil {
		return err
	}
	token := r.one("X-Gitee-Token")
	if token == "" {
		return refuse("the token is missing")
	}
	if !equalsAny(g.secrets, token) {
		return checkSignature(g.secrets, token, func(secret string) string { return base64HMAC(secret, timestamp, "\n", secret) })
	}
	return nil
}

func (gitee) parse(r *request) (inbound, error) {
	type repository struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
		Path     string `json:"path_with_namespace"`
	}
	kind := r.one("X-Gitee-Event")
	if kind != "Push Hook" && kind != "Tag Push Hook" {
		return ignored(fmt.Sprintf("the event %s is not used", plain(kind))), nil
	}
	var e struct {
		Ref        string      `json:"ref"`
		Before     string      `json:"before"`
		After      string      `json:"after"`
		Deleted    bool        `json:"deleted"`
		Repository *repository `json:"repository"`
		Project    *repository `json:"project"`
		Sender     struct {
			Login string `json:"login"`
		} `json:"sender"`
	}
	if err := decodeJSON(r.plain, &e); err != nil {
		return nil, err
	}
	if e.Repository == nil {
		e.Repository = e.Project
	}
	if e.Repository == nil || e.Repository.ID == 0 {
		return nil, malformed("field repository is missing")
	}
	p := pipeline{
		on: onPush, tenant: number(e.Repository.ID), repository: e.Repository.Path,
		ref: e.Ref, before: e.Before, sha: e.After, actor: e.Sender.Login,
	}
	if p.repository == "" {
		p.repository = e.Repository.FullName
	}
	return p.push(e.Deleted)
}
