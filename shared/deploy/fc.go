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
func (f *File) readFC(root *yaml.Node) {
	f.expandVars(root)
	for _, name := range functionNames {
		node, line := get(root, "resources", name)
		if node == nil {
			continue
		}
		var resource fcResource
		f.decode(node, &resource)
		props := resource.Props
		fn := functionEntry{name: name, line: line, deployed: props.FunctionName, runtime: props.Runtime,
			handler: props.Handler, code: props.Code, timeout: props.Timeout, role: props.Role, env: props.Environment}
		fn.key = cmp.Or(fn.role, fn.env["ALIBABA_CLOUD_ACCESS_KEY_ID"])
		f.functions = append(f.functions, fn)
		for _, one := range props.Triggers {
			f.addTrigger(name, one)
		}
	}
	f.checkFunctions("go1")
}

// addTrigger reads a trigger of a function.
func (f *File) addTrigger(function string, one fcTrigger) {
	switch config := one.Config; one.Type.text {
	case "timer":
		if config.Enable.text == "false" {
			return
		}
		event, _ := json.Marshal(map[string]string{ // only text
			"triggerTime": tickTime, "triggerName": one.Name.text, "payload": config.Payload.text})
		f.addTimer(function, one.Name.text, config.Cron, config.Payload, event, parseFC)
	case "eventbridge":
		var filter pattern
		if err := yaml.Unmarshal([]byte(config.Filter.text), &filter); err != nil { // JSON is YAML
			f.fail(config.Filter.line, "trigger %s has a filter that is not JSON: correct it", one.Name.text)
			return
		}
		f.addSource(config.Filter.line, filter)
	}
}

// expandVars replaces the variables of Serverless Devs that stand for a value under vars.
// Source: docs.serverless-devs.com, "Yaml": variable assignment.
func (f *File) expandVars(root *yaml.Node) {
	lookup := func(name string) *yaml.Node {
		path := strings.Split(strings.TrimSpace(name), ".")
		if path[0] != "vars" {
			return nil
		}
		found, _ := get(root, path...)
		return found
	}
	vars, _ := get(root, "vars")
	for range 4 { // vars can name others
		expand(vars, lookup, false)
	}
	resources, _ := get(root, "resources")
	expand(resources, lookup, true)
}
