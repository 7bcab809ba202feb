package manifest

import (
	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// patternJSON reads the filter of an EventBridge trigger of Function Compute: fields with lists of texts, or of a prefix or suffix.
// Source: help.aliyun.com/zh/eventbridge, "Event patterns".
func (d *document) patternJSON(at place) []source {
	if !at.Exists() || at.Text() == "" {
		return nil
	}
	if err := trigger.CheckJSON([]byte(at.Text())); err != nil {
		d.fail(at, "is no filter: %s", snapshot.AsError(err).Message)
		return nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(at.Text()), &root); err != nil { // JSON is YAML
		d.fail(at, "is no filter: %v", err)
		return nil
	}
	return d.pattern(place{Node: root.Content[0], Path: at.Path, Line: at.Line}, at)
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
func (d *document) pattern(filter, at place) []source {
	if !filter.Exists() {
		return nil
	}
	inner := newDocument(d.file)
	patternShape.check(inner, filter)
	for _, one := range inner.errs {
		if filter.Node != at.Node { // the filter is JSON in text, and has no lines of the file
			one.Line = d.written(at).Line
		}
		d.errs = append(d.errs, one)
	}
	types := filter.Get("type").Elements()
	if types == nil {
		types = filter.Get("detail-type").Elements()
	}
	var sources []source
	for _, from := range filter.Get("source").Elements() {
		for _, kind := range types {
			event := snapshot.BusEvent{Source: from.Text(), Type: kind.Text(), Subject: exampleSubject(filter)}
			sources = append(sources, source{event, at})
		}
	}
	if len(types) == 0 && len(inner.errs) == 0 {
		d.fail(at, "lets every type of event through: name the types")
	}
	return sources
}

// exampleSubject is a subject that a filter lets through.
func exampleSubject(filter place) string {
	subjects := filter.Get("subject").Elements()
	switch {
	case len(subjects) == 0:
		return ""
	case subjects[0].Text() != "":
		return subjects[0].Text()
	}
	return subjects[0].Get("prefix").Text() + "example" + subjects[0].Get("suffix").Text()
}
