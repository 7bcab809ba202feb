package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// Error is one defect of the policy file.
type Error struct {
	File   string // the name of the file, without its folder
	Line   int    // from 1; 0 if the defect is the file's as a whole
	Field  string // targets.web-1.disk, allow[0].from; empty for the root
	Defect string // what is wrong, and what would be right
}

// Error tells the place and the defect: "snapshots.yaml:7: targets.web-1.disk: is empty: ...".
func (e Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, e.Line)
	}
	if e.Field != "" {
		at += ": " + e.Field
	}
	return at + ": " + e.Defect
}

// Errors is every defect of the policy file, sorted by line. It is the error of [Load] and [Parse], and for
// [snapshot.AsError] an error with the code [snapshot.CodeBadPolicy].
type Errors []Error

// shown is how many defects one message lists: a wrong file (somebody else's YAML) has one in each of its lines.
const shown = 50

// Error lists the defects, a line each.
func (e Errors) Error() string {
	lines := make([]string, 0, shown+1)
	for i, one := range e {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(e)-shown))
			break
		}
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// As lets [errors.As] find the core's error in e, so that a function whose policy is wrong answers with its code.
func (e Errors) As(target any) bool {
	known, ok := target.(**snapshot.Error)
	if ok {
		*known = &snapshot.Error{Code: snapshot.CodeBadPolicy, Kind: snapshot.KindConfig, Message: e.Error()}
	}
	return ok
}

// sorted orders the defects by line; those of one line stay in the order in which they were found.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
	return e
}
