package manifest

import (
	"slices"
	"strings"
)

// metrics are those of the platform that an alarm here may watch, by namespace.
var metrics = map[string][]string{
	"AWS/Lambda": {"Errors", "Throttles"},
	"AWS/SQS":    {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
}

// watched reports a resource without an alarm on a metric.
func (d *document) watched(one entry, namespace, metric string) {
	for _, alarm := range d.root.Get("Resources").Entries() {
		props := alarm.Get("Properties")
		if alarm.Get("Type").Text() != "AWS::CloudWatch::Alarm" || props.Get("Namespace").Text() != namespace || props.Get("MetricName").Text() != metric {
			continue
		}
		for _, dimension := range props.Get("Dimensions").Elements() {
			if value := dimension.Get("Value"); value.Exists() && d.refs[value.Node].name == one.Name {
				return
			}
		}
	}
	d.fail(one.Place, "has no alarm on %s of %s: add an AWS::CloudWatch::Alarm", metric, namespace)
}

// alarmed reports a filter whose metric no alarm watches.
func (d *document) alarmed(filter entry) {
	for _, transformation := range filter.Get("Properties", "MetricTransformations").Elements() {
		name := transformation.Get("MetricName")
		if !d.has("AWS::CloudWatch::Alarm", func(props place) bool {
			return props.Get("Namespace").Text() == ownNamespace && props.Get("MetricName").Text() == name.Text()
		}) {
			d.fail(name, "is a metric that no alarm watches: add an AWS::CloudWatch::Alarm on it")
		}
	}
}

// measured reports an alarm on a metric that nothing measures, or that is not that of one function or queue.
func (d *document) measured(alarm entry) {
	props := alarm.Get("Properties")
	namespace, name := props.Get("Namespace").Text(), props.Get("MetricName")
	if known, ok := metrics[namespace]; ok {
		if !slices.Contains(known, name.Text()) {
			d.fail(name, "is %s: write %s", shown(name), strings.Join(known, ", "))
		}
		if !props.Get("Dimensions").Exists() {
			d.fail(props.Get("Dimensions"), "is missing: add it")
		}
		return
	}
	if !d.has("AWS::Logs::MetricFilter", func(props place) bool {
		return slices.ContainsFunc(props.Get("MetricTransformations").Elements(), func(one place) bool { return one.Get("MetricName").Text() == name.Text() })
	}) {
		d.fail(name, "is a metric that no AWS::Logs::MetricFilter makes: add one")
	}
}

// has reports whether there is a resource of a type with such properties.
func (d *document) has(kind string, such func(props place) bool) bool {
	return slices.ContainsFunc(d.root.Get("Resources").Entries(), func(one entry) bool {
		return one.Get("Type").Text() == kind && such(one.Get("Properties"))
	})
}
