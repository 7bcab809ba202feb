package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ReadSAM reads template.yml and returns what it deploys to AWS Lambda. The error is [Errors]: every defect of the file by
// itself. Whether it fits the rest of the repository is for [Check].
func ReadSAM(path string) (*Deployment, error) {
	d, deployment := readSAM(path)
	return deployment, d.errs.asError()
}

func readSAM(path string) (*document, *Deployment) {
	d, ok := load(path, samTags...)
	if !ok {
		return d, &Deployment{File: d.file}
	}
	return d, d.sam()
}

// sam checks a template that is plain YAML and returns what it deploys.
func (d *document) sam() *Deployment {
	deployment := &Deployment{File: d.file}
	d.resolveRefs()
	samShape.check(d, d.root)
	for _, one := range entries(d.root.get("Parameters")) {
		d.parameter(one)
	}
	for _, one := range entries(d.root.get("Resources")) {
		switch one.get("Type").text() {
		case "AWS::Serverless::Function":
			deployment.Functions = append(deployment.Functions, d.samFunction(one))
			d.watched(one, "AWS/Lambda", "Errors")
		case "AWS::SQS::Queue":
			if !one.get("Properties", "RedrivePolicy").exists() { // the last stop: nothing takes its messages away
				d.watched(one, "AWS/SQS", "ApproximateNumberOfMessagesVisible")
			}
		}
	}
	return deployment
}

// parameter holds a parameter to its own rules: it says what it takes, and its default is that.
func (d *document) parameter(one entry) {
	pattern, values, value := one.get("AllowedPattern"), elements(one.get("AllowedValues")), one.get("Default")
	if !pattern.exists() && values == nil {
		d.fail(one.place, "takes anything: add AllowedPattern or AllowedValues")
	}
	if _, isNumber := value.number(); value.exists() && isNumber != (one.get("Type").text() == "Number") {
		d.fail(value, "is %s: write a value of the Type %s", kindOf(value.node), one.get("Type").text())
	}
	isValue := func(allowed place) bool { return allowed.text() == value.text() }
	if value.exists() && values != nil && !slices.ContainsFunc(values, isValue) {
		d.fail(value, "is %s: write one of AllowedValues", shown(value))
	}
	if pattern.text() == "" {
		return
	}
	match, err := regexp.Compile(pattern.text())
	switch {
	case err != nil:
		d.fail(pattern, "is no regular expression: correct it")
	case value.exists() && !match.MatchString(value.text()):
		d.fail(value, "is %s: write what AllowedPattern takes", shown(value))
	}
}

// awsReserved are what Lambda keeps for itself; ALIBABA_ variables are not among them.
// Source: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var awsReserved = []string{"AWS_", "LAMBDA_", "_"}

// dynamic is a reference to a field of a secret, which CloudFormation resolves.
// Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
var dynamic = regexp.MustCompile(`^\{\{resolve:secretsmanager:[^{}]+:SecretString:([A-Z][A-Z0-9_]*)(::?[^{}]*)?\}\}$`)

// isDynamic tells whether a value comes from the field of a secret that is named as the variable.
func isDynamic(name, value string) bool {
	found := dynamic.FindStringSubmatch(value)
	return found != nil && found[1] == name
}

// samFunction reads one function and holds it to the rules that join several keys.
func (d *document) samFunction(resource entry) Function {
	global, props := d.root.get("Globals", "Function"), resource.get("Properties")
	code := props.get("CodeUri")
	f := Function{at: resource.place, env: make(map[string]place)}
	f.Name = strings.TrimSuffix(strings.TrimPrefix(code.text(), "dist/"), "/")
	if name, ok := strings.CutSuffix(resource.name, "Function"); !ok || code.exists() && strings.ToLower(name) != f.Name {
		d.fail(code, "is %s in %s: write dist/<function>/, and call the resource <Function>Function", shown(code), resource.name)
	}
	for _, name := range []string{"Runtime", "Handler", "Architectures", "MemorySize"} {
		if !props.get(name).exists() && !global.get(name).exists() {
			d.fail(props.get(name), "is missing: add it here or under Globals")
		}
	}
	for _, variables := range []place{global, props} {
		for _, one := range entries(variables.get("Environment", "Variables")) {
			f.env[one.name] = one.place
		}
	}
	f.Environment = slices.Sorted(maps.Keys(f.env))
	d.environment(props.get("Environment"), f.env, awsReserved, isDynamic, "!Sub '{{resolve:secretsmanager:<ARN>:SecretString:NAME}}'")
	timeout := props.get("Timeout")
	if seconds, ok := timeout.number(); ok {
		f.Timeout = time.Duration(seconds) * time.Second
	}
	least := takeTimeoutMin
	if props.get("FunctionUrlConfig").exists() {
		least = httpTimeoutMin
	}
	d.timeout(timeout, f.Timeout, least)
	for _, event := range entries(props.get("Events")) {
		d.samEvent(event, &f)
	}
	return f
}

// samEvent reads what starts a function.
func (d *document) samEvent(event entry, f *Function) {
	props := event.get("Properties")
	switch event.get("Type").text() {
	case "ScheduleV2":
		if t, ok := d.samTimer(event.name, props); ok {
			f.Timers = append(f.Timers, t)
		}
	case "EventBridgeRule":
		pattern := props.get("Pattern")
		f.Sources = append(f.Sources, d.pattern(pattern, pattern)...)
	case "SQS":
		d.queue(props.get("Queue"), f.Timeout)
	}
}

// samTimer reads a schedule; the second result is false for one that is wrong or switched off.
func (d *document) samTimer(name string, props place) (Timer, bool) {
	expression, zone, input := props.get("ScheduleExpression"), props.get("ScheduleExpressionTimezone"), props.get("Input")
	if !expression.exists() || !zone.exists() || !input.exists() {
		return Timer{}, false
	}
	schedule, err := parseAWS(expression.text(), zone.text())
	d.failSchedule(expression, zone, err)
	before := len(d.errs)
	tick := d.decode(input, []byte(awsInput.Replace(input.text())))
	if len(d.errs) == before && (!strings.Contains(input.text(), "<aws.scheduler.scheduled-time>") || !strings.Contains(input.text(), "<aws.scheduler.schedule-arn>")) {
		d.fail(input, `has no identity: add "scheduledTime":"<aws.scheduler.scheduled-time>","scheduleArn":"<aws.scheduler.schedule-arn>"`)
	}
	t := Timer{Name: name, Cron: expression.text(), Payload: input.text(), Tick: tick, schedule: schedule, at: input}
	return t, err == nil && len(d.errs) == before && props.get("State").text() != "DISABLED"
}

// queue holds the queue of a function to what Lambda asks for: a message is hidden six times as long as the function may
// run, and goes to another queue in the end.
// Source: docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (d *document) queue(at place, timeout time.Duration) {
	if !at.exists() || d.refs[at.node].name == "" {
		return
	}
	props := d.root.get("Resources", d.refs[at.node].name, "Properties")
	hidden := props.get("VisibilityTimeout")
	if seconds, _ := hidden.number(); seconds < 6*timeout.Seconds() {
		d.fail(hidden, "is too short for a function that may run %s s: write at least %s", decimal(timeout.Seconds()), decimal(6*timeout.Seconds()))
	}
	if redrive := props.get("RedrivePolicy"); !redrive.exists() {
		d.fail(redrive, "is missing: name the queue for messages that fail again and again")
	}
}

// watched reports a resource without an alarm on a metric.
func (d *document) watched(one entry, namespace, metric string) {
	for _, alarm := range entries(d.root.get("Resources")) {
		props := alarm.get("Properties")
		if alarm.get("Type").text() != "AWS::CloudWatch::Alarm" || props.get("Namespace").text() != namespace || props.get("MetricName").text() != metric {
			continue
		}
		for _, dimension := range elements(props.get("Dimensions")) {
			if value := dimension.get("Value"); value.exists() && d.refs[value.node].name == one.name {
				return
			}
		}
	}
	d.fail(one.place, "has no alarm on %s of %s: add an AWS::CloudWatch::Alarm", metric, namespace)
}
