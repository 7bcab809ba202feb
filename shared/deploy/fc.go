package deploy

import (
	"cmp"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fcResource is a function in s.yaml: what we read of component fc3 of Serverless Devs.
// Source: github.com/devsapp/fc3, docs.
type fcResource struct {
	Props struct {
		FunctionName value            `yaml:"functionName"`
		Runtime      value            `yaml:"runtime"`
		Handler      value            `yaml:"handler"`
		Code         value            `yaml:"code"`
		Role         value            `yaml:"role"`
		Timeout      value            `yaml:"timeout"`
		Environment  map[string]value `yaml:"environmentVariables"`
		Triggers     []fcTrigger      `yaml:"triggers"`
	} `yaml:"props"`
}

type fcTrigger struct {
	Name   value `yaml:"triggerName"`
	Type   value `yaml:"triggerType"`
	Config struct {
		Cron    value `yaml:"cronExpression"`
		Enable  value `yaml:"enable"` // of a timer
		Payload value `yaml:"payload"`
		Filter  value `yaml:"eventRuleFilterPattern"`
	} `yaml:"triggerConfig"`
}

// readFC reads s.yaml.
func (d *Deployment) readFC(root *yaml.Node) {
	d.expandVars(root)
	for _, name := range names {
		node, line := at(root, "resources", name)
		if node == nil {
			continue
		}
		var resource fcResource
		d.decode(node, &resource)
		props := resource.Props
		f := function{name: name, line: line, deployed: props.FunctionName, runtime: props.Runtime, handler: props.Handler,
			code: props.Code, timeout: props.Timeout, role: props.Role, env: props.Environment}
		f.key = cmp.Or(f.role, f.env["ALIBABA_CLOUD_ACCESS_KEY_ID"])
		d.functions = append(d.functions, f)
		for _, one := range props.Triggers {
			d.addTrigger(name, one)
		}
	}
	d.checkFunctions("go1")
}

// addTrigger reads a trigger of a function.
func (d *Deployment) addTrigger(function string, one fcTrigger) {
	switch config := one.Config; one.Type.text {
	case "timer":
		if config.Enable.text == "false" {
			return
		}
		event, _ := json.Marshal(map[string]string{ // only text
			"triggerTime": tickTime, "triggerName": one.Name.text, "payload": config.Payload.text})
		d.addTimer(function, one.Name.text, config.Cron, config.Payload, event, parseFC)
	case "eventbridge":
		var filter pattern
		if err := yaml.Unmarshal([]byte(config.Filter.text), &filter); err != nil { // JSON is YAML
			d.fail(config.Filter.line, "trigger %s has a filter that is not JSON: correct it", one.Name.text)
			return
		}
		d.addSource(config.Filter.line, filter)
	}
}

// expandVars replaces the variables of Serverless Devs that stand for a value under vars.
// Source: docs.serverless-devs.com, "Yaml": variable assignment.
func (d *Deployment) expandVars(root *yaml.Node) {
	lookup := func(name string) *yaml.Node {
		path := strings.Split(strings.TrimSpace(name), ".")
		if path[0] != "vars" {
			return nil
		}
		found, _ := at(root, path...)
		return found
	}
	vars, _ := at(root, "vars")
	for range 4 { // vars can name others
		expand(vars, lookup, false)
	}
	resources, _ := at(root, "resources")
	expand(resources, lookup, true)
}
