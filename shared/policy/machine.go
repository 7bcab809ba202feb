package policy

import (
	"cmp"

	"swas-snapshot/shared/snapshot"
)

// Machine answers what the policy grants a machine, api or standard, for a target. An unknown target and a forbidden one
// differ: whoever is authenticated may learn of his typing error. The errors have the codes CodeInvalidOrder (no target),
// CodeUnknownTarget and CodeNotAllowed.
func (p Policy) Machine(from, target string, action Action) (Grant, *snapshot.Error) {
	if target == "" {
		return Grant{}, &snapshot.Error{Code: snapshot.CodeInvalidOrder, Kind: snapshot.KindMalformed, Message: "target: is missing: name a target of snapshots.yaml"}
	}
	if grant, ok := p.Permit(Question{From: from, Target: target, Action: action}); ok {
		return grant, nil
	}
	if _, known := p.Target(target); !known {
		return Grant{}, &snapshot.Error{Code: snapshot.CodeUnknownTarget, Kind: snapshot.KindUnknown, Message: "target: snapshots.yaml has no target of this name: check its spelling"}
	}
	return Grant{}, &snapshot.Error{Code: snapshot.CodeNotAllowed, Kind: snapshot.KindDenied,
		Message: "no rule under allow in snapshots.yaml grants " + string(action) + " on this target to " + from}
}

// RoleOf returns the role of a machine's order: what it asks for, within what the rule grants; else manual for api and
// deploy for standard, which pipelines use. The error has the code CodeNotAllowed.
func (g Grant) RoleOf(from, asked string) (string, *snapshot.Error) {
	if g.Role != "" && asked != "" && asked != g.Role {
		return "", &snapshot.Error{Code: snapshot.CodeNotAllowed, Kind: snapshot.KindDenied, Message: "role: the rule under allow in snapshots.yaml grants role " + g.Role + " only"}
	}
	byDefault := snapshot.RoleManual
	if from == "standard" {
		byDefault = snapshot.RoleDeploy
	}
	return cmp.Or(asked, g.Role, byDefault), nil
}
