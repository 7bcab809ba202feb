package manifest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// Deployment is what one of the files deploys.
type Deployment struct {
	File      string // s.yaml or template.yml
	Functions []Function
}

// Function is one function of a deployment.
type Function struct {
	Name        string   // timer, http or event: its folder under functions
	Environment []string // the names of its variables, sorted
	Timeout     time.Duration
	Timers      []Timer
	Sources     []Source // what else starts it from a bus

	deployed string // its name on the platform

	at  place            // for errors
	env map[string]place // of Environment
}

// Timer is a timer that is switched on.
type Timer struct {
	Name    string // of the trigger: daily
	Cron    string // as the platform has it: CRON_TZ=Asia/Shanghai 0 0 3 * * *, cron(0 3 * * ? *)
	Payload string // what it sends, JSON: {"role":"daily"}
	Tick    snapshot.Tick

	schedule cron.Schedule
	at       place
}

// Next returns when the timer fires first after a time.
func (t Timer) Next(after time.Time) time.Time { return t.schedule.Next(after) }

// Source is what events a trigger of a bus lets through.
type Source struct {
	Event snapshot.BusEvent // one that it lets through

	at place
}

// Timers returns the timers of all functions, in the order of the file.
func (d *Deployment) Timers() []Timer {
	var all []Timer
	for _, function := range d.Functions {
		all = append(all, function.Timers...)
	}
	return all
}

// function finds a function by name.
func (d *Deployment) function(name string) (Function, bool) {
	for _, one := range d.Functions {
		if one.Name == name {
			return one, true
		}
	}
	return Function{}, false
}

// decode reads the event of a timer as the function will, and reports what it cannot read.
func (d *document) decode(at place, event []byte) snapshot.Tick {
	tick, err := trigger.DecodeTimer(event)
	if err != nil {
		d.fail(at, "is nothing that the timer function reads: %s", snapshot.AsError(err).Message)
	}
	return tick
}

// fcEvent is what Function Compute sends when a timer fires.
func fcEvent(name, payload string) []byte {
	event, _ := json.Marshal(map[string]string{"triggerTime": "2026-01-01T00:00:00Z", "triggerName": name, "payload": payload}) // only text
	return event
}

// awsInput fills in the context attributes of EventBridge Scheduler.
// Source: docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
var awsInput = strings.NewReplacer(
	"<aws.scheduler.scheduled-time>", "2026-01-01T00:00:00Z",
	"<aws.scheduler.schedule-arn>", "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/name",
	"<aws.scheduler.execution-id>", "00000000-0000-0000-0000-000000000000",
	"<aws.scheduler.attempt-number>", "1",
)

// same tells whether two timers want the same of the function.
func same(a, b Timer) bool {
	return a.Tick.Role == b.Tick.Role && a.Tick.Sweep == b.Tick.Sweep && slices.Equal(a.Tick.Targets, b.Tick.Targets)
}

// what names what a timer wants, for people.
func (t Timer) what() string {
	if t.Tick.Sweep {
		return "the sweep"
	}
	return "role " + t.Tick.Role
}
