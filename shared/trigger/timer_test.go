package trigger_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// fcTimer returns a timer event of Function Compute with a payload.
func fcTimer(payload string) string {
	text, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return `{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily","payload":` + string(text) + `}`
}

// rule is an event of an EventBridge rule on a schedule.
const rule = `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events",` +
	`"time":"2026-01-30T19:00:00Z","detail":{"role":"daily"}}`

// but returns the event of rule with a change.
func but(old, with string) string { return strings.Replace(rule, old, with, 1) }

func TestDecodeTimer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		want snapshot.Tick
	}{
		"role at some targets": {fcTimer(`{"role":"daily","targets":["web-1","db_2"]}`),
			snapshot.Tick{Role: "daily", Targets: []string{"web-1", "db_2"}, Time: atTick, Trigger: "daily"}},
		"no sweep": {fcTimer(` {"sweep":false,"role":"weekly"} `),
			snapshot.Tick{Role: "weekly", Time: atTick, Trigger: "daily"}},
		"time zone": {
			strings.Replace(fcTimer(`{"role":"daily"}`), "2026-01-30T19:00:00Z", "2026-01-31T03:00:00+08:00", 1),
			snapshot.Tick{Role: "daily", Time: atTick, Trigger: "daily"}},
		"timer without a name": {`{"triggerTime":"2026-01-30T19:00:00Z","payload":"{\"role\":\"daily\"}"}`,
			snapshot.Tick{Role: "daily", Time: atTick}},
		"unknown field of FC": {strings.Replace(fcTimer(`{"role":"daily"}`), "{", `{"new":{"a":null},`, 1),
			snapshot.Tick{Role: "daily", Time: atTick, Trigger: "daily"}},
		"constant sweep": {`{"sweep":true}`, snapshot.Tick{}},
		"schedule without its ARN": {`{"role":"daily","scheduledTime":"2026-01-30T19:00:00Z"}`,
			snapshot.Tick{Role: "daily", Time: atTick}},
		"rule without resources": {rule, snapshot.Tick{Role: "daily", Time: atTick}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := trigger.DecodeTimer([]byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDecodeTimerRefuses(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/daily"
	tests := map[string]struct{ data, message string }{
		"no fields":           {`{}`, "has no fields"},
		"list":                {`[{"role":"daily"}]`, "is a list"},
		"payload is not JSON": {fcTimer("daily"), "the payload of the trigger: the input is not JSON"},
		"payload is empty":    {fcTimer(""), "the payload of the trigger: nothing arrived"},
		"payload is a list":   {fcTimer("[]"), "the payload of the trigger: the input is a list"},
		"payload is an object": {`{"triggerTime":"2026-01-30T19:00:00Z","payload":{"role":"daily"}}`,
			`field "payload" is an object, not text`},
		"payload is missing": {`{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily"}`,
			"nothing arrived"},
		"payload with a doubled field": {fcTimer(`{"role":"daily","Role":"weekly"}`),
			"are the same: name each field once"},
		"payload with a wrong case":   {fcTimer(`{"ROLE":"daily"}`), `field "ROLE" must be written "role"`},
		"payload with an unknown one": {fcTimer(`{"role":"daily","rol":1}`), `field "rol" is unknown`},
		"payload with a time": {fcTimer(`{"role":"daily","scheduledTime":"2026-01-30T19:00:00Z"}`),
			`field "scheduledTime" is unknown`},
		"payload with more behind":    {fcTimer(`{"role":"daily"} x`), "follows the JSON value"},
		"role is missing":             {fcTimer(`{}`), `field "role" is missing`},
		"role is missing for targets": {fcTimer(`{"targets":["web-1"]}`), `field "role" is missing`},
		"role is empty":               {fcTimer(`{"role":""}`), `field "role" is empty`},
		"role is no role":             {fcTimer(`{"role":"1 2"}`), `field "role" is not a role`},
		"role is null":                {fcTimer(`{"role":null}`), `field "role" is null`},
		"role is a list":              {fcTimer(`{"role":["daily"]}`), `field "role" is a list, not text`},
		"sweep and targets": {fcTimer(`{"sweep":true,"targets":["web-1"]}`),
			`fields "targets" and "sweep" exclude`},
		"role without a time":  {`{"role":"daily"}`, `field "scheduledTime" is missing`},
		"role and sweep":       {fcTimer(`{"role":"daily","sweep":true}`), `fields "role" and "sweep" exclude`},
		"no sweep and no role": {fcTimer(`{"sweep":false}`), `field "role" is missing`},
		"sweep is text":        {fcTimer(`{"sweep":"true"}`), `field "sweep" is text`},
		"targets is empty": {fcTimer(`{"role":"daily","targets":[]}`),
			`field "targets" is empty: give it a value, or leave it out`},
		"targets is text": {fcTimer(`{"role":"daily","targets":"web-1"}`),
			`field "targets" is text, not a list`},
		"targets doubled": {fcTimer(`{"role":"daily","targets":["web-1","web-1"]}`),
			`field "targets" names "web-1" twice`},
		"targets with no name": {fcTimer(`{"role":"daily","targets":[""]}`),
			`field "targets" holds what is not the name`},
		"time is missing": {`{"triggerName":"daily","payload":"{\"role\":\"daily\"}"}`,
			`field "triggerTime" is missing`},
		"time is not a time": {`{"triggerTime":"3 am","payload":"{\"role\":\"daily\"}"}`,
			`field "triggerTime" is not a time`},
		"time is a number": {`{"triggerTime":1,"triggerName":"daily","payload":"{}"}`,
			`field "triggerTime" is a number`},
		"time of the year 1": {`{"triggerTime":"0001-01-01T00:00:00Z","payload":"{\"role\":\"daily\"}"}`,
			`field "triggerTime" is not a time`},
		"name in another case": {`{"triggerTime":"2026-01-30T19:00:00Z","TriggerName":"daily","payload":"{}"}`,
			`must be written "triggerName"`},
		"two shapes": {`{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily","payload":"{}","role":"daily"}`,
			"the event has the marks of a timer of Function Compute and of "},
		"two clouds": {`{"triggerTime":"2026-01-30T19:00:00Z","detail-type":"Scheduled Event"}`,
			"the event has the marks of a timer of Function Compute and of "},
		"order": {`{"target":"web-1"}`, `the event is an order: the event function takes it`},
		"order with a role": {`{"target":"web-1","role":"daily"}`,
			`the event is an order: the event function takes it`},
		"CloudEvent": {`{"specversion":"1.0","id":"1","source":"a","type":"b"}`,
			"the event has no known shape"},
		"another event of AWS":     {but("Scheduled Event", "EC2 Instance"), "the event function takes the others"},
		"another source of AWS":    {but("aws.events", "aws.ec2"), "the event function takes the others"},
		"look-alike of the source": {but("aws.events", "my.events"), "the event function takes the others"},
		"rule without a payload":   {but(`"role":"daily"`, ""), `the detail of the event: field "role" is missing`},
		"rule without a detail":    {but(`,"detail":{"role":"daily"}`, ""), "the detail of the event: nothing arrived"},
		"rule without a time":      {but(`"time":"2026-01-30T19:00:00Z",`, ""), `field "time" is missing`},
		"rule without an ID":       {but(`"id":"1",`, ""), `field "id" is missing`},
		"rule of another version":  {but(`"version":"0"`, `"version":"1"`), `is not "0"`},
		"schedule without a time": {`{"role":"daily","scheduleArn":"` + arn + `"}`,
			`field "scheduledTime" is missing`},
		"schedule with an empty time": {`{"role":"daily","scheduledTime":"","scheduleArn":"` + arn + `"}`,
			`field "scheduledTime" is empty`},
		"schedule that is not filled": {
			`{"role":"daily","scheduledTime":"<aws.scheduler.scheduled-time>","scheduleArn":"` + arn + `"}`,
			`field "scheduledTime" is not a time`},
		"schedule without a role": {`{"scheduledTime":"2026-01-30T19:00:00Z","scheduleArn":"` + arn + `"}`,
			`field "role" is missing`},
	}
	for name, test := range structureDefects {
		tests[name] = test
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tick, err := trigger.DecodeTimer([]byte(test.data))
			checkMalformed(t, err)
			checkMessage(t, err, test.message)
			if !reflect.DeepEqual(tick, snapshot.Tick{}) {
				t.Errorf("a tick stands beside the error: %+v", tick)
			}
		})
	}
}
