package trigger

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"swas-snapshot/shared/snapshot"
)

// maxDepth is how deep objects and lists may nest in a JSON value.
const maxDepth = 32

// CheckJSON returns an error unless data is exactly one JSON value that every reader reads alike: valid UTF-8, nothing
// after the value, no field twice in an object at any depth, not even in another case (encoding/json takes DISKID for
// DiskId and the long s for an s), and nesting no deeper than 32. Use it before decoding the JSON of a vendor,
// whose unknown fields are welcome. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func CheckJSON(data []byte) error {
	p := parser{data: data, alike: fold}
	return p.parse().check()
}

// The kinds of JSON values, as an error calls them.
const (
	kindNull   = "null"
	kindText   = "text"
	kindNumber = "a number"
	kindBool   = "true or false"
	kindList   = "a list"
	kindObject = "an object"
)

// node is one JSON value. The zero node is a value that is not there.
type node struct {
	kind    string // "" if there is no value
	raw     []byte // as it was sent
	name    string // of the field that holds the value, or the list that has it as an element; "" at the top
	element bool   // of a list
	members []node // the fields of an object or the elements of a list, in their order
	defect  error  // the first one in the value, by the rules of CheckJSON
}

// parse reads one JSON value. alike maps names of fields to what must be unique in an object: [fold] or [exact].
// A value with a doubled field or too many levels is returned whole, beside its defect.
func parse(data []byte, alike func(string) string) node {
	p := parser{data: data, alike: alike, keep: true}
	return p.parse()
}

// check returns why the value cannot be used, or nil.
func (n node) check() error {
	if n.kind == "" && n.defect == nil {
		return snapshot.Malformed("nothing arrived: the input is empty")
	}
	return n.defect
}

// fields returns the fields of an object; of another value none.
func (n node) fields() []node {
	if n.kind != kindObject {
		return nil
	}
	return n.members
}

// field returns the field of an object with exactly this name, or the zero node.
func (n node) field(name string) node {
	for _, one := range n.fields() {
		if one.name == name {
			return one
		}
	}
	return node{}
}

// text returns a value that is text, decoded; of another value "".
func (n node) text() string {
	if n.kind != kindText {
		return ""
	}
	return unquote(n.raw)
}

// has reports whether an object has all of the fields, as written.
func (n node) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return n.field(name).kind == "" })
}

// hasAny reports whether an object has one of the fields, in any case.
func (n node) hasAny(names ...string) bool {
	return slices.ContainsFunc(n.fields(), func(one node) bool { return containsFold(names, one.name) })
}

// hasOnly reports whether every field of an object is one of these, in any case.
func (n node) hasOnly(names ...string) bool {
	return !slices.ContainsFunc(n.fields(), func(one node) bool { return !containsFold(names, one.name) })
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(one string) bool { return strings.EqualFold(one, name) })
}

// describe names the fields of an object for an error: sorted, at most 8, without values.
func (n node) describe() string {
	const most = 8
	var names []string
	for _, one := range n.fields() {
		names = append(names, snapshot.Quote(one.name))
	}
	if len(names) == 0 {
		return "no fields"
	}
	slices.Sort(names)
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return "the fields " + strings.Join(names, ", ")
}

// parser passes over data that is known to be valid JSON, so the first byte of a value says how to go on. Only the
// tokens of encoding/json show a doubled field, and they take three times as long; HTTP events are parsed before their
// sender is authenticated.
type parser struct {
	data  []byte
	pos   int
	alike func(string) string
	keep  bool // the members of objects and lists, which take more than a hundred times the memory of the data
}

func (p *parser) parse() node {
	switch {
	case len(bytes.TrimSpace(p.data)) == 0:
		return node{}
	case !utf8.Valid(p.data):
		return node{defect: snapshot.Malformed("the input is not valid UTF-8")}
	case !json.Valid(p.data):
		return node{defect: syntaxError(p.data)}
	}
	return p.value("", false, 0)
}

// kindsByFirst is the kind of a JSON value by its first byte; all others are numbers.
var kindsByFirst = map[byte]string{
	'{': kindObject, '[': kindList, '"': kindText, 't': kindBool, 'f': kindBool, 'n': kindNull,
}

// value reads the next value. name and element say where it stands, see [node].
func (p *parser) value(name string, element bool, depth int) node {
	n := node{kind: cmp.Or(kindsByFirst[p.peek()], kindNumber), name: name, element: element}
	start := p.pos
	switch n.kind {
	case kindObject, kindList:
		p.nested(&n, depth+1)
	case kindText:
		p.text()
	default:
		p.literal()
	}
	n.raw = p.data[start:p.pos]
	return n
}

// nested reads the members of an object or a list.
func (p *parser) nested(n *node, depth int) {
	if depth > maxDepth {
		n.defect = snapshot.Malformed("objects and lists nest deeper than %d", maxDepth)
	}
	object, closing := n.kind == kindObject, byte(']')
	if object {
		closing = '}'
	}
	seen := make(map[string]string) // the last spelling of each field
	for p.pos++; p.more(closing); {
		name := n.name
		if object {
			name = p.key()
			same := p.alike(name)
			if first, twice := seen[same]; twice && n.defect == nil {
				n.defect = snapshot.Malformed("fields %s and %s are the same: name each field once",
					snapshot.Quote(first), snapshot.Quote(name))
			}
			seen[same] = name
		}
		member := p.value(name, !object, depth)
		n.defect = cmp.Or(n.defect, member.defect)
		if p.keep {
			n.members = append(n.members, member)
		}
	}
}

// peek passes over blanks and returns the byte after them.
func (p *parser) peek() byte {
	for {
		switch c := p.data[p.pos]; c {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return c
		}
	}
}

// more reports whether a member follows, and passes over the comma before it or else the closing bracket.
func (p *parser) more(closing byte) bool {
	c := p.peek()
	if c == ',' || c == closing {
		p.pos++
	}
	return c != closing
}

// key passes over the name of a field and its colon, and returns the name.
func (p *parser) key() string {
	p.peek()
	start := p.pos
	p.text()
	name := unquote(p.data[start:p.pos])
	p.peek()
	p.pos++ // the colon
	return name
}

// text passes over a text.
func (p *parser) text() {
	for p.pos++; p.data[p.pos] != '"'; p.pos++ {
		if p.data[p.pos] == '\\' {
			p.pos++
		}
	}
	p.pos++
}

// literal passes over a number, true, false or null.
func (p *parser) literal() {
	for p.pos < len(p.data) && strings.IndexByte(",]} \t\r\n", p.data[p.pos]) < 0 {
		p.pos++
	}
}

// unquote returns the text that valid JSON text stands for.
func unquote(raw []byte) string {
	if !bytes.Contains(raw, []byte(`\`)) {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	_ = json.Unmarshal(raw, &text)
	return text
}

// syntaxError says where data ends being JSON. The decoder's own message quotes the input, so it is not passed on.
func syntaxError(data []byte) error {
	var syntax *json.SyntaxError
	errors.As(json.Unmarshal(data, new(json.RawMessage)), &syntax) // the only error of what is not valid
	switch text := syntax.Error(); {
	case strings.Contains(text, "max depth"):
		return snapshot.Malformed("objects and lists nest deeper than %d", maxDepth)
	case strings.Contains(text, "after top-level value"):
		return snapshot.Malformed("something follows the JSON value, at byte %d", syntax.Offset)
	case strings.Contains(text, "unexpected end"):
		return snapshot.Malformed("the JSON ends too early, at byte %d", syntax.Offset)
	default:
		return snapshot.Malformed("the input is not JSON, at byte %d", syntax.Offset)
	}
}

// fold maps the names that encoding/json takes for the same field to one: by Unicode's simple folding, which knows the
// long s and the Kelvin sign.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		next := unicode.SimpleFold(r)
		for next > r {
			r, next = next, unicode.SimpleFold(next)
		}
		return next // the smallest of all that are alike
	}, name)
}

// exact leaves names as they are: where a key is data, in another case it is another key.
func exact(name string) string { return name }
