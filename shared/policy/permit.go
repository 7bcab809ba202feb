package policy

import (
	"context"
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// Question asks whether a caller may do something. Its fields are what the sender vouches for; those that the sender
// does not have are empty. IDs compare exactly, with their capitals.
type Question struct {
	From    string // as in [Allow.From]
	Tenant  string
	Channel string // of chat senders
	Actor   string // of chat senders

	Repository  string // of pipelines: owner/name; capitals do not count
	On          string
	Workflow    string // of a workflow_run: the path of its file, maybe with @ and a ref
	Environment string
	Ref         string // full: refs/heads/main

	Target string
	Action Action
}

// Grant is the answer to a question that a rule allows.
type Grant struct {
	Target string
	Role   string // the only one that the caller may take; "": see [Policy.RoleOf]
}

// Permit reports whether a caller may do something with one target; the first rule that allows it decides the role.
// Without such a rule the answer is false.
func (p Policy) Permit(q Question) (Grant, bool) {
	for _, rule := range p.Allow {
		if rule.covers(q) && slices.Contains(rule.Actions, q.Action) && slices.Contains(rule.Targets, q.Target) {
			return Grant{Target: q.Target, Role: rule.Role}, true
		}
	}
	return Grant{}, false
}

// Visible returns the names of the targets that a caller may do anything with, in the order of the policy. What a
// caller may not see must not be named to them, not even as a near miss.
func (p Policy) Visible(from, tenant, channel, actor string) []string {
	q := Question{From: from, Tenant: tenant, Channel: channel, Actor: actor}
	var names []string
	for _, target := range p.Targets {
		if slices.ContainsFunc(p.Allow, func(rule Allow) bool {
			return rule.covers(q) && slices.Contains(rule.Targets, target.Name)
		}) {
			names = append(names, target.Name)
		}
	}
	return names
}

// Pipeline returns every target of which a deployment, run or push takes a snapshot, in the order of the rules; nil if
// no rule allows it. Target and Action of q do not matter. Where several rules name one target, the first decides its
// role: the event is one, and so is the snapshot.
func (p Policy) Pipeline(q Question) []Grant {
	var grants []Grant
	for _, rule := range p.Allow {
		if rule.Repository == "" || !rule.covers(q) {
			continue
		}
		for _, target := range rule.Targets {
			if !slices.ContainsFunc(grants, func(g Grant) bool { return g.Target == target }) {
				grants = append(grants, Grant{Target: target, Role: rule.Role})
			}
		}
	}
	return grants
}

// covers reports whether the rule is about the caller. The zero rule covers none.
func (rule Allow) covers(q Question) bool {
	if rule.From == "" || rule.From != q.From {
		return false
	}
	if rule.Tenant != "" && rule.Tenant != q.Tenant {
		return false
	}
	if !listed(rule.Channels, q.Channel) || !listed(rule.Actors, q.Actor) {
		return false
	}
	if rule.Repository == "" {
		return q.Repository == ""
	}
	// A rule's repository is ASCII. What Unicode folds to ASCII, such as the Kelvin sign to k, has more bytes.
	sameRepository := len(rule.Repository) == len(q.Repository) && strings.EqualFold(rule.Repository, q.Repository)
	return sameRepository && rule.On == q.On &&
		(rule.Workflow == "" || rule.Workflow == q.Workflow || rule.Workflow == workflowFile(q.Workflow)) &&
		listed(rule.Environments, q.Environment) &&
		(len(rule.Refs) == 0 || slices.ContainsFunc(rule.Refs, func(pattern string) bool { return match(pattern, q.Ref) }))
}

// listed reports whether one is in the list, or there is no list.
func listed(list []string, one string) bool { return len(list) == 0 || slices.Contains(list, one) }

// Machine returns what the policy grants a machine, api or standard, for a target. The error differs for an unknown
// target and a forbidden one: an authenticated caller may learn of a typing error. The errors have the codes
// CodeInvalidOrder (no target), CodeUnknownTarget and CodeNotAllowed.
func (p Policy) Machine(from, target string, action Action) (Grant, *snapshot.Error) {
	if grant, ok := p.Permit(Question{From: from, Target: target, Action: action}); ok {
		return grant, nil
	}
	if target == "" {
		return Grant{}, &snapshot.Error{Code: snapshot.CodeInvalidOrder, Kind: snapshot.KindMalformed,
			Message: "target: is missing: name a target of snapshots.yaml"}
	}
	if _, known := p.Target(target); !known {
		return Grant{}, &snapshot.Error{Code: snapshot.CodeUnknownTarget, Kind: snapshot.KindUnknown,
			Message: "target: snapshots.yaml has no target of this name: check its spelling"}
	}
	return Grant{}, notAllowed("no rule under allow in snapshots.yaml grants " + string(action) +
		" on this target to " + from)
}

// RoleOf returns the role of an order that asks for one, within what the rule grants. "" stands for the role that the
// core chooses. An order that asks for a role that the target does not keep is left to the core, which refuses it from
// every sender. The error has the code CodeNotAllowed.
func (p Policy) RoleOf(grant Grant, asked string) (string, *snapshot.Error) {
	if grant.Role != "" {
		if asked != "" && asked != grant.Role {
			return "", notAllowed("role: the rule under allow in snapshots.yaml grants the role " + grant.Role +
				" only: ask for it, or for none")
		}
		return grant.Role, nil
	}
	target, _ := p.Target(grant.Target)
	if free := unscheduled(target); keeps(target, asked) && !slices.Contains(free, asked) {
		return "", notAllowed("role: the schedule in snapshots.yaml takes the role " + asked +
			": ask for one that no schedule fires (" + strings.Join(free, ", ") + ")")
	}
	return asked, nil
}

func notAllowed(message string) *snapshot.Error {
	return &snapshot.Error{Code: snapshot.CodeNotAllowed, Kind: snapshot.KindDenied, Message: message}
}

// Caller is the sender and user of a request, for the log.
type Caller struct {
	From  string // as in [Allow.From]
	Actor string // of chat senders
}

type callerKey struct{}

// WithCaller returns a context with the caller of a request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller of a request; the zero Caller if the context has none.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// workflowFile returns the path of a workflow without the ref behind @.
func workflowFile(path string) string {
	file, _, _ := strings.Cut(path, "@")
	return file
}
