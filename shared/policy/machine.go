package policy

import (
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// Machine returns what the policy grants a machine, api or standard, for a target. The error differs for an unknown
// target and a forbidden one: an authenticated caller may learn of a typing error. The errors have the codes
// CodeInvalidOrder (no target), CodeUnknownTarget and CodeNotAllowed.
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
	return Grant{}, notAllowed("no rule under allow in snapshots.yaml grants " + string(action) + " on this target to " + from)
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
