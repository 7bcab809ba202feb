package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
)

// Defect is one thing that is wrong with the policy file.
type Defect struct {
	File  string // the name of the file, without its folder
	Line  int    // from 1; 0 if the defect is the file's as a whole
	Field string // targets.web-1.disk, allow[0].from; empty for the root
	Text  string // what is wrong and what to write; never the value of a variable of the environment
}

// Error returns where the defect is, and what: "snapshots.yaml:7: targets.web-1.disk: is empty: ...".
func (d Defect) Error() string {
	at := d.File
	if d.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, d.Line)
	}
	if d.Field != "" {
		at += ": " + d.Field
	}
	return at + ": " + d.Text
}

// Errors is every defect of the policy file, sorted by line. It is the error of [Load] and [Parse], and for
// [snapshot.AsError] an error with the code [snapshot.CodeBadPolicy].
type Errors []Defect

// shown is how many defects one message lists: a file of another program has one in each of its lines.
const shown = 50

// Error lists the first 50 defects, a line each.
func (e Errors) Error() string {
	lines := make([]string, 0, shown+1)
	for _, one := range e[:min(len(e), shown)] {
		lines = append(lines, one.Error())
	}
	if len(e) > shown {
		lines = append(lines, fmt.Sprintf("and %d more", len(e)-shown))
	}
	return strings.Join(lines, "\n")
}

// As lets [errors.As] find the core's error in e, so that a function whose policy is wrong answers with its code.
func (e Errors) As(target any) bool {
	known, ok := target.(**snapshot.Error)
	if ok {
		*known = &snapshot.Error{Code: snapshot.CodeBadPolicy, Kind: snapshot.KindConfig, Message: e.Error()}
	}
	return ok
}

// sorted returns the defects by line, each once: a value may be read twice. Those of one line stay in the order in
// which they were found.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Defect) int { return cmp.Compare(a.Line, b.Line) })
	seen := make(map[Defect]bool, len(e))
	return slices.DeleteFunc(e, func(one Defect) bool {
		twice := seen[one]
		seen[one] = true
		return twice
	})
}

// field is a value of the file with the path and the line that its defects have. The line is that of its key or, in a
// list, its own. The field of a key that is missing has no node, and the line of the mapping.
type field struct {
	node *yaml.Node
	path string
	line int
}

// entry is one key of a mapping, and its value.
type entry struct {
	name string
	field
}

func (p field) exists() bool { return p.node != nil }

func (p field) isMapping() bool { return p.exists() && p.node.Kind == yaml.MappingNode }

// get returns the value of a key of a mapping.
func (p field) get(name string) field {
	found := field{path: member(p.path, name), line: p.line}
	if !p.isMapping() {
		return found
	}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		if key := p.node.Content[i]; key.Tag == "!!str" && key.Value == name {
			found.node, found.line = p.node.Content[i+1], key.Line
			break
		}
	}
	return found
}

// kinds names the types of YAML for a message.
var kinds = map[string]string{
	"!!map": "a mapping", "!!seq": "a list", "!!str": "text", "!!int": "a number", "!!float": "a number",
	"!!bool": "true or false", "!!timestamp": "a date", "!!null": "nothing", "!!merge": "<<",
}

func (p field) kind() string { return kinds[p.node.Tag] }

// member returns the path of a key of the mapping at path. A key that would be misread there is quoted.
func member(path, key string) string {
	const plainMax = 60
	if len(key) > plainMax || strings.ContainsFunc(key, func(c rune) bool {
		return c != '-' && c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}) {
		key = snapshot.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// document parses the one YAML document of the file. It reports false if there is nothing to go on with.
func (r *reader) document(data []byte) (field, bool) {
	if len(data) > sizeMax {
		r.fail(field{}, "is larger than %d bytes: a policy of 15 slots needs far less", sizeMax)
		return field{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && first.Content[0].Tag == "!!null" {
		r.fail(field{}, "is empty: begin with\n%s", example)
		return field{}, false
	}
	if err == nil {
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		r.fail(field{line: second.Line}, "begins a second document: keep one in the file")
		return field{}, false
	case !errors.Is(err, io.EOF):
		r.syntax(data, err)
		return field{}, false
	}
	return field{node: first.Content[0], line: first.Content[0].Line}, true
}

// syntax reports an error of the YAML library at the line that broke the file. The line in its text is often that of
// the mapping around the defect.
func (r *reader) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(text, "line ") {
		_, text, _ = strings.Cut(text, ": ")
	}
	if strings.HasSuffix(text, "expected alphabetic or numeric character") {
		text += ": write text that begins with * or & in quotes"
	}
	r.fail(field{line: brokenLine(data)}, "is not YAML: %s", text)
}

// bytesTried limits the work of [brokenLine] for a file that is not a policy at all.
const bytesTried = 4 << 20

// brokenLine returns the line after the longest part of the file that is YAML: the first line that is wrong, or on
// which the bracket or quote begins that is never closed. It returns 0 if the file is too long to find it.
func brokenLine(data []byte) int {
	for tried := 0; tried < bytesTried; tried += len(data) {
		data = data[:bytes.LastIndexByte(bytes.TrimSuffix(data, []byte("\n")), '\n')+1]
		if isYAML(data) {
			return bytes.Count(data, []byte("\n")) + 1
		}
	}
	return 0
}

// isYAML reports whether data is YAML, of any number of documents.
func isYAML(data []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		if err := decoder.Decode(&node); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
