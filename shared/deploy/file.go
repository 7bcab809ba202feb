package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// read reads the file at path with the function for its platform.
func read(path string, platform func(f *File, root *yaml.Node)) (*File, error) {
	f := &File{Name: filepath.Base(path)}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("failed to read the deployment file: %w", err)
	}
	if err != nil {
		f.fail(0, "cannot be read: %v", err)
	} else if root := f.parse(data); root != nil {
		platform(f, root)
	}
	var wrong []error
	for _, one := range f.defects {
		if !one.Warning {
			wrong = append(wrong, one)
		}
	}
	return f, errors.Join(wrong...)
}

// parse returns the root of a YAML file, or nil if it is not a mapping or has a key twice.
func (f *File) parse(data []byte) *yaml.Node {
	var document yaml.Node
	var content any
	err := yaml.Unmarshal(data, &document)
	if err == nil {
		err = document.Decode(&content) // finds doubled keys, which a node keeps
	}
	if err != nil {
		f.notYAML(err)
		return nil
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		f.fail(0, "has no keys: restore it")
		return nil
	}
	return document.Content[0]
}

// decode reads the keys of node, if there is one, that a struct names. A value of another type than its field is
// reported.
func (f *File) decode(node *yaml.Node, into any) {
	if node == nil {
		return
	}
	if err := node.Decode(into); err != nil {
		f.notYAML(err)
	}
}

// yamlError is one of the lines of an error of the YAML library. What follows " into " is a type of this package.
var yamlError = regexp.MustCompile(`^ *(?:line (\d+): )?(.*?)(?: into \S+)?$`)

// notYAML reports an error of the YAML library.
func (f *File) notYAML(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	for one := range strings.SplitSeq(strings.TrimPrefix(text, "unmarshal errors:\n"), "\n") {
		found := yamlError.FindStringSubmatch(one)
		line, _ := strconv.Atoi(found[1]) // digits, or 0
		f.fail(line, "cannot be read: %s", found[2])
	}
}

// value is a scalar of a file. A reference to what only the deployment knows has the text ${...}, and so has a value
// that is not a scalar.
type value struct {
	text string
	line int // 0: the file does not have it
}

// UnmarshalYAML implements [yaml.Unmarshaler]. It takes any node: whether a key may have such a value is for the
// platform to say.
func (v *value) UnmarshalYAML(node *yaml.Node) error {
	v.line = node.Line
	switch {
	case node.Kind != yaml.ScalarNode:
		v.text = fmt.Sprintf("${line %d}", node.Line)
	case node.Tag == "!Ref", node.Tag == "!GetAtt":
		v.text = "${" + node.Value + "}"
	default:
		v.text = node.Value
	}
	return nil
}

// known reports whether the file has the value, and the whole of it.
func (v value) known() bool {
	return v.line > 0 && !strings.Contains(v.text, "${") && !strings.Contains(v.text, "{{resolve:")
}

// number returns the value as a number; def if the file does not have it. It reports false for what only the deployment
// knows.
func (v value) number(def float64) (float64, bool) {
	if v.line == 0 {
		return def, true
	}
	n, err := strconv.ParseFloat(v.text, 64)
	return n, err == nil
}

// refersTo returns the name of the resource that the value refers to; "" if it is no reference.
func (v value) refersTo() string {
	found := placeholder.FindStringSubmatch(v.text)
	if found == nil {
		return ""
	}
	name, _, _ := strings.Cut(found[1], ".")
	return name
}

// get returns the value under the keys of path, and the line of the last key; nil if there is none.
func get(node *yaml.Node, path ...string) (*yaml.Node, int) {
	line := 0
	for _, name := range path {
		if node == nil || node.Kind != yaml.MappingNode {
			return nil, 0
		}
		content := node.Content
		node = nil
		for i := 0; i+1 < len(content); i += 2 {
			if content[i].Value == name {
				node, line = content[i+1], content[i].Line
			}
		}
	}
	return node, line
}

var placeholder = regexp.MustCompile(`\$\{([^{}]*)\}`)

// expandedMax bounds what references to each other can grow to, in bytes.
const expandedMax = 1 << 16

// expand replaces each reference below a node by what lookup returns for its name, unless that is nil. With deep, a
// mapping or list can stand for a reference, too.
func expand(node *yaml.Node, lookup func(name string) *yaml.Node, deep bool) {
	if node == nil {
		return
	}
	for _, one := range node.Content {
		expand(one, lookup, deep)
	}
	if node.Kind != yaml.ScalarNode {
		return
	}
	text := node.Value
	if node.Tag == "!Ref" {
		text = "${" + text + "}"
	}
	if found := placeholder.FindStringSubmatch(text); found != nil && found[0] == text {
		whole := lookup(found[1])
		if whole != nil && (deep || whole.Kind == yaml.ScalarNode) && whole != node {
			line := node.Line
			*node = *whole
			node.Line = line
		}
		return
	}
	expanded := placeholder.ReplaceAllStringFunc(text, func(reference string) string {
		if found := lookup(reference[2 : len(reference)-1]); found != nil && found.Kind == yaml.ScalarNode {
			return found.Value
		}
		return reference
	})
	if len(expanded) <= expandedMax {
		node.Value = expanded
	}
}
