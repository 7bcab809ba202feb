package snapshot

import "strings"

// Violation is one thing wrong with one parameter of a [Request] or one field of an [Order].
type Violation struct {
	Field  string // the field as the caller wrote it: DiskId, Tag.3.Key, target
	Defect string // what is wrong with the value, and what would be right
	Code   string // the code that the API answers for this defect
}

// Violations is every violation of one input. It is an error; [Request.Validate] and [Order.Validate] return it.
type Violations []Violation

// Error lists every violation in one line: "DiskId: is missing; SnapshotName: ...".
func (v Violations) Error() string {
	parts := make([]string, len(v))
	for i, one := range v {
		parts[i] = one.Field + ": " + one.Defect
	}
	return strings.Join(parts, "; ")
}

// add appends a violation; it keeps the rules below one line each.
func (v *Violations) add(field, code, defect string) {
	*v = append(*v, Violation{Field: field, Defect: defect, Code: code})
}

// orNil returns nil as a plain nil error when there is no violation.
func (v Violations) orNil() error {
	if len(v) == 0 {
		return nil
	}
	return v
}
