package policy

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
)

// reader reads the nodes of the file and collects what is wrong with them. It never stops at the first defect: where a
// value is wrong, its methods return the zero value.
type reader struct {
	file    string // its name
	getenv  func(string) string
	targets []string // the names of the file's targets, for the rules
	errs    Errors
}

// fail reports a defect of a field.
func (r *reader) fail(at field, format string, args ...any) {
	r.errs = append(r.errs, Defect{File: r.file, Line: at.line, Field: at.path, Text: fmt.Sprintf(format, args...)})
}

// need reports the key of a mapping if it is missing.
func (r *reader) need(at field, name, advice string) {
	if at.isMapping() && !at.get(name).exists() {
		r.fail(at.get(name), "is missing: %s", advice)
	}
}

// plain reports whether a node has neither alias nor tag, which change what it means. These and anchors are defects.
func (r *reader) plain(at field) bool {
	if at.node.Anchor != "" {
		r.fail(at, "has the anchor &%s: leave it out, aliases are not allowed", at.node.Anchor)
	}
	switch {
	case at.node.Kind == yaml.AliasNode:
		r.fail(at, "is the alias *%s: write the value itself", at.node.Value)
	case at.node.Style&yaml.TaggedStyle != 0:
		r.fail(at, "has the tag %s: leave it out", snapshot.Quote(at.node.Tag))
	default:
		return true
	}
	return false
}

// is reports whether a node is plain and of the type that its key has; if not, that is a defect.
func (r *reader) is(at field, tag, want string) bool {
	switch {
	case !r.plain(at):
	case at.node.Tag == tag:
		return true
	case at.node.Tag == "!!null":
		r.fail(at, "is empty: write %s, or leave the key out", want)
	case want == "text" && at.node.Kind == yaml.ScalarNode:
		r.fail(at, "is %s: write text, in quotes", at.kind())
	default:
		r.fail(at, "is %s: write %s", at.kind(), want)
	}
	return false
}

// mapping returns the entries of a mapping in the order of the file, and reports the keys that are not text or that
// stand there already. The field may be missing.
func (r *reader) mapping(at field) []entry {
	if !at.exists() || !r.is(at, "!!map", "keys with values") {
		return nil
	}
	var entries []entry
	lines := make(map[string]int)
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		node := at.node.Content[i]
		key, named := field{node, at.path, node.Line}, field{node, member(at.path, node.Value), node.Line}
		first, twice := lines[node.Value]
		switch {
		case !r.plain(key):
		case node.Tag == "!!merge":
			r.fail(named, "is a merge key: write the keys themselves")
		case node.Tag != "!!str":
			r.fail(key, "has %s for a key: write text, in quotes", key.kind())
		case twice:
			r.fail(named, "stands in line %d already: write it once", first)
		default:
			lines[node.Value] = node.Line
			entries = append(entries, entry{node.Value, field{at.node.Content[i+1], named.path, node.Line}})
		}
	}
	return entries
}

// list returns the elements of a list that has some. The field may be missing.
func (r *reader) list(at field) []field {
	if !at.exists() || !r.is(at, "!!seq", "a list") {
		return nil
	}
	if len(at.node.Content) == 0 {
		r.fail(at, "is an empty list, which allows nothing: name at least one, or leave the key out")
	}
	all := make([]field, len(at.node.Content))
	for i, node := range at.node.Content {
		all[i] = field{node, fmt.Sprintf("%s[%d]", at.path, i), node.Line}
	}
	return all
}

// decode reads a mapping into a struct, whose fields have their key in the tag yaml and the name of a check in the tag
// check. They are texts, lists of texts, durations, and what the caller reads of type [field]. Other keys than these
// are defects; no keys are all of the struct.
func (r *reader) decode(at field, into any, keys ...string) {
	target := reflect.ValueOf(into).Elem()
	index := make(map[string]int)
	var all []string
	for i := range target.NumField() {
		key := target.Type().Field(i).Tag.Get("yaml")
		index[key], all = i, append(all, key)
	}
	if len(keys) == 0 {
		keys = all
	}
	for _, one := range r.mapping(at) {
		if !slices.Contains(keys, one.name) {
			r.fail(one.field, "is not a key here: use %s", strings.Join(keys, ", "))
			continue
		}
		value, check := target.Field(index[one.name]), target.Type().Field(index[one.name]).Tag.Get("check")
		switch known := value.Addr().Interface().(type) {
		case *field:
			*known = one.field
		case *time.Duration:
			*known = r.duration(one.field, check)
		case *string:
			*known = r.text(one.field, check)
		default:
			r.texts(one.field, check, value)
		}
	}
}

// texts reads a list of texts, each once, into a slice of any text type.
func (r *reader) texts(at field, check string, into reflect.Value) {
	seen := make(map[string]bool)
	for _, item := range r.list(at) {
		text := r.text(item, check)
		if seen[text] {
			r.fail(item, "%s stands in the list already: write it once", snapshot.Quote(item.node.Value))
		} else if text != "" {
			seen[text] = true
			into.Set(reflect.Append(into, reflect.ValueOf(text).Convert(into.Type().Elem())))
		}
	}
}

// text reads text that passes a check, is not empty and has no blanks at its ends. Messages quote what is written,
// never the value, which may come from the environment. The field may be missing.
func (r *reader) text(at field, check string) string {
	if !at.exists() {
		return ""
	}
	value, ok := r.scalar(at)
	switch {
	case !ok:
	case value == "":
		r.fail(at, "is empty: write a value, or leave the key out")
	case strings.TrimSpace(value) != value:
		r.fail(at, "begins or ends with a blank: leave it out")
	case check == "target" && !slices.Contains(r.targets, value):
		r.fail(at, "%s is not a target: name those of targets, each by itself", snapshot.Quote(at.node.Value))
	case checks[check].valid != nil && !checks[check].valid(value):
		r.fail(at, "%s %s", snapshot.Quote(at.node.Value), checks[check].defect)
	default:
		return value
	}
	return ""
}

// scalar reads text, which may be empty, with ${NAME} replaced.
func (r *reader) scalar(at field) (string, bool) {
	if !r.is(at, "!!str", "text") {
		return "", false
	}
	value, err := expand(at.node.Value, r.getenv)
	switch {
	case err != nil:
		r.fail(at, "%v", err)
	case strings.ContainsFunc(value, unicode.IsControl):
		r.fail(at, "contains a control character, such as a line break: leave it out")
	default:
		return value, true
	}
	return "", false
}

// reference is a variable of the environment in a text, or the beginning of one.
var reference = regexp.MustCompile(`\$\{(?:([A-Za-z_][A-Za-z0-9_]{0,127})\})?`)

// expand replaces each ${NAME} in a text by the variable of that name. A value is not expanded again. The error names
// the variable, never a value.
func expand(text string, getenv func(string) string) (string, error) {
	var wrong error
	text = reference.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "${}")
		if name == "" {
			wrong = errors.New("has a ${ without a variable's name and }: write ${NAME}")
			return ""
		}
		value := getenv(name)
		if value == "" {
			wrong = fmt.Errorf("takes ${%s} from the environment, where it is unset or empty: set it", name)
		}
		return value
	})
	return text, wrong
}

// duration reads a duration, which is more than 0 unless its check is "zero".
func (r *reader) duration(at field, check string) time.Duration {
	const example = "write a duration such as 90m, 26h or 7d"
	if at.kind() == "a number" {
		r.fail(at, "is a number without a unit: %s", example)
		return 0
	}
	text := r.text(at, "")
	if text == "" {
		return 0
	}
	d, err := snapshot.ParseDuration(text)
	switch {
	case err != nil:
		r.fail(at, "%s is not a duration: %s", snapshot.Quote(at.node.Value), example)
	case d < 0 || d == 0 && check != "zero":
		r.fail(at, "%s is too short: %s", snapshot.Quote(at.node.Value), example)
	default:
		return d
	}
	return 0
}
