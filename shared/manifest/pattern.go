package manifest

import (
	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// patternJSON reads the filter of an EventBridge trigger of Function Compute: fields with lists of texts, or of a prefix or suffix.
// Source: help.aliyun.com/zh/eventbridge, "Event patterns".
func (d *document) patternJSON(at place) []Source {
	if !at.exists() || at.text() == "" {
		return nil
	}
	if err := trigger.CheckJSON([]byte(at.text())); err != nil {
		d.fail(at, "is no filter: %s", snapshot.AsError(err).Message)
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(at.text()), &root); err != nil { // JSON is YAML
		d.fail(at, "is no filter: %v", err)
		return nil
	}
	return d.pattern(place{root.Content[0], at.path, at.line}, at)
}

// patternShape is the part of a filter that this project uses. It is strict about the fields, so that a misspelt one does
// not let everything through, or nothing.
var patternShape = object{
	required: []string{"source"},
	keys: map[string]shape{
		"source": list{of: text{}}, "type": list{of: text{}}, "detail-type": list{of: text{}},
		"subject": list{of: either{text{}, object{keys: map[string]shape{"prefix": text{}, "suffix": text{}}}}},
	},
}

// pattern reads a filter and returns an event for each combination of source and type that it lets through. Its defects
// are reported at at.
func (d *document) pattern(filter, at place) []Source {
	if !filter.exists() {
		return nil
	}
	inner := newDocument(d.file)
	patternShape.check(inner, filter)
	for _, one := range inner.errs {
		if filter.node != at.node { // the filter is JSON in text, and has no lines of the file
			one.Line = d.written(at).line
		}
		d.errs = append(d.errs, one)
	}
	types := elements(filter.get("type"))
	if types == nil {
		types = elements(filter.get("detail-type"))
	}
	var sources []Source
	for _, source := range elements(filter.get("source")) {
		for _, kind := range types {
			event := snapshot.BusEvent{Source: source.text(), Type: kind.text(), Subject: exampleSubject(filter)}
			sources = append(sources, Source{event, at})
		}
	}
	if len(types) == 0 && len(inner.errs) == 0 {
		d.fail(at, "lets every type of event through: name the types")
	}
	return sources
}

// exampleSubject is a subject that a filter lets through.
func exampleSubject(filter place) string {
	subjects := elements(filter.get("subject"))
	switch {
	case len(subjects) == 0:
		return ""
	case subjects[0].text() != "":
		return subjects[0].text()
	}
	return subjects[0].get("prefix").text() + "example" + subjects[0].get("suffix").text()
}
