package strictyaml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Place is a node of a file, and where an error says that it is: its path, and the line of its key or, without one, its
// own. A Place without a node is where one is missing.
type Place struct {
	Node *yaml.Node
	Path string
	Line int
}

// Entry is one key of a mapping, and its value.
type Entry struct {
	Name string
	Place
	refused bool // Parse refuses the key
}

// Exists tells whether there is a node.
func (p Place) Exists() bool { return p.Node != nil }

// Entries returns all keys and values of a mapping in the order of the file; nil for anything else.
func (p Place) Entries() []Entry {
	if p.Node == nil || p.Node.Kind != yaml.MappingNode {
		return nil
	}
	all := make([]Entry, 0, len(p.Node.Content)/2)
	seen := make(map[string]bool)
	for i := 0; i+1 < len(p.Node.Content); i += 2 {
		key := p.Node.Content[i]
		all = append(all, Entry{key.Value, Place{p.Node.Content[i+1], member(p.Path, key.Value), key.Line}, !isText(key) || seen[key.Value]})
		seen[key.Value] = true
	}
	return all
}

// Distinct returns the keys and values of a mapping but for the keys that [Parse] refuses: those that are not text, and
// those that stand there already.
func (p Place) Distinct() []Entry {
	return slices.DeleteFunc(p.Entries(), func(one Entry) bool { return one.refused })
}

// Elements returns the elements of a list; nil for anything else.
func (p Place) Elements() []Place {
	if p.Node == nil || p.Node.Kind != yaml.SequenceNode {
		return nil
	}
	all := make([]Place, len(p.Node.Content))
	for i, node := range p.Node.Content {
		all[i] = Place{node, fmt.Sprintf("%s[%d]", p.Path, i), node.Line}
	}
	return all
}

// Children returns the values of a mapping or the elements of a list.
func (p Place) Children() []Place {
	all := p.Elements()
	for _, one := range p.Entries() {
		all = append(all, one.Place)
	}
	return all
}

// Get walks down the keys of mappings. Where a key is missing it returns a place without a node, with the key's path and
// the line of the mapping.
func (p Place) Get(names ...string) Place {
	for _, name := range names {
		found := Place{Path: member(p.Path, name), Line: p.Line}
		for _, one := range p.Entries() {
			if one.Name == name {
				found = one.Place
				break
			}
		}
		p = found
	}
	return p
}

// Text is the value of a scalar; "" for anything else.
func (p Place) Text() string {
	if p.Node == nil || p.Node.Kind != yaml.ScalarNode {
		return ""
	}
	return p.Node.Value
}

// Number is the value of a number.
func (p Place) Number() (float64, bool) {
	if p.Node == nil || p.Node.Kind != yaml.ScalarNode || p.Node.Tag != "!!int" && p.Node.Tag != "!!float" {
		return 0, false
	}
	n, err := strconv.ParseFloat(p.Node.Value, 64)
	return n, err == nil
}

// Kind names what the node is, for people: "a mapping", "a list", "a number", "true or false", "a date", "nothing" or
// "text".
func (p Place) Kind() string {
	switch p.Node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch p.Node.Tag {
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

// isText tells whether a node is a text that stands there itself, as a key must.
func isText(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!str" }

// member is the path of a key of the mapping at path. A key that would be misread there is quoted.
func member(path, key string) string {
	if strings.ContainsFunc(key, isStrange) || len(key) > quotedMax {
		key = Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func isStrange(c rune) bool {
	return c != '-' && c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
}

// quotedMax is how many characters of the file a message quotes.
const quotedMax = 60

// Quote renders text of the file for an error: one line, at most 60 characters, no control characters.
func Quote(text string) string {
	if runes := []rune(text); len(runes) > quotedMax {
		text = string(runes[:quotedMax-3]) + "..."
	}
	return strconv.Quote(text)
}
