package manifest

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// samTags are the short forms of the intrinsic functions that template.yml may use.
var samTags = []string{"!Ref", "!GetAtt", "!Sub"}

// resource is what a reference names: a resource of the template, its type, and the attribute, "" for !Ref.
type resource struct{ name, kind, attribute string }

// attributes are what !GetAtt may ask of each type of resource.
// Source: the return values of each type in the CloudFormation template reference.
var attributes = map[string][]string{
	"AWS::CloudWatch::Alarm":    {"Arn"},
	"AWS::Events::Rule":         {"Arn"},
	"AWS::IAM::Role":            {"Arn", "RoleId"},
	"AWS::Lambda::Url":          {"FunctionArn", "FunctionUrl"},
	"AWS::Logs::LogGroup":       {"Arn"},
	"AWS::SNS::Topic":           {"TopicArn", "TopicName"},
	"AWS::SQS::Queue":           {"Arn", "QueueName", "QueueUrl"},
	"AWS::SQS::QueuePolicy":     {"Id"},
	"AWS::Serverless::Function": {"Arn"},
}

// pseudo are the parameters that every template has.
var pseudo = []string{"AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix"}

// intrinsics resolves the references of a template.
type intrinsics struct {
	*document
	parameters map[string]place
	resources  map[string]string // types by name
	used       map[string]bool
}

// resolveRefs replaces every reference of the template and reports those that lead nowhere, and the parameters that
// nothing uses.
func (d *document) resolveRefs() {
	in := intrinsics{d, make(map[string]place), make(map[string]string), make(map[string]bool)}
	for _, one := range d.root.Get("Parameters").Entries() {
		in.parameters[one.Name] = one.Place
	}
	for _, one := range d.root.Get("Resources").Entries() {
		in.resources[one.Name] = one.Get("Type").Text()
		if one.Get("Properties", "FunctionUrlConfig").Exists() {
			in.resources[one.Name+"Url"] = "AWS::Lambda::Url" // SAM makes it
		}
	}
	for _, one := range d.root.Entries() {
		if one.Name != "Parameters" {
			d.replace(one.Place, in.resolve)
		}
	}
	for _, one := range d.root.Get("Resources").Entries() {
		in.dependencies(one.Get("DependsOn"))
	}
	for name, at := range in.parameters {
		if !in.used[name] {
			d.fail(at, "is used nowhere: use it by !Ref %s, or leave it out", name)
		}
	}
}

// resolve returns what a scalar says once its references are replaced.
func (in intrinsics) resolve(at place) *yaml.Node {
	switch at.Node.Tag {
	case "!Ref":
		return in.ref(at, at.Text())
	case "!GetAtt":
		return in.attribute(at, at.Text())
	case "!Sub":
		return in.sub(at)
	}
	return at.Node
}

// ref returns what a name stands for: the default of a parameter, or what only deployment knows.
func (in intrinsics) ref(at place, name string) *yaml.Node {
	if parameter, ok := in.parameters[name]; ok {
		in.used[name] = true
		if value := parameter.Get("Default"); value.Exists() {
			return in.borrow(value)
		}
		return scalar(at, unknown)
	}
	node := scalar(at, unknown)
	if kind, ok := in.resources[name]; ok {
		in.refs[node] = resource{name, kind, ""}
	} else if !slices.Contains(pseudo, name) {
		in.fail(at, "refers to %s, and there is no such parameter or resource: correct the name", quoted(name))
	}
	return node
}

// attribute returns what only deployment knows.
func (in intrinsics) attribute(at place, path string) *yaml.Node {
	node := scalar(at, unknown)
	name, attribute, _ := strings.Cut(path, ".")
	kind, ok := in.resources[name]
	switch {
	case !ok:
		in.fail(at, "refers to %s, and there is no such resource: correct the name", quoted(name))
	case !slices.Contains(attributes[kind], attribute):
		in.fail(at, "asks %s for %s, which %s does not have: use one of %s", name, quoted(attribute), kind, strings.Join(attributes[kind], ", "))
	default:
		in.refs[node] = resource{name, kind, attribute}
	}
	return node
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// sub returns text with every ${Name} and ${Name.Attribute} replaced.
func (in intrinsics) sub(at place) *yaml.Node {
	var text strings.Builder
	end := 0
	for _, one := range placeholder.FindAllStringSubmatchIndex(at.Text(), -1) {
		text.WriteString(at.Text()[end:one[0]])
		end = one[1]
		name := at.Text()[one[2]:one[3]]
		value := in.ref
		if strings.Contains(name, ".") {
			value = in.attribute
		}
		text.WriteString(value(at, name).Value)
	}
	text.WriteString(at.Text()[end:])
	return scalar(at, text.String())
}

// dependencies reports what DependsOn names and is not there.
func (in intrinsics) dependencies(at place) {
	if !at.Exists() {
		return
	}
	names := at.Elements()
	if names == nil {
		names = []place{at}
	}
	for _, one := range names {
		if in.resources[one.Text()] == "" {
			in.fail(one, "refers to %s, and there is no such resource: correct the name", quoted(one.Text()))
		}
	}
}

// reference is a !Ref or !GetAtt to a resource of one type.
type reference struct{ kind, attribute string }

func (r reference) check(d *document, at place) {
	to, ok := d.refs[at.Node]
	switch {
	case !ok:
		d.fail(at, "is no reference to a resource of this template: write %s", r)
	case to.kind != r.kind || to.attribute != r.attribute:
		d.fail(at, "refers to %s, %s of %s: write %s", to.name, orName(to.attribute), to.kind, r)
	}
}

// String is the reference as the template has it.
func (r reference) String() string {
	if r.attribute == "" {
		return "!Ref to a resource of type " + r.kind
	}
	return "!GetAtt <name>." + r.attribute + " of a resource of type " + r.kind
}

func orName(attribute string) string {
	if attribute == "" {
		return "the name"
	}
	return attribute
}
