package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// file returns a file of this repository and, of a YAML file, its root.
func file(t *testing.T, name string) (string, *yaml.Node) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if !strings.HasSuffix(name, ".md") {
		if err := yaml.Unmarshal(data, &node); err != nil {
			t.Fatal(err)
		}
		return string(data), node.Content[0]
	}
	return string(data), nil
}

// The README's table of variables lists what the functions read. The HTTP function has each secret of a sender, by
// reference, in both files.
func TestVariables(t *testing.T) {
	t.Parallel()
	text, _ := file(t, "README.md")
	_, section, _ := strings.Cut(text, "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var listed []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(section, -1) {
		listed = append(listed, found[1])
	}
	secrets := slices.Concat(slices.Collect(maps.Values(senderVariables()))...)
	want := slices.Sorted(slices.Values(append(secrets, generalVariables...)))
	if slices.Sort(listed); !slices.Equal(listed, want) {
		t.Errorf("README.md lists %v, want %v", listed, want)
	}
	fc, errFC := ReadFC("../../s.yaml")
	sam, errSAM := ReadSAM("../../template.yml")
	if errFC != nil || errSAM != nil {
		t.Fatal(errFC, errSAM)
	}
	for _, name := range secrets {
		if v := fc.function("http").env[name]; v.text != "${env('"+name+"', '')}" {
			t.Errorf("s.yaml: %s is %q", name, v.text)
		}
		v := sam.function("http").env[name]
		if !strings.HasPrefix(v.text, "{{resolve:secretsmanager:${WebhookSecretArn}:SecretString:"+name+"::") {
			t.Errorf("template.yml: %s is %q", name, v.text)
		}
	}
}

// Every reference leads somewhere, and everything that can be referred to is.
func TestReferences(t *testing.T) {
	t.Parallel()
	text, root := file(t, "s.yaml")
	vars, _ := get(root, "vars")
	used := make(map[string]bool)
	for _, found := range regexp.MustCompile(`\$\{(.*?)\}`).FindAllStringSubmatch(text, -1) {
		name, ours := strings.CutPrefix(found[1], "vars.")
		if value, _ := get(vars, name); ours && value == nil || !ours && !strings.HasPrefix(found[1], "env('") {
			t.Errorf("s.yaml refers to %s", found[0])
		}
		used[name] = true
	}
	for i := 0; i < len(vars.Content); i += 2 {
		if name := vars.Content[i].Value; !used[name] {
			t.Errorf("s.yaml: nothing uses vars.%s", name)
		}
	}
	if region, _ := get(vars, "region"); strings.Count(text, ":"+region.Value+":") != 2 {
		t.Error("s.yaml: the queue of failures and the bucket are not in the region of the functions")
	}

	text, root = file(t, "template.yml")
	used = make(map[string]bool)
	for _, found := range regexp.MustCompile(`!(?:Ref|GetAtt) (\w+)|\$\{(\w+)`).FindAllStringSubmatch(text, -1) {
		name := found[1] + found[2]
		parameter, _ := get(root, "Parameters", name)
		resource, _ := get(root, "Resources", name)
		if parameter == nil && resource == nil && name != "HttpFunctionUrl" && name != "AWS" { // those of SAM
			t.Errorf("template.yml refers to %s", found[0])
		}
		used[name] = true
	}
	parameters, _ := get(root, "Parameters")
	for i := 0; i < len(parameters.Content); i += 2 {
		if name := parameters.Content[i].Value; !used[name] {
			t.Errorf("template.yml: nothing uses the parameter %s", name)
		}
	}
}

// Each key of template.yml that names a resource names one of the right type, by the right attribute.
func TestReferenceTypes(t *testing.T) {
	t.Parallel()
	text, root := file(t, "template.yml")
	want := map[string]string{
		"Role":                "GetAtt AWS::IAM::Role.Arn",
		"Destination":         "GetAtt AWS::SQS::Queue.Arn",
		"Arn":                 "GetAtt AWS::SQS::Queue.Arn", // of a target, and of a queue of what failed
		"Queue":               "GetAtt AWS::SQS::Queue.Arn",
		"deadLetterTargetArn": "GetAtt AWS::SQS::Queue.Arn",
		"aws:SourceArn":       "GetAtt AWS::Events::Rule.Arn",
		"LogGroup":            "Ref AWS::Logs::LogGroup",
		"LogGroupName":        "Ref AWS::Logs::LogGroup",
		"Queues":              "Ref AWS::SQS::Queue",
		"AlarmActions":        "Ref AWS::SNS::Topic",
	}
	found := regexp.MustCompile(`([\w:]+): \[?!(Ref|GetAtt) (\w+)(\.\w+)?`).FindAllStringSubmatch(text, -1)
	for _, one := range found {
		got := ""
		if kind, _ := get(root, "Resources", one[3], "Type"); kind != nil {
			got = one[2] + " " + kind.Value + one[4]
		}
		switch key := one[1]; {
		case want[key] != "" && got != want[key]:
			t.Errorf("%s refers to %s, want %s", one[0], got, want[key])
		case one[4] != "" && !slices.Contains([]string{".Arn", ".QueueName", ".FunctionUrl"}, one[4]):
			t.Errorf("%s asks for an attribute that is unknown here", one[0])
		}
	}
	if len(found) < 50 {
		t.Errorf("%d references were found: the template has more", len(found))
	}
}

// There is an alarm on the errors of each function, on the queue of what failed, and on each metric that a filter
// makes.
func TestAlarms(t *testing.T) {
	t.Parallel()
	_, root := file(t, "template.yml")
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Namespace  string `yaml:"Namespace"`
				MetricName string `yaml:"MetricName"`
				Dimensions []struct {
					Value value `yaml:"Value"`
				} `yaml:"Dimensions"`
				AlarmActions []value `yaml:"AlarmActions"`
				Metrics      []struct {
					Namespace  string `yaml:"MetricNamespace"`
					MetricName string `yaml:"MetricName"`
				} `yaml:"MetricTransformations"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := root.Decode(&template); err != nil {
		t.Fatal(err)
	}
	alarms := make(map[string]bool)
	want := map[string]bool{"AWS/SQS ApproximateNumberOfMessagesVisible DeadLetters": true}
	for name, one := range template.Resources {
		switch one.Type {
		case "AWS::CloudWatch::Alarm":
			on := one.Properties.Namespace + " " + one.Properties.MetricName
			for _, dimension := range one.Properties.Dimensions {
				on += " " + dimension.Value.refersTo()
			}
			alarms[on] = true
			if actions := one.Properties.AlarmActions; len(actions) != 1 || actions[0].refersTo() != "Alarms" {
				t.Errorf("the alarm %s notifies %v", name, actions)
			}
		case "AWS::Serverless::Function":
			want["AWS/Lambda Errors "+name] = true
		case "AWS::Logs::MetricFilter":
			for _, metric := range one.Properties.Metrics {
				want[metric.Namespace+" "+metric.MetricName] = true
			}
		}
	}
	if !maps.Equal(alarms, want) {
		t.Errorf("alarms on %v, want %v", slices.Sorted(maps.Keys(alarms)), slices.Sorted(maps.Keys(want)))
	}
}
