package manifest

import (
	"cmp"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ReadSAM reads template.yml and returns what it deploys to AWS Lambda, as [ReadFC] does for s.yaml.
func ReadSAM(path string) (*Deployment, error) {
	d, deployment := readSAM(path)
	return deployment, d.errs.Err()
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
	for _, one := range d.root.Get("Parameters").Entries() {
		d.parameter(one)
	}
	for _, one := range d.root.Get("Resources").Entries() {
		switch one.Get("Type").Text() {
		case "AWS::Serverless::Function":
			deployment.Functions = append(deployment.Functions, d.samFunction(one))
			d.watched(one, "AWS/Lambda", "Errors")
		case "AWS::Events::Rule":
			pattern := one.Get("Properties", "EventPattern")
			deployment.sources = append(deployment.sources, d.pattern(pattern, pattern)...)
		case "AWS::SQS::Queue":
			if !one.Get("Properties", "RedrivePolicy").Exists() { // the last stop: nothing takes its messages away
				d.watched(one, "AWS/SQS", "ApproximateNumberOfMessagesVisible")
			}
		case "AWS::Logs::MetricFilter":
			d.alarmed(one)
		case "AWS::CloudWatch::Alarm":
			d.measured(one)
		}
	}
	return deployment
}

// parameter holds a parameter to its own rules: it says what it takes, and its default is that.
func (d *document) parameter(one entry) {
	pattern, values, value := one.Get("AllowedPattern"), one.Get("AllowedValues").Elements(), one.Get("Default")
	if !pattern.Exists() && values == nil {
		d.fail(one.Place, "takes anything: add AllowedPattern or AllowedValues")
	}
	if _, isNumber := value.Number(); value.Exists() && isNumber != (one.Get("Type").Text() == "Number") {
		d.fail(value, "is %s: write a value of the Type %s", value.Kind(), one.Get("Type").Text())
	}
	isValue := func(allowed place) bool { return allowed.Text() == value.Text() }
	if value.Exists() && values != nil && !slices.ContainsFunc(values, isValue) {
		d.fail(value, "is %s: write one of AllowedValues", shown(value))
	}
	if pattern.Text() == "" {
		return
	}
	match, err := regexp.Compile(pattern.Text())
	switch {
	case err != nil:
		d.fail(pattern, "is no regular expression: correct it")
	case value.Exists() && !match.MatchString(value.Text()):
		d.fail(value, "is %s: write what AllowedPattern takes", shown(value))
	}
}

// awsReserved are what Lambda keeps for itself; ALIBABA_ variables are not among them.
// Source: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var awsReserved = []string{"AWS_", "LAMBDA_", "_"}

// dynamic is a reference to a field of a secret, which CloudFormation resolves.
// Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
var dynamic = regexp.MustCompile(`^\{\{resolve:secretsmanager:[^{}]+:SecretString:([A-Z][A-Z0-9_]*)(::?[^{}]*)?\}\}$`)

// isDynamic reports whether a value comes from the field of a secret that is named as the variable.
func isDynamic(name, value string) bool {
	found := dynamic.FindStringSubmatch(value)
	return found != nil && found[1] == name
}

// samFunction reads one function and holds it to the rules that join several keys.
func (d *document) samFunction(resource entry) Function {
	global, props := d.root.Get("Globals", "Function"), resource.Get("Properties")
	code := props.Get("CodeUri")
	f := Function{deployed: props.Get("FunctionName").Text(), at: resource.Place, env: make(map[string]place)}
	f.Name = strings.TrimSuffix(strings.TrimPrefix(code.Text(), "dist/"), "/")
	if name, ok := strings.CutSuffix(resource.Name, "Function"); !ok || code.Exists() && strings.ToLower(name) != f.Name {
		d.fail(code, "is %s in %s: write dist/<function>/, and call the resource <Function>Function", shown(code), resource.Name)
	}
	for _, name := range []string{"Runtime", "Handler", "Architectures", "MemorySize"} {
		if !props.Get(name).Exists() && !global.Get(name).Exists() {
			d.fail(props.Get(name), "is missing: add it here or under Globals")
		}
	}
	for _, variables := range []place{global, props} {
		for _, one := range variables.Get("Environment", "Variables").Entries() {
			f.env[one.Name] = one.Place
		}
	}
	f.Environment = slices.Sorted(maps.Keys(f.env))
	d.environment(props.Get("Environment"), f.env, awsReserved, isDynamic, "!Sub '{{resolve:secretsmanager:<ARN>:SecretString:NAME}}'")
	timeout := props.Get("Timeout")
	if seconds, ok := timeout.Number(); ok {
		f.Timeout = time.Duration(seconds) * time.Second
	}
	least := takeTimeoutMin
	if props.Get("FunctionUrlConfig").Exists() {
		least = httpTimeoutMin
	}
	d.timeout(timeout, f.Timeout, least)
	for _, event := range props.Get("Events").Entries() {
		d.samEvent(event, &f)
	}
	return f
}

// samEvent reads what starts a function.
func (d *document) samEvent(event entry, f *Function) {
	props := event.Get("Properties")
	switch event.Get("Type").Text() {
	case "ScheduleV2":
		if t, ok := d.samTimer(event.Name, props); ok {
			f.Timers = append(f.Timers, t)
		}
	case "SQS":
		d.queue(props.Get("Queue"), f.Timeout)
	}
}

// samTimer reads a schedule; the second result is false for one that is wrong or switched off.
func (d *document) samTimer(name string, props place) (Timer, bool) {
	expression, zone, input := props.Get("ScheduleExpression"), props.Get("ScheduleExpressionTimezone"), props.Get("Input")
	if !expression.Exists() || !input.Exists() {
		return Timer{}, false
	}
	schedule, err := parseAWS(expression.Text(), cmp.Or(zone.Text(), "UTC"))
	switch {
	case errors.Is(err, errZone):
		d.fail(zone, "%v", err)
	case err != nil:
		d.fail(expression, "%v", err)
	}
	t, ok := d.timer(name, expression, input, []byte(awsInput.Replace(input.Text())), schedule)
	if ok && (!strings.Contains(input.Text(), "<aws.scheduler.scheduled-time>") || !strings.Contains(input.Text(), "<aws.scheduler.schedule-arn>")) {
		d.fail(input, `has no identity: add "scheduledTime":"<aws.scheduler.scheduled-time>","scheduleArn":"<aws.scheduler.schedule-arn>"`)
		return t, false
	}
	return t, ok && props.Get("State").Text() != "DISABLED"
}

// patience is how long orders in a queue are repeated at least: one snapshot and one sweep.
const patience = 40 * time.Minute

// queue holds the queue of a function to what Lambda asks for: a message is hidden six times as long as the function may
// run, and goes to another queue in the end, but not before patience is over.
// Source: docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (d *document) queue(at place, timeout time.Duration) {
	if !at.Exists() || d.refs[at.Node].name == "" {
		return
	}
	props := d.root.Get("Resources", d.refs[at.Node].name, "Properties")
	hidden, redrive := props.Get("VisibilityTimeout"), props.Get("RedrivePolicy")
	seconds, _ := hidden.Number()
	if seconds < 6*timeout.Seconds() {
		d.fail(hidden, "is too short for a function that may run %s s: write at least %s", decimal(timeout.Seconds()), decimal(6*timeout.Seconds()))
	}
	receives := redrive.Get("maxReceiveCount")
	times, _ := receives.Number()
	switch {
	case !redrive.Exists():
		d.fail(redrive, "is missing: name the queue for messages that fail again and again")
	case receives.Exists() && seconds*(times-1) <= patience.Seconds():
		d.fail(receives, "gives an order up before one snapshot and one sweep are over (40 minutes): write more, each is worth VisibilityTimeout")
	}
}
