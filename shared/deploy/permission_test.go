package deploy_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// ramPolicy is a RAM policy under docs/ram: its resources by action.
type ramPolicy map[string]string

// readRAM reads a RAM policy.
func readRAM(t *testing.T, name string) ramPolicy {
	t.Helper()
	var file struct {
		Version   string
		Statement []struct {
			Effect, Resource string
			Action           []string
		}
	}
	decoder := json.NewDecoder(strings.NewReader(read(t, "docs/ram/"+name)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil || file.Version != "1" {
		t.Fatalf("%s: version %q, %v", name, file.Version, err)
	}
	actions := ramPolicy{}
	for _, statement := range file.Statement {
		if statement.Effect != "Allow" {
			t.Errorf("%s has the effect %s, want Allow", name, statement.Effect)
		}
		for _, action := range statement.Action {
			actions[action] = statement.Resource
		}
	}
	return actions
}

// readYAML reads a deployment file into a struct; of a !Ref X or !GetAtt X, the X.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	var content any
	if err := yaml.Unmarshal([]byte(read(t, name)), &content); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(content)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The functions that are reachable from outside may not delete, the sweep may: in the RAM policies, and in which
// function gets which of them on each platform.
func TestPermissions(t *testing.T) {
	t.Parallel()
	take, sweep := readRAM(t, "take-policy.json"), readRAM(t, "sweep-policy.json")
	queue := "acs:mns:*:*:/queues/swas-snapshot-failures/messages"
	want := ramPolicy{"swas-open:CreateSnapshot": "*", "swas-open:ListSnapshots": "*", "swas-open:ListDisks": "*",
		"swas-open:TagResources": "*", "mns:SendMessage": queue}
	if !maps.Equal(take, want) {
		t.Errorf("take-policy.json allows %v, want %v", take, want)
	}
	want["swas-open:DeleteSnapshot"] = "*"
	if !maps.Equal(sweep, want) {
		t.Errorf("sweep-policy.json allows %v, want take-policy.json and DeleteSnapshot", sweep)
	}
	for action := range take {
		if strings.Contains(action, "Delete") || strings.Contains(action, "*") {
			t.Errorf("take-policy.json allows %s", action)
		}
	}
}

func TestPermissionsFC(t *testing.T) {
	t.Parallel()
	var file struct {
		Vars      map[string]any
		Resources map[string]struct{ Props struct{ Role string } }
	}
	readYAML(t, "s.yaml", &file)
	roles := make(map[string]string)
	for name, one := range file.Resources {
		roles[name] = one.Props.Role
	}
	want := map[string]string{"timer": "${vars.sweepRole}", "http": "${vars.takeRole}", "event": "${vars.takeRole}"}
	if !maps.Equal(roles, want) {
		t.Errorf("roles %v, want %v", roles, want)
	}
	if file.Vars["sweepRole"] == file.Vars["takeRole"] {
		t.Errorf("both roles are %v", file.Vars["takeRole"])
	}
	failures, _ := file.Vars["failures"].(string)
	if !strings.HasSuffix(failures, ":/queues/swas-snapshot-failures/messages") {
		t.Errorf("the queue of failures is %v, want the one of the RAM policies", failures)
	}
}

func TestPermissionsLambda(t *testing.T) {
	t.Parallel()
	type statement struct {
		Action, Resource any // one or a list
		Principal        map[string]string
		Condition        map[string]map[string]string
	}
	type document struct{ Statement []statement }
	var file struct {
		Globals   map[string]any
		Resources map[string]struct {
			Type       string
			Properties struct {
				Role           string
				Environment    struct{ Variables map[string]string }
				Queues         []string
				PolicyDocument document
				Policies       []struct{ PolicyDocument document }
			}
		}
	}
	readYAML(t, "template.yml", &file)
	if text, err := json.Marshal(file.Globals); err != nil || strings.Contains(string(text), "SECRET_ID") {
		t.Errorf("Globals %s, %v: want no secret for all functions", text, err)
	}
	for name, want := range map[string]string{"Timer": "SweepCredentialsSecretArn", "Http": "TakeCredentialsSecretArn",
		"Event": "TakeCredentialsSecretArn"} {
		function, role := file.Resources[name+"Function"].Properties, file.Resources[name+"Role"].Properties
		secret := function.Environment.Variables["ALIBABA_CLOUD_SECRET_ID"]
		if function.Role != name+"Role.Arn" || secret != want {
			t.Errorf("%sFunction has %s and reads %s, want %sRole and %s", name, function.Role, secret, name, want)
		}
		var secrets []any
		for _, policy := range role.Policies {
			for _, one := range policy.PolicyDocument.Statement {
				if actions, _ := json.Marshal(one.Action); strings.Contains(string(actions), "secretsmanager:") {
					secrets = append(secrets, one.Resource)
				}
			}
		}
		if !reflect.DeepEqual(secrets, []any{want}) {
			t.Errorf("%sRole may read %v, want %s alone", name, secrets, want)
		}
	}
	// The bus sends what its rule lets through into the queue of orders, and what it cannot deliver into the other one.
	for policy, queue := range map[string]string{"OrdersFromBus": "Orders", "DeadLettersFromBus": "DeadLetters"} {
		want := []statement{{"sqs:SendMessage", queue + ".Arn", map[string]string{"Service": "events.amazonaws.com"},
			map[string]map[string]string{"ArnEquals": {"aws:SourceArn": "BusOrders.Arn"}}}}
		got := file.Resources[policy].Properties
		if !slices.Equal(got.Queues, []string{queue}) || !reflect.DeepEqual(got.PolicyDocument.Statement, want) {
			t.Errorf("%s is for %v with %v, want %v", policy, got.Queues, got.PolicyDocument.Statement, want)
		}
	}
}
