package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/strictyaml"
)

// reader walks the nodes of the file and collects what is wrong with them. Its methods return what they could read,
// and whether they could; they never stop at the first defect.
type reader struct {
	getenv func(string) string
	errs   strictyaml.Errors
}

type (
	place = strictyaml.Place
	entry = strictyaml.Entry
)

// text is a scalar: its value, and what the file has in its place. Errors quote what is written, never the value: that
// may come from the environment.
type text struct {
	value   string
	written string
}

// quoted is the scalar as an error shows it.
func (t text) quoted() string { return strictyaml.Quote(t.written) }

// fail reports a defect at a place.
func (r *reader) fail(at place, format string, args ...any) {
	r.errs = append(r.errs, strictyaml.Error{File: FileName, Line: at.Line, Field: at.Path, Defect: fmt.Sprintf(format, args...)})
}

// mapping returns the entries of a mapping in the order of the file, each key once.
func (r *reader) mapping(at place) ([]entry, bool) {
	if at.Node.Kind != yaml.MappingNode {
		r.wrongKind(at, "keys with values")
		return nil, false
	}
	return at.Distinct(), true
}

// fields is a mapping whose keys are known words.
type fields struct {
	place
	byName map[string]place
}

// fields reads a mapping and reports the keys that are not known.
func (r *reader) fields(at place, known ...string) (fields, bool) {
	entries, ok := r.mapping(at)
	f := fields{at, make(map[string]place, len(entries))}
	for _, one := range entries {
		if slices.Contains(known, one.Name) {
			f.byName[one.Name] = one.Place
		} else {
			r.fail(one.Place, "is not a key: use %s", strings.Join(known, ", "))
		}
	}
	return f, ok
}

func (f fields) get(name string) (place, bool) {
	at, ok := f.byName[name]
	return at, ok
}

// names returns the keys of the mapping under name.
func (f fields) names(name string) []string {
	var names []string
	if at, ok := f.get(name); ok {
		for _, one := range at.Distinct() {
			names = append(names, one.Name)
		}
	}
	return names
}

// missing reports a key that must be there.
func (r *reader) missing(f fields, name, advice string) {
	r.fail(f.Get(name), "is missing: %s", advice)
}

// list returns the elements of a list that has some.
func (r *reader) list(at place) []place {
	if at.Node.Kind != yaml.SequenceNode {
		r.wrongKind(at, "a list")
		return nil
	}
	if len(at.Node.Content) == 0 {
		r.fail(at, "is an empty list, which allows nothing: name at least one, or leave the key out")
	}
	return at.Elements()
}

// scalar reads text, which may be empty, with ${NAME} replaced.
func (r *reader) scalar(at place) (text, bool) {
	if at.Node.Kind != yaml.ScalarNode || at.Node.Tag != "!!str" {
		r.wrongKind(at, "text")
		return text{}, false
	}
	value, err := expand(at.Node.Value, r.getenv)
	if err != nil {
		r.fail(at, "%v", err)
		return text{}, false
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		r.fail(at, "contains a control character, such as a line break: leave it out")
		return text{}, false
	}
	return text{value, at.Node.Value}, true
}

// text reads text that is not empty and has no blanks at its ends.
func (r *reader) text(at place) (text, bool) {
	one, ok := r.scalar(at)
	switch {
	case !ok:
		return text{}, false
	case one.value == "":
		r.fail(at, "is empty: write a value, or leave the key out")
		return text{}, false
	case strings.TrimSpace(one.value) != one.value:
		r.fail(at, "begins or ends with a blank: leave it out")
		return text{}, false
	}
	return one, true
}

// optional reads the text under name and checks it; it returns "" if there is none or it is wrong. The defect that check
// returns is reported behind the text as it is written.
func (r *reader) optional(f fields, name string, valid func(string) bool, defect string) string {
	at, ok := f.get(name)
	if !ok {
		return ""
	}
	one, ok := r.text(at)
	if ok && !valid(one.value) {
		r.fail(at, "%s %s", one.quoted(), defect)
		return ""
	}
	return one.value
}

// texts reads a list of texts under name, each once, each valid. A nil valid takes all.
func (r *reader) texts(f fields, name string, valid func(string) bool, defect string) []string {
	at, ok := f.get(name)
	if !ok {
		return nil
	}
	var values []string
	for _, item := range r.list(at) {
		one, ok := r.text(item)
		switch {
		case !ok:
		case valid != nil && !valid(one.value):
			r.fail(item, "%s %s", one.quoted(), defect)
		case slices.Contains(values, one.value):
			r.fail(item, "%s stands in the list already: write it once", one.quoted())
		default:
			values = append(values, one.value)
		}
	}
	return values
}

// choice reads one of several words under name.
func (r *reader) choice(f fields, name string, words []string) string {
	return r.optional(f, name, func(word string) bool { return slices.Contains(words, word) },
		"is none of "+strings.Join(words, ", "))
}

// positive and notNegative are the least durations that a field may have.
const (
	notNegative time.Duration = 0
	positive    time.Duration = 1
)

// duration reads a duration under name that is at least least; 0 if there is none or it is wrong.
func (r *reader) duration(f fields, name string, least time.Duration) time.Duration {
	at, ok := f.get(name)
	if !ok {
		return 0
	}
	if at.Node.Kind == yaml.ScalarNode && at.Kind() == "a number" {
		r.fail(at, "is a number without a unit: write a duration such as 90m, 26h or 7d")
		return 0
	}
	one, ok := r.text(at)
	if !ok {
		return 0
	}
	d, err := parseDuration(one.value)
	switch {
	case err != nil:
		r.fail(at, "%s is not a duration: write a duration such as 90m, 26h or 7d", one.quoted())
		return 0
	case d < least:
		r.fail(at, "%s is too short: write a duration such as 90m, 26h or 7d", one.quoted())
		return 0
	}
	return d
}

// daysMax is a hundred years, well inside a time.Duration.
const daysMax = 36500

// parseDuration reads Go's syntax, and whole days: 7d.
func parseDuration(text string) (time.Duration, error) {
	digits, days := strings.CutSuffix(text, "d")
	if !days {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n > daysMax {
		return 0, fmt.Errorf("not a number of days up to %d", daysMax)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// wrongKind reports a node that is not what is wanted.
func (r *reader) wrongKind(at place, want string) {
	switch {
	case at.Node.Kind == yaml.AliasNode: // reported already
	case at.Node.Tag == "!!null":
		r.fail(at, "is empty: write %s, or leave the key out", want)
	case want == "text" && at.Node.Kind == yaml.ScalarNode:
		r.fail(at, "is %s: write text, in quotes", at.Kind())
	default:
		r.fail(at, "is %s: write %s", at.Kind(), want)
	}
}
