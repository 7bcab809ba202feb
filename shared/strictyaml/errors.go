package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one defect of a file.
type Error struct {
	File   string // the name of the file, without its folder
	Line   int    // from 1; 0 if the defect is the file's as a whole
	Field  string // targets.web-1.disk, allow[0].from; empty for the root
	Defect string // what is wrong, and what would be right; never the value of a variable of the environment
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

// Errors is the defects of one file or of several.
type Errors []Error

// shown is how many defects one message lists: a wrong file (somebody else's YAML) has one in each of its lines.
const shown = 50

// Error lists the first 50 defects, a line each.
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

// Sorted returns the defects by file and line, each once: a value may be looked at more than once. Those of one line stay
// in the order in which they were found.
func (e Errors) Sorted() Errors {
	sorted := slices.Clone(e)
	slices.SortStableFunc(sorted, func(a, b Error) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	var once Errors
	for _, one := range sorted {
		if !slices.Contains(once, one) {
			once = append(once, one)
		}
	}
	return once
}

// Err returns the defects sorted, as an error, or nil if there is none.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e.Sorted()
}
