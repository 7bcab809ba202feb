package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads the one YAML document in data and returns its root with every defect so far, by file. tags are the tags
// that the file may use. The root has no node if there is nothing to go on with: data is empty, and then there is no
// defect, or it is not YAML, or more than one document.
func Parse(file string, data []byte, tags ...string) (Place, Errors) {
	p := &parser{file: file, tags: tags}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return Place{}, nil
	case err != nil:
		p.syntax(data, err)
		return Place{}, p.errs
	}
	root := Place{Node: document.Content[0], Line: document.Content[0].Line}
	if root.Node.Tag == "!!null" {
		return Place{}, nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.fail(Place{Line: second.Line}, "begins a second document: keep one in the file")
		return Place{}, p.errs
	case !errors.Is(err, io.EOF):
		p.syntax(data, err)
		return Place{}, p.errs
	}
	p.plain(root)
	return root, p.errs
}

// parser collects what is wrong with a file before anybody asks what it means.
type parser struct {
	file string
	tags []string
	errs Errors
}

func (p *parser) fail(at Place, format string, args ...any) {
	p.errs = append(p.errs, Error{File: p.file, Line: at.Line, Field: at.Path, Defect: fmt.Sprintf(format, args...)})
}

// plain refuses whatever makes a node mean something else than what stands there.
func (p *parser) plain(at Place) {
	node := at.Node
	switch {
	case node.Kind == yaml.AliasNode:
		p.fail(at, "is the alias *%s: write the value itself", node.Value)
		return
	case node.Anchor != "":
		p.fail(at, "has the anchor &%s: leave it out, aliases are not allowed", node.Anchor)
	}
	if node.Style&yaml.TaggedStyle != 0 && !slices.Contains(p.tags, node.Tag) {
		p.fail(at, "has the tag %s: %s", Quote(node.Tag), p.mendTag())
	}
	if node.Kind == yaml.MappingNode {
		p.keys(at)
	}
	for i, child := range node.Content {
		path := at.Path
		switch {
		case node.Kind == yaml.SequenceNode:
			path = fmt.Sprintf("%s[%d]", path, i)
		case node.Kind == yaml.MappingNode && i%2 == 1:
			path = member(path, node.Content[i-1].Value)
		}
		p.plain(Place{child, path, child.Line})
	}
}

func (p *parser) mendTag() string {
	if len(p.tags) == 0 {
		return "leave it out"
	}
	return "use " + strings.Join(p.tags, ", ")
}

// keys refuses the keys of a mapping that are no plain text, or doubled.
func (p *parser) keys(at Place) {
	lines := make(map[string]int)
	for i := 0; i+1 < len(at.Node.Content); i += 2 {
		key := at.Node.Content[i]
		here := Place{key, member(at.Path, key.Value), key.Line}
		first, twice := lines[key.Value]
		switch {
		case key.Tag == "!!merge":
			p.fail(here, "is a merge key: write the keys themselves")
		case key.Kind == yaml.AliasNode: // reported as one
		case !isText(key):
			p.fail(Place{key, at.Path, key.Line}, "has %s for a key: write text, in quotes", here.Kind())
		case twice:
			p.fail(here, "stands in line %d already: write it once", first)
		default:
			lines[key.Value] = key.Line
		}
	}
}
