package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shape is what a value must look like.
type shape interface {
	check(d *document, at place)
}

// object is a mapping with known keys.
type object struct {
	keys     map[string]shape
	required []string
}

func (o object) check(d *document, at place) {
	if !d.isKind(at, yaml.MappingNode, "keys with values") {
		return
	}
	for _, one := range at.Entries() {
		if of, ok := o.keys[one.Name]; ok {
			of.check(d, one.Place)
		} else {
			d.fail(one.Place, "is not a key here: use %s", sorted(o.keys))
		}
	}
	for _, name := range o.required {
		if missing := at.Get(name); !missing.Exists() {
			d.fail(missing, "is missing: add it")
		}
	}
}

// variants is an object whose shape depends on the text under one of its keys.
type variants struct {
	by string
	of map[string]object
}

func (v variants) check(d *document, at place) {
	if !d.isKind(at, yaml.MappingNode, "keys with values") {
		return
	}
	kind := at.Get(v.by)
	of, known := v.of[kind.Text()]
	switch {
	case !kind.Exists():
		d.fail(kind, "is missing: write one of %s", sorted(v.of))
	case !known:
		d.fail(kind, "is %s: write one of %s", shown(kind), sorted(v.of))
	default:
		of.check(d, at)
	}
}

// dictionary is a mapping whose keys are names that the file gives.
type dictionary struct {
	name *regexp.Regexp
	form string // of a name, for messages
	of   shape
}

func (m dictionary) check(d *document, at place) {
	if !d.isKind(at, yaml.MappingNode, "keys with values") {
		return
	}
	for _, one := range at.Entries() {
		if !m.name.MatchString(one.Name) {
			d.fail(one.Place, "is not a name: write %s", m.form)
		}
		m.of.check(d, one.Place)
	}
}

// list is a list of at least one element, and of at most max unless that is 0.
type list struct {
	of  shape
	max int
}

func (l list) check(d *document, at place) {
	if !d.isKind(at, yaml.SequenceNode, "a list") {
		return
	}
	all := at.Elements()
	switch {
	case len(all) == 0:
		d.fail(at, "is an empty list: name at least one element")
	case l.max > 0 && len(all) > l.max:
		d.fail(at, "has %d elements: write at most %d", len(all), l.max)
	}
	for _, one := range all {
		l.of.check(d, one)
	}
}

// some is one value or a list of them.
type some struct{ of shape }

func (s some) check(d *document, at place) {
	if at.Node.Kind == yaml.SequenceNode {
		list{of: s.of}.check(d, at)
	} else {
		s.of.check(d, at)
	}
}

// text is text: one of words, if there are any, or of a form.
type text struct {
	words []string
	match *regexp.Regexp
	form  string // for messages
	empty bool   // may be empty
}

func (t text) check(d *document, at place) {
	switch {
	case at.Node.Kind != yaml.ScalarNode || at.Node.ShortTag() != "!!str":
		d.fail(at, "is %s: write text%s", at.Kind(), inQuotes(at.Node))
	case at.Text() == unknown:
	case at.Text() == "" && !t.empty:
		d.fail(at, "is empty: write a value")
	case len(t.words) > 0 && !slices.Contains(t.words, at.Text()):
		d.fail(at, "is %s: write one of %s", shown(at), strings.Join(t.words, ", "))
	case t.match != nil && !t.match.MatchString(at.Text()):
		d.fail(at, "is %s: write %s", shown(at), t.form)
	}
}

// number is a number of a range, and a multiple of step unless that is 0. words are the only numbers, if there are any.
type number struct {
	min, max, step float64
	words          []float64
}

func (n number) check(d *document, at place) {
	value, ok := at.Number()
	switch {
	case !ok:
		d.fail(at, "is %s: write a number", at.Kind())
	case value < n.min:
		d.fail(at, "is %s: write at least %s", at.Text(), decimal(n.min))
	case value > n.max:
		d.fail(at, "is %s: write at most %s", at.Text(), decimal(n.max))
	case n.step > 0 && !multiple(value, n.step):
		d.fail(at, "is %s: write a multiple of %s", at.Text(), decimal(n.step))
	case len(n.words) > 0 && !slices.Contains(n.words, value):
		words := make([]string, len(n.words))
		for i, word := range n.words {
			words[i] = decimal(word)
		}
		d.fail(at, "is %s: write one of %s", at.Text(), strings.Join(words, ", "))
	}
}

// boolean is true or false. The yes and on of older YAML are text.
type boolean struct{}

func (boolean) check(d *document, at place) {
	if at.Node.Kind != yaml.ScalarNode || at.Node.Tag != "!!bool" {
		d.fail(at, "is %s: write true or false", at.Kind())
	}
}

// either is a scalar of one shape, or a mapping of another.
type either struct{ scalar, mapping shape }

func (e either) check(d *document, at place) {
	if at.Node.Kind == yaml.MappingNode {
		e.mapping.check(d, at)
	} else {
		e.scalar.check(d, at)
	}
}

// free is any text, or nested mappings and lists of it: what another service reads.
type free struct{}

func (f free) check(d *document, at place) {
	if all := at.Children(); len(all) > 0 {
		for _, one := range all {
			f.check(d, one)
		}
		return
	}
	text{}.check(d, at)
}

// isKind reports whether a node is a mapping or a list, as wanted, and reports it if not.
func (d *document) isKind(at place, kind yaml.Kind, want string) bool {
	if at.Node.Kind != kind {
		d.fail(at, "is %s: write %s", at.Kind(), want)
	}
	return at.Node.Kind == kind
}

// multiple reports whether value is a multiple of step, with the error of binary fractions forgiven.
func multiple(value, step float64) bool {
	times := value / step
	whole := float64(int64(times + 0.5))
	return times-whole < 1e-9 && whole-times < 1e-9
}

func inQuotes(node *yaml.Node) string {
	if node.Kind == yaml.ScalarNode && node.Tag != "!!null" {
		return ", in quotes"
	}
	return ""
}

// shown is the text of a scalar as an error shows it: in quotes, at most 60 characters.
func shown(at place) string {
	if at.Node.Kind != yaml.ScalarNode {
		return at.Kind()
	}
	return quoted(at.Text())
}

func quoted(value string) string {
	if runes := []rune(value); len(runes) > 60 {
		value = string(runes[:57]) + "..."
	}
	return strconv.Quote(value)
}

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func sorted[V any](of map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(of)), ", ")
}
