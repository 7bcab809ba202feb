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
func (d *Deployment) readSAM(root *yaml.Node) {
	parameter := func(name string) *yaml.Node {
		found, _ := at(root, "Parameters", name, "Default")
		return found
	}
	resources, _ := at(root, "Resources")
	expand(resources, parameter, false)
	global, _ := at(root, "Globals", "Function")
	expand(global, parameter, false)
	queues := make(map[string]bool) // those that the functions read
	for _, name := range names {
		resource, line := at(resources, resourceOf(name))
		node, _ := at(resource, "Properties")
		if node == nil {
			continue
		}
		var props samFunction
		d.decode(global, &props)
		d.decode(node, &props) // maps are merged
		f := function{name: name, line: line, deployed: props.FunctionName, runtime: props.Runtime,
			handler: props.Handler, code: props.CodeURI, timeout: props.Timeout, role: props.Role,
			env: props.Environment.Variables}
		f.key = cmp.Or(f.env["ALIBABA_CLOUD_SECRET_ID"], f.env["ALIBABA_CLOUD_ACCESS_KEY_ID"])
		d.functions = append(d.functions, f)
		for _, event := range slices.Sorted(maps.Keys(props.Events)) {
			d.addEvent(&f, event, props.Events[event], resources)
			queues[props.Events[event].Properties.Queue.refersTo()] = true
		}
	}
	d.addRules(resources, queues)
	d.checkFunctions("provided")
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
func (d *Deployment) addEvent(f *function, name string, event samEvent, resources *yaml.Node) {
	switch props := event.Properties; event.Type.text {
	case "ScheduleV2", "Schedule":
		if props.State.text == "DISABLED" || props.Enabled.text == "false" {
			return
		}
		d.addTimer(f.name, name, cmp.Or(props.ScheduleExpression, props.Schedule), props.Input,
			[]byte(scheduler.Replace(props.Input.text)),
			func(expression string) (cron.Schedule, error) { return parseAWS(expression, props.Timezone.text) })
	case "SQS":
		reports := func(v value) bool { return !v.known() || v.text == "ReportBatchItemFailures" }
		if !slices.ContainsFunc(props.ResponseTypes, reports) {
			d.fail(event.Type.line, "event %s does not name ReportBatchItemFailures under FunctionResponseTypes: "+
				"a message whose order failed would be lost", name)
		}
		d.checkQueue(props.Queue.refersTo(), resources)
	case "EventBridgeRule", "CloudWatchEvent":
		d.failRule(event.Type.line, name)
	}
}

// failRule reports a rule that sends events to a function.
func (d *Deployment) failRule(line int, name string) {
	d.fail(line, "rule %s sends events to the function, whose retries end after a few minutes: send them to the queue", name)
}

// patience is how long orders in a queue are repeated at least: one snapshot and one sweep.
const patience = 40 * time.Minute

// visibilityDefault is how many seconds a queue hides a message that is being worked on.
// Source: docs.aws.amazon.com/AWSSimpleQueueService, "Amazon SQS visibility timeout".
const visibilityDefault = 30

// checkQueue reports a queue that repeats its messages for too short a time.
func (d *Deployment) checkQueue(name string, resources *yaml.Node) {
	node, _ := at(resources, name, "Properties")
	if node == nil {
		return
	}
	var queue samQueue
	d.decode(node, &queue)
	hidden, known := queue.VisibilityTimeout.number(visibilityDefault)
	receives := queue.RedrivePolicy.MaxReceiveCount
	if times, ok := receives.number(0); known && ok && receives.line > 0 && hidden*(times-1) <= patience.Seconds() {
		d.fail(receives.line, "queue %s drops an order before one snapshot and one sweep are over (40 minutes): "+
			"use a larger maxReceiveCount, each is worth VisibilityTimeout", name)
	}
}

// addRules reads the rules that send events to our functions or to their queues.
func (d *Deployment) addRules(resources *yaml.Node, queues map[string]bool) {
	var all map[string]struct {
		Type       value     `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	}
	d.decode(resources, &all)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		one := all[name]
		if one.Type.text != "AWS::Events::Rule" {
			continue
		}
		var rule samRule
		d.decode(&one.Properties, &rule)
		for _, target := range rule.Targets {
			to := target.Arn.refersTo()
			ours := slices.ContainsFunc(names, func(function string) bool { return resourceOf(function) == to })
			if rule.EventPattern == nil || !ours && !queues[to] {
				continue
			}
			if ours {
				d.failRule(target.Arn.line, name)
			}
			_, line := at(&one.Properties, "EventPattern")
			d.addSource(line, *rule.EventPattern)
		}
	}
}
