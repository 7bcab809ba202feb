package deploy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"
	"go.yaml.in/yaml/v3"
)

// samFunction is what we read of a function in template.yml, under Properties or under Globals.
// Source: docs.aws.amazon.com/serverless-application-model, AWS::Serverless::Function.
type samFunction struct {
	FunctionName value `yaml:"FunctionName"`
	Runtime      value `yaml:"Runtime"`
	Handler      value `yaml:"Handler"`
	CodeURI      value `yaml:"CodeUri"`
	Role         value `yaml:"Role"`
	Timeout      value `yaml:"Timeout"`
	Environment  struct {
		Variables map[string]value `yaml:"Variables"`
	} `yaml:"Environment"`
	Events map[string]samEvent `yaml:"Events"`
}

type samEvent struct {
	Type       value `yaml:"Type"`
	Properties struct {
		ScheduleExpression value   `yaml:"ScheduleExpression"` // of ScheduleV2
		Timezone           value   `yaml:"ScheduleExpressionTimezone"`
		Schedule           value   `yaml:"Schedule"` // of Schedule
		Input              value   `yaml:"Input"`
		State              value   `yaml:"State"`
		Enabled            value   `yaml:"Enabled"`
		Queue              value   `yaml:"Queue"`
		ResponseTypes      []value `yaml:"FunctionResponseTypes"`
	} `yaml:"Properties"`
}

// samQueue is what we read of an AWS::SQS::Queue.
type samQueue struct {
	VisibilityTimeout value `yaml:"VisibilityTimeout"`
	RedrivePolicy     struct {
		MaxReceiveCount value `yaml:"maxReceiveCount"`
	} `yaml:"RedrivePolicy"`
}

// samRule is what we read of an AWS::Events::Rule.
type samRule struct {
	EventPattern *pattern `yaml:"EventPattern"`
	Targets      []struct {
		Arn value `yaml:"Arn"`
	} `yaml:"Targets"`
}

// resourceOf returns the name of a function in template.yml: TimerFunction.
func resourceOf(function string) string {
	return strings.ToUpper(function[:1]) + function[1:] + "Function"
}

// readSAM reads template.yml.
func (f *File) readSAM(root *yaml.Node) {
	parameter := func(name string) *yaml.Node {
		found, _ := get(root, "Parameters", name, "Default")
		return found
	}
	resources, _ := get(root, "Resources")
	expand(resources, parameter, false)
	global, _ := get(root, "Globals", "Function")
	expand(global, parameter, false)
	queues := make(map[string]bool) // those that the functions read
	for _, name := range functionNames {
		resource, line := get(resources, resourceOf(name))
		node, _ := get(resource, "Properties")
		if node == nil {
			continue
		}
		var props samFunction
		f.decode(global, &props)
		f.decode(node, &props) // maps are merged
		fn := functionEntry{name: name, line: line, deployed: props.FunctionName, runtime: props.Runtime,
			handler: props.Handler, code: props.CodeURI, timeout: props.Timeout, role: props.Role,
			env: props.Environment.Variables}
		fn.key = cmp.Or(fn.env["ALIBABA_CLOUD_SECRET_ID"], fn.env["ALIBABA_CLOUD_ACCESS_KEY_ID"])
		f.functions = append(f.functions, fn)
		for _, event := range slices.Sorted(maps.Keys(props.Events)) {
			f.addEvent(&fn, event, props.Events[event], resources)
			queues[props.Events[event].Properties.Queue.refersTo()] = true
		}
	}
	delete(queues, "") // of events without one
	f.addRules(resources, queues)
	f.checkFunctions("provided")
}

// scheduler fills in the context attributes of EventBridge Scheduler.
// Source: docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
var scheduler = strings.NewReplacer(
	"<aws.scheduler.scheduled-time>", tickTime,
	"<aws.scheduler.schedule-arn>", "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/name",
	"<aws.scheduler.execution-id>", "00000000-0000-0000-0000-000000000000",
	"<aws.scheduler.attempt-number>", "1",
)

// addEvent reads what starts a function.
func (f *File) addEvent(fn *functionEntry, name string, event samEvent, resources *yaml.Node) {
	switch props := event.Properties; event.Type.text {
	case "ScheduleV2", "Schedule":
		if props.State.text == "DISABLED" || props.Enabled.text == "false" {
			return
		}
		f.addTimer(fn.name, name, cmp.Or(props.ScheduleExpression, props.Schedule), props.Input,
			[]byte(scheduler.Replace(props.Input.text)),
			func(expression string) (cron.Schedule, error) { return parseAWS(expression, props.Timezone.text) })
	case "SQS":
		reports := func(v value) bool { return !v.known() || v.text == "ReportBatchItemFailures" }
		if !slices.ContainsFunc(props.ResponseTypes, reports) {
			f.fail(event.Type.line, "event %s does not name ReportBatchItemFailures under FunctionResponseTypes: "+
				"a message whose order failed would be lost", name)
		}
		f.checkQueue(props.Queue.refersTo(), resources)
	case "EventBridgeRule", "CloudWatchEvent":
		f.failRule(event.Type.line, name)
	}
}

// failRule reports a rule that sends events to a function.
func (f *File) failRule(line int, name string) {
	f.fail(line, "rule %s sends events to the function, whose retries end in minutes: send them to the queue", name)
}

// patience is how long orders in a queue are repeated at least: one snapshot and one sweep.
const patience = 40 * time.Minute

// visibilityDefault is how many seconds a queue hides a message that is being worked on.
// Source: docs.aws.amazon.com/AWSSimpleQueueService, "Amazon SQS visibility timeout".
const visibilityDefault = 30

// checkQueue reports a queue that repeats its messages for too short a time.
func (f *File) checkQueue(name string, resources *yaml.Node) {
	node, _ := get(resources, name, "Properties")
	if node == nil {
		return
	}
	var queue samQueue
	f.decode(node, &queue)
	hidden, known := queue.VisibilityTimeout.number(visibilityDefault)
	receives := queue.RedrivePolicy.MaxReceiveCount
	if times, ok := receives.number(0); known && ok && receives.line > 0 && hidden*(times-1) <= patience.Seconds() {
		f.fail(receives.line, "queue %s drops an order before one snapshot and one sweep are over (40 minutes): "+
			"use a larger maxReceiveCount, each is worth VisibilityTimeout", name)
	}
}

// addRules reads the rules that send events to our functions or to their queues.
func (f *File) addRules(resources *yaml.Node, queues map[string]bool) {
	var all map[string]struct {
		Type       value     `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	}
	f.decode(resources, &all)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		one := all[name]
		if one.Type.text != "AWS::Events::Rule" {
			continue
		}
		var rule samRule
		f.decode(&one.Properties, &rule)
		for _, target := range rule.Targets {
			to := target.Arn.refersTo()
			ours := slices.ContainsFunc(functionNames, func(function string) bool { return resourceOf(function) == to })
			if rule.EventPattern == nil || !ours && !queues[to] {
				continue
			}
			if ours {
				f.failRule(target.Arn.line, name)
			}
			_, line := get(&one.Properties, "EventPattern")
			f.addSource(line, *rule.EventPattern)
		}
	}
}
