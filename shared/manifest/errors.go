package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one defect of a deployment file.
type Error struct {
	File   string // the name of the file, without its folder
	Line   int    // from 1; 0 if the defect is the file's as a whole
	Field  string // resources.timer.props.cpu, Parameters.Region.Default; empty for the root
	Defect string // what is wrong, and what would be right; never the value of a variable of the environment
}

// Error tells the place and the defect: "s.yaml:41: resources.timer.props.cpu: is 32: write at most 16".
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

// Errors is every defect that was found, sorted by file and line. It is never empty.
type Errors []Error

// Error lists the defects, a line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// asError returns e sorted and each defect once (a value is checked wherever it is used), or nil if there is none.
func (e Errors) asError() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	var once Errors
	for _, one := range e {
		if !slices.Contains(once, one) {
			once = append(once, one)
		}
	}
	return once
}
