package manifest

import (
	"go.yaml.in/yaml/v3"
)

// unknown stands in text for what only deployment knows: a variable of the environment, an attribute of a resource. It is
// no character that a file would have.
const unknown = "\ufffd"

// replace puts what resolve returns in the place of every scalar below at.
func (d *document) replace(at place, resolve func(place) *yaml.Node) {
	for i, child := range at.Children() {
		if child.Node.Kind != yaml.ScalarNode {
			d.replace(child, resolve)
			continue
		}
		if at.Node.Kind == yaml.MappingNode {
			i = 2*i + 1 // keys and values take turns
		}
		at.Node.Content[i] = resolve(child)
	}
}

// borrow returns a copy of a value, to stand where a reference to it stood. Its defects are reported at from.
func (d *document) borrow(from place) *yaml.Node {
	node := *from.Node
	node.Content = nil
	d.origins[&node] = from
	if from.Node.Kind == yaml.MappingNode {
		for i, one := range from.Entries() {
			node.Content = append(node.Content, from.Node.Content[2*i], d.borrow(one.Place))
		}
	}
	for _, one := range from.Elements() {
		node.Content = append(node.Content, d.borrow(one))
	}
	return &node
}

// scalar returns text as a scalar in the place of another.
func scalar(at place, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: at.Node.Line, Column: at.Node.Column}
}
