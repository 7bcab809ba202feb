package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of the file and collects what is wrong with them. Its methods return what they could read,
// and whether they could; they never stop at the first defect.
type reader struct {
	getenv func(string) string
	errs   Errors
}

// place is a node, and where an error says that it is: its path, and the line of its key or, without one, its own.
type place struct {
	node *yaml.Node
	path string
	line int
}

// text is a scalar: its value, and what the file has in its place. Errors quote what is written, never the value: that
// may come from the environment.
type text struct {
	value   string
	written string
}

// quoted is the scalar as an error shows it.
func (t text) quoted() string { return quote(t.written) }

// fail reports a defect at a place.
func (r *reader) fail(at place, format string, args ...any) {
	r.errs = append(r.errs, Error{File: FileName, Line: at.line, Field: at.path, Defect: fmt.Sprintf(format, args...)})
}

// refuseIndirection reports whatever makes a node mean something else than what stands there.
func (r *reader) refuseIndirection(at place) {
	node := at.node
	switch {
	case node.Kind == yaml.AliasNode:
		r.fail(at, "is the alias *%s: write the value itself", node.Value)
		return
	case node.Anchor != "":
		r.fail(at, "has the anchor &%s: leave it out, aliases are not allowed", node.Anchor)
	}
	if node.Style&yaml.TaggedStyle != 0 {
		r.fail(at, "has the tag %s: leave it out", quote(node.Tag))
	}
	for i, child := range node.Content {
		path := at.path
		switch {
		case node.Kind == yaml.SequenceNode:
			path = element(path, i)
		case node.Kind == yaml.MappingNode && i%2 == 1:
			path = member(path, node.Content[i-1].Value)
		}
		r.refuseIndirection(place{child, path, child.Line})
	}
}

// entry is one key of a mapping, and its value.
type entry struct {
	name string
	place
}

// mapping returns the entries of a mapping in the order of the file, each key once.
func (r *reader) mapping(at place) ([]entry, bool) {
	if at.node.Kind != yaml.MappingNode {
		r.wrongKind(at, "keys with values")
		return nil, false
	}
	entries := make([]entry, 0, len(at.node.Content)/2)
	lines := make(map[string]int)
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		key, value := at.node.Content[i], at.node.Content[i+1]
		one := entry{key.Value, place{value, member(at.path, key.Value), key.Line}}
		line, twice := lines[key.Value]
		switch {
		case key.Tag == "!!merge":
			r.fail(one.place, "is a merge key: write the keys themselves")
		case key.Kind == yaml.AliasNode: // reported already
		case key.Kind != yaml.ScalarNode || key.Tag != "!!str":
			r.fail(place{key, at.path, key.Line}, "has %s for a key: write text, in quotes", kindOf(key))
		case twice:
			r.fail(one.place, "stands in line %d already: write it once", line)
		default:
			lines[key.Value] = key.Line
			entries = append(entries, one)
		}
	}
	return entries, true
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
		if slices.Contains(known, one.name) {
			f.byName[one.name] = one.place
		} else {
			r.fail(one.place, "is not a key: use %s", strings.Join(known, ", "))
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
	if at, ok := f.get(name); ok && at.node.Kind == yaml.MappingNode {
		for i := 0; i < len(at.node.Content); i += 2 {
			names = append(names, at.node.Content[i].Value)
		}
	}
	return names
}

// missing reports a key that must be there.
func (r *reader) missing(f fields, name, mend string) {
	r.fail(place{f.node, member(f.path, name), f.line}, "is missing: %s", mend)
}

// child returns the place of a key of a mapping, or the mapping if there is no such key.
func (p place) child(name string) place {
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		if key := p.node.Content[i]; key.Value == name {
			return place{p.node.Content[i+1], member(p.path, name), key.Line}
		}
	}
	return p
}

// list returns the elements of a list that has some.
func (r *reader) list(at place) []place {
	if at.node.Kind != yaml.SequenceNode {
		r.wrongKind(at, "a list")
		return nil
	}
	if len(at.node.Content) == 0 {
		r.fail(at, "is an empty list, which stands for nobody and nothing: name at least one, or leave the key out")
	}
	places := make([]place, len(at.node.Content))
	for i, node := range at.node.Content {
		places[i] = place{node, element(at.path, i), node.Line}
	}
	return places
}

// scalar reads text, which may be empty, with ${NAME} replaced.
func (r *reader) scalar(at place) (text, bool) {
	if at.node.Kind != yaml.ScalarNode || at.node.Tag != "!!str" {
		r.wrongKind(at, "text")
		return text{}, false
	}
	value, err := expand(at.node.Value, r.getenv)
	if err != nil {
		r.fail(at, "%v", err)
		return text{}, false
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		r.fail(at, "contains a control character, such as a line break: leave it out")
		return text{}, false
	}
	return text{value, at.node.Value}, true
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
	if at.node.Kind == yaml.ScalarNode && kindOf(at.node) == "a number" {
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
	case at.node.Kind == yaml.AliasNode: // reported already
	case at.node.Tag == "!!null":
		r.fail(at, "is empty: write %s, or leave the key out", want)
	case want == "text" && at.node.Kind == yaml.ScalarNode:
		r.fail(at, "is %s: write text, in quotes", kindOf(at.node))
	default:
		r.fail(at, "is %s: write %s", kindOf(at.node), want)
	}
}

// kindOf names what a node is, for people.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	}
	return "text"
}

// member is the path of a key of a mapping.
func member(path, key string) string {
	if strings.ContainsFunc(key, func(c rune) bool { return c != '-' && c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) }) || len(key) > 60 {
		key = quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// element is the path of an element of a list, counted from 0.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// quote renders text of the file for an error: one line, at most 60 characters, no control characters.
func quote(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:57]) + "..."
	}
	return strconv.Quote(text)
}
