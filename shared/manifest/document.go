package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sizeMax is the size of a deployment file in bytes, at most: a CloudFormation template that is not on S3 may have 51,200.
// Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const sizeMax = 51200

// place is a node of the file, and where an error says that it is: its path, and the line of its key.
type place struct {
	node *yaml.Node
	path string
	line int
}

// entry is one key of a mapping, and its value.
type entry struct {
	name string
	place
}

// document is a deployment file under examination. Its methods collect defects and never stop at the first.
type document struct {
	file    string
	root    place
	errs    Errors
	origins map[*yaml.Node]place    // of a value that came through a reference: where it is written
	inside  map[*yaml.Node][]place  // of text with references inside: where their values are written
	refs    map[*yaml.Node]resource // of a reference to a resource: to which
}

// load reads a file and refuses YAML that means something else than it seems to. tags are the tags that the file may use.
// The second result is false if there is nothing to go on with.
func load(path string, tags ...string) (*document, bool) {
	d := newDocument(filepath.Base(path))
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.fail(place{}, "does not exist")
		return d, false
	case err != nil:
		d.fail(place{}, "cannot be read: %v", errors.Unwrap(err))
		return d, false
	}
	return d, d.parse(data, tags)
}

func newDocument(file string) *document {
	return &document{
		file:    file,
		origins: make(map[*yaml.Node]place),
		inside:  make(map[*yaml.Node][]place),
		refs:    make(map[*yaml.Node]resource),
	}
}

// parse reads the one YAML document in data.
func (d *document) parse(data []byte, tags []string) bool {
	if len(data) > sizeMax {
		d.fail(place{}, "has %d bytes: at most %d are allowed", len(data), sizeMax)
		return false
	}
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&root); err != nil {
		d.syntax(err)
		return false
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.fail(place{}, "has a second YAML document, or something that is none, behind the first: leave it out")
		return false
	}
	d.root = place{node: root.Content[0], line: root.Content[0].Line}
	if d.root.node.Kind != yaml.MappingNode {
		d.fail(d.root, "is %s: write keys with values", kindOf(d.root.node))
		return false
	}
	d.plain(d.root, tags)
	return true
}

// yamlLine finds the line in an error of the YAML library, which has it in its text only.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (d *document) syntax(err error) {
	if errors.Is(err, io.EOF) {
		d.fail(place{}, "is empty")
		return
	}
	found := yamlLine.FindStringSubmatch(err.Error())
	if found == nil {
		d.fail(place{}, "is not YAML: %v", err)
		return
	}
	line, _ := strconv.Atoi(found[1]) // no line is line 0: the file as a whole
	d.fail(place{line: line}, "is not YAML: %s", strings.TrimPrefix(err.Error(), found[0]))
}

// plain refuses whatever makes YAML mean something else to another reader: anchors, aliases, merge keys, tags, and keys
// that are doubled or not text.
func (d *document) plain(at place, tags []string) {
	node := at.node
	switch {
	case node.Kind == yaml.AliasNode:
		d.fail(at, "is the alias *%s: write the value itself", node.Value)
		return
	case node.Anchor != "":
		d.fail(at, "has the anchor &%s: leave it out, aliases are not allowed", node.Anchor)
	}
	if node.Style&yaml.TaggedStyle != 0 && !slices.Contains(tags, node.Tag) {
		d.fail(at, "has the tag %s: %s", node.Tag, mendTag(tags))
	}
	if node.Kind == yaml.MappingNode {
		d.keys(at)
	}
	for _, child := range children(at) {
		d.plain(child, tags)
	}
}

func mendTag(tags []string) string {
	if len(tags) == 0 {
		return "leave it out"
	}
	return "use " + strings.Join(tags, ", ")
}

// keys refuses the keys of a mapping that are no plain text, or doubled.
func (d *document) keys(at place) {
	lines := make(map[string]int)
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		key := at.node.Content[i]
		here := place{key, member(at.path, key.Value), key.Line}
		first, twice := lines[key.Value]
		switch {
		case key.Tag == "!!merge":
			d.fail(here, "is a merge key: write the keys themselves")
		case key.Kind != yaml.ScalarNode || key.Tag != "!!str":
			d.fail(place{key, at.path, key.Line}, "has %s for a key: write text, in quotes", kindOf(key))
		case twice:
			d.fail(here, "stands in line %d already: write it once", first)
		default:
			lines[key.Value] = key.Line
		}
	}
}

// fail reports a defect at a place, or where the value comes from if a reference stands there.
func (d *document) fail(at place, format string, args ...any) {
	at = d.written(at)
	d.errs = append(d.errs, Error{File: d.file, Line: at.line, Field: at.path, Defect: fmt.Sprintf(format, args...)})
}

// written is where the value of a place is written.
func (d *document) written(at place) place {
	if origin, ok := d.origins[at.node]; ok && at.node != nil {
		return origin
	}
	return at
}

// entries returns the keys and values of a mapping; nil for anything else.
func entries(at place) []entry {
	if at.node == nil || at.node.Kind != yaml.MappingNode {
		return nil
	}
	all := make([]entry, 0, len(at.node.Content)/2)
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		key := at.node.Content[i]
		all = append(all, entry{key.Value, place{at.node.Content[i+1], member(at.path, key.Value), key.Line}})
	}
	return all
}

// elements returns the elements of a list; nil for anything else.
func elements(at place) []place {
	if at.node == nil || at.node.Kind != yaml.SequenceNode {
		return nil
	}
	all := make([]place, len(at.node.Content))
	for i, node := range at.node.Content {
		all[i] = place{node, fmt.Sprintf("%s[%d]", at.path, i), node.Line}
	}
	return all
}

// children returns the values of a mapping or the elements of a list.
func children(at place) []place {
	all := elements(at)
	for _, one := range entries(at) {
		all = append(all, one.place)
	}
	return all
}

// get walks down the keys of mappings. Where a key is missing it returns a place without a node, at the mapping.
func (p place) get(names ...string) place {
	for _, name := range names {
		found := place{path: member(p.path, name), line: p.line}
		for _, one := range entries(p) {
			if one.name == name {
				found = one.place
				break
			}
		}
		p = found
	}
	return p
}

// exists tells whether there is a node.
func (p place) exists() bool { return p.node != nil }

// text is the value of a scalar; "" for anything else.
func (p place) text() string {
	if p.node == nil || p.node.Kind != yaml.ScalarNode {
		return ""
	}
	return p.node.Value
}

// number is the value of a number.
func (p place) number() (float64, bool) {
	if p.node == nil || p.node.Kind != yaml.ScalarNode || p.node.Tag != "!!int" && p.node.Tag != "!!float" {
		return 0, false
	}
	n, err := strconv.ParseFloat(p.node.Value, 64)
	return n, err == nil
}

// member is the path of a key of a mapping.
func member(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
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
