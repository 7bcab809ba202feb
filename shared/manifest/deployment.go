package manifest

import (
	"encoding/json"
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

	sources []source // what starts a function from a bus
}

// Function is one function of a deployment.
type Function struct {
	Name        string   // timer, http or event: its folder under functions
	Environment []string // the names of its variables, sorted
	Timeout     time.Duration
	Timers      []Timer

	deployed string // its name on the platform

	at  place            // for errors
	env map[string]place // of Environment
}

// Timer is a timer that is switched on.
type Timer struct {
	Name    string // of the trigger: sweep
	Cron    string // as the platform has it: 0 */10 * * * *, cron(0/10 * * * ? *)
	Payload string // what it sends, JSON: {"sweep":true}
	Tick    snapshot.Tick

	schedule cron.Schedule
	at       place
}

// Next returns when the timer fires first after a time.
func (t Timer) Next(after time.Time) time.Time { return t.schedule.Next(after) }

// source is a filter of a bus.
type source struct {
	event snapshot.BusEvent // one that it lets through
	at    place
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

// sweepInterval is how often the sweep runs: each one sends the notifications of the ten minutes before it.
const sweepInterval = 10 * time.Minute

// timer reads a timer whose expression has been parsed; the second result is false for one that is wrong.
func (d *document) timer(name string, expression, payload place, event []byte, schedule cron.Schedule) (Timer, bool) {
	before := len(d.errs)
	tick, err := trigger.DecodeTimer(event)
	switch {
	case err != nil:
		d.fail(payload, "is nothing that the timer function reads: %s", snapshot.AsError(err).Message)
	case tick.Role == "" && schedule != nil && !regular(schedule):
		d.fail(expression, "is not every 10 minutes: write 0 */10 * * * * in %s, cron(0/10 * * * ? *) in %s", fcFile, samFile)
	}
	return Timer{name, expression.Text(), payload.Text(), tick, schedule, payload}, schedule != nil && len(d.errs) == before
}

// regular reports whether a schedule fires every ten minutes, for a week.
func regular(schedule cron.Schedule) bool {
	for at := epoch; at.Before(epoch.AddDate(0, 0, 7)); at = at.Add(sweepInterval) {
		if !schedule.Next(at).Equal(at.Add(sweepInterval)) {
			return false
		}
	}
	return true
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
