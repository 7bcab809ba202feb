package policy

import (
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/strictyaml"
)

// Errors is every defect of the policy file, sorted by line. It is the error of [Load] and [Parse], and for
// [snapshot.AsError] an error with the code [snapshot.CodeBadPolicy].
type Errors strictyaml.Errors

// Error lists the first 50 defects, a line each.
func (e Errors) Error() string { return strictyaml.Errors(e).Error() }

// As lets [errors.As] find the core's error in e, so that a function whose policy is wrong answers with its code.
func (e Errors) As(target any) bool {
	known, ok := target.(**snapshot.Error)
	if ok {
		*known = &snapshot.Error{Code: snapshot.CodeBadPolicy, Kind: snapshot.KindConfig, Message: e.Error()}
	}
	return ok
}
