package manifest

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// vars resolves the variables of Serverless Devs: ${vars.NAME}, ${env('NAME')} and ${env('NAME', ”)}.
// Source: docs.serverless-devs.com, "Yaml": variable assignment.
type vars struct {
	*document
	values map[string]place
	used   map[string]bool
}

var (
	variable = regexp.MustCompile(`\$\{([^}]*)\}`)
	ofVars   = regexp.MustCompile(`^vars\.([A-Za-z][A-Za-z0-9_]*)$`)
	ofEnv    = regexp.MustCompile(`^env\('[A-Z][A-Z0-9_]*'(?:, *'')?\)$`) // a default of its own would be a secret in plain text
)

// resolveVars replaces every variable of the file and reports those that lead nowhere, and the vars that nothing uses.
func (d *document) resolveVars() {
	v := vars{d, make(map[string]place), make(map[string]bool)}
	section := d.root.Get("vars")
	d.replace(section, v.resolve)
	for _, one := range section.Entries() {
		v.values[one.Name] = one.Place
	}
	for _, one := range d.root.Entries() {
		if one.Name != "vars" {
			d.replace(one.Place, v.resolve)
		}
	}
	for name, at := range v.values {
		if !v.used[name] {
			d.fail(at, "is used nowhere: use it as ${vars.%s}, or leave it out", name)
		}
	}
}

// resolve returns what a scalar says once its variables are replaced.
func (v vars) resolve(at place) *yaml.Node {
	if at.Node.Tag != "!!str" {
		return at.Node
	}
	found := variable.FindAllStringSubmatchIndex(at.Node.Value, -1)
	if found == nil {
		return at.Node
	}
	var text strings.Builder
	end := 0
	for _, one := range found {
		text.WriteString(at.Node.Value[end:one[0]])
		end = one[1]
		expression := at.Node.Value[one[2]:one[3]]
		if ofEnv.MatchString(expression) {
			text.WriteString(unknown)
			continue
		}
		value := v.value(at, expression)
		switch {
		case !value.Exists():
			text.WriteString(unknown)
		case one[0] == 0 && end == len(at.Node.Value):
			return v.borrow(value)
		case value.Node.Kind != yaml.ScalarNode:
			v.fail(at, "has %s inside of text: only text can stand there", value.Kind())
		default:
			text.WriteString(value.Text())
		}
	}
	text.WriteString(at.Node.Value[end:])
	return scalar(at, text.String())
}

// value finds what ${vars.NAME} stands for; a place without a node if there is none.
func (v vars) value(at place, expression string) place {
	found := ofVars.FindStringSubmatch(expression)
	if found == nil {
		v.fail(at, "uses ${%s}: write ${vars.NAME}, ${env('NAME')} or ${env('NAME', '')}", expression)
		return place{}
	}
	value, ok := v.values[found[1]]
	if !ok {
		v.fail(at, "uses ${%s}, and vars has no %s: use one of %s", expression, found[1], sorted(v.values))
	}
	v.used[found[1]] = true
	return value
}
