package manifest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// environmentMax is how many bytes the names and values of a function's variables may have together, on both platforms.
	environmentMax = 4096

	// httpTimeoutMin leaves the 8 s that a webhook may take, and the 2 s before the deadline in which nothing begins.
	httpTimeoutMin = 10 * time.Second

	// takeTimeoutMin lets an order wait out the API's limit of calls a minute.
	takeTimeoutMin = 60 * time.Second
)

// ReadFC reads s.yaml and returns what it deploys to Function Compute. The error is [strictyaml.Errors]:
// every defect of the file by itself. Whether it fits the rest of the repository is for [Check].
func ReadFC(path string) (*Deployment, error) {
	d, deployment := readFC(path)
	return deployment, d.errs.Err()
}

func readFC(path string) (*document, *Deployment) {
	d, ok := load(path)
	if !ok {
		return d, &Deployment{File: d.file}
	}
	return d, d.fc()
}

// fc checks a file that is plain YAML and returns what it deploys.
func (d *document) fc() *Deployment {
	deployment := &Deployment{File: d.file}
	d.resolveVars()
	fcShape.check(d, d.root)
	d.fcBuild()
	names := make(map[string]bool)
	for _, resource := range d.root.Get("resources").Entries() {
		props := resource.Get("props")
		if name := props.Get("functionName"); name.Text() != "" {
			if names[name.Text()] {
				d.fail(name, "is %s, as another function's: give each its own", quoted(name.Text()))
			}
			names[name.Text()] = true
		}
		deployment.Functions = append(deployment.Functions, d.fcFunction(resource, deployment))
	}
	return deployment
}

// buildCommand makes what the functions consist of.
const buildCommand = "go run ./functions/local build"

// fcBuild reports a file that deploys what was not built. Function Compute runs x86_64 only.
func (d *document) fcBuild() {
	at := d.root.Get("actions", "pre-deploy")
	var runs int
	for _, action := range at.Elements() {
		if run := action.Get("run"); run.Text() == buildCommand {
			runs++
		} else if run.Exists() {
			d.fail(run, "is %s: write %s", shown(run), buildCommand)
		}
		if path := action.Get("path"); path.Exists() && path.Text() != "." {
			d.fail(path, "is %s: write . for the folder of this file", shown(path))
		}
	}
	if at.Exists() && runs != 1 {
		d.fail(at, "runs %s %d times: run it once", buildCommand, runs)
	}
}

// fcFunction reads one resource and holds it to the rules that join several keys.
func (d *document) fcFunction(resource entry, deployment *Deployment) Function {
	props := resource.Get("props")
	f := Function{Name: resource.Name, deployed: props.Get("functionName").Text(), at: resource.Place, env: make(map[string]place)}
	if code := props.Get("code"); code.Exists() && code.Text() != "./dist/"+f.Name {
		d.fail(code, "is %s: write ./dist/%s, as the resource is named", shown(code), f.Name)
	}
	for _, one := range props.Get("environmentVariables").Entries() {
		f.env[one.Name] = one.Place
	}
	f.Environment = slices.Sorted(maps.Keys(f.env))
	d.environment(props.Get("environmentVariables"), f.env, []string{"FC_"}, isUnknown, "${env('NAME', '')}")
	d.ratio(props)
	d.region(props)
	if seconds, ok := props.Get("timeout").Number(); ok {
		f.Timeout = time.Duration(seconds) * time.Second
	}
	d.fcTriggers(props, &f, deployment)
	return f
}

// ratio holds cpu to memory: between 1:1 and 1:4, in cores and GB.
// Source: help.aliyun.com/zh/functioncompute, "Instance types and specifications".
func (d *document) ratio(props place) {
	cpu, ok := props.Get("cpu").Number()
	memory, too := props.Get("memorySize").Number()
	if gigabytes := memory / 1024; ok && too && (gigabytes < cpu || gigabytes > 4*cpu) {
		d.fail(props.Get("cpu"), "is %s for %s MB of memory: write 1 to 4 GB a core", decimal(cpu), decimal(memory))
	}
}

// region holds the queue of failures to the region of the function.
func (d *document) region(props place) {
	destination := props.Get("asyncInvokeConfig", "destinationConfig", "onFailure", "destination")
	parts := strings.Split(destination.Text(), ":")
	if region := props.Get("region").Text(); len(parts) > 2 && parts[2] != region {
		d.fail(destination, "is in the region %s: write %s, the function's own", quoted(parts[2]), region)
	}
}

// fcTriggers reads the triggers of a function.
func (d *document) fcTriggers(props place, f *Function, deployment *Deployment) {
	names := make(map[string]bool)
	least, https := takeTimeoutMin, 0
	for _, one := range props.Get("triggers").Elements() {
		name, config := one.Get("triggerName"), one.Get("triggerConfig")
		if names[name.Text()] {
			d.fail(name, "is %s, as another trigger's of the function: give each its own", quoted(name.Text()))
		}
		names[name.Text()] = true
		switch one.Get("triggerType").Text() {
		case "timer":
			if t, ok := d.fcTimer(name, config); ok {
				f.Timers = append(f.Timers, t)
			}
		case "http":
			least = httpTimeoutMin
			if https++; https > 1 {
				d.fail(name, "is the second HTTP trigger of the function: a version has one")
			}
		case "eventbridge":
			pattern := config.Get("eventRuleFilterPattern")
			deployment.sources = append(deployment.sources, d.patternJSON(pattern)...)
		}
	}
	d.timeout(props.Get("timeout"), f.Timeout, least)
}

// fcTimer reads a timer; the second result is false for one that is wrong or switched off.
func (d *document) fcTimer(name, config place) (Timer, bool) {
	expression, payload := config.Get("cronExpression"), config.Get("payload")
	if !expression.Exists() || !payload.Exists() {
		return Timer{}, false
	}
	schedule, err := parseFC(expression.Text())
	if err != nil {
		d.fail(expression, "%v", err)
	}
	t, ok := d.timer(name.Text(), expression, payload, fcEvent(name.Text(), payload.Text()), schedule)
	return t, ok && config.Get("enable").Text() == "true"
}

// timeout holds a function to the least time that it needs.
func (d *document) timeout(at place, is, least time.Duration) {
	if at.Exists() && is > 0 && is < least {
		d.fail(at, "is %s: write at least %s for what this function does", decimal(is.Seconds()), decimal(least.Seconds()))
	}
}

// environment holds the variables of a function to the platform's limits, and secrets to be references.
func (d *document) environment(at place, env map[string]place, reserved []string, byReference func(name, value string) bool, advice string) {
	size := 0
	for name, value := range env {
		size += len(name) + len(strings.ReplaceAll(value.Text(), unknown, ""))
		for _, prefix := range reserved {
			if strings.HasPrefix(name, prefix) {
				d.fail(value, "begins with %s, which the platform keeps for itself: choose another name", prefix)
			}
		}
		if secret(name) && !byReference(name, value.Text()) {
			d.fail(value, "is a secret in plain text: write %s", strings.ReplaceAll(advice, "NAME", name))
		}
	}
	if size > environmentMax {
		d.fail(at, "has %d bytes of names and values: at most %d are allowed", size, environmentMax)
	}
}

// isUnknown reports whether the whole of a value comes from outside of the file.
func isUnknown(_, value string) bool { return value == unknown }

// secret reports whether a variable holds a secret, by its name.
func secret(name string) bool {
	if name == "ALIBABA_CLOUD_SECRET_ID" || name == "ALIBABA_CLOUD_ACCESS_KEY_ID" {
		return false // the names of secrets
	}
	for _, word := range []string{"SECRET", "TOKEN", "KEY", "PASSWORD"} {
		if slices.Contains(strings.Split(name, "_"), word) {
			return true
		}
	}
	return false
}
