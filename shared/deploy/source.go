package deploy

import (
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// source is a filter of a bus whose events come to the event function.
type source struct {
	line   int
	events []snapshot.BusEvent // one for each kind that it lets through
}

// pattern is a filter of EventBridge, of either platform: fields with lists of texts, or of mappings such as a prefix.
// Source: help.aliyun.com/zh/eventbridge, "Event patterns"; docs.aws.amazon.com/eventbridge, "Event patterns".
type pattern struct {
	Source     []any `yaml:"source"`
	Type       []any `yaml:"type"`
	DetailType []any `yaml:"detail-type"`
	Subject    []any `yaml:"subject"`
}

// addSource adds a filter.
func (f *File) addSource(line int, p pattern) {
	one := source{line: line}
	for _, from := range examples(p.Source) {
		for _, kind := range examples(append(p.Type, p.DetailType...)) {
			for _, subject := range examples(p.Subject) {
				one.events = append(one.events, snapshot.BusEvent{Source: from, Type: kind, Subject: subject})
			}
		}
	}
	f.sources = append(f.sources, one)
}

// examples returns a text for each element of a field of a filter that the element lets through; "" if there is none.
func examples(elements []any) []string {
	if len(elements) == 0 {
		return []string{""}
	}
	texts := make([]string, len(elements))
	for i, element := range elements {
		switch element := element.(type) {
		case string:
			texts[i] = element
		case map[string]any:
			prefix, _ := element["prefix"].(string)
			suffix, _ := element["suffix"].(string)
			texts[i] = prefix + "example" + suffix
		}
	}
	return texts
}

// compareSources reports filters that let events of a vendor through for which the policy has no rule. The events of
// others carry an order of their own.
func (f *File) compareSources(p policy.Policy) {
	for _, one := range f.sources {
		for _, event := range one.events {
			vendor := strings.HasPrefix(event.Source, "acs.") || strings.HasPrefix(event.Source, "aws.")
			if vendor && len(p.Orders(event)) == 0 {
				f.warn(one.line, "the filter lets %s of %s through, for which %s has no rule under events: narrow it, or add one",
					event.Type, event.Source, policy.FileName)
				break
			}
		}
	}
}
