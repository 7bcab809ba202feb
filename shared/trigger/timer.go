package trigger

import (
	"time"

	"swas-snapshot/shared/snapshot"
)

// expectedTick ends the message of an error.
const expectedTick = `a timer event of Function Compute whose payload is the text of {"role":"daily"}, ` +
	`{"targets":["web-1"],"role":"daily"} or {"sweep":true}, or on EventBridge one of these as the constant input of ` +
	`a rule or of a schedule, such as {"role":"daily"}`

// fcTimer is the event of a Function Compute timer trigger.
type fcTimer struct {
	TriggerTime time.Time `json:"triggerTime" required:"true"`
	TriggerName string    `json:"triggerName"`
	Payload     string    `json:"payload"` // text, whatever it holds
}

// tickForm is what a timer's payload says.
type tickForm struct {
	Role    string   `json:"role" empty:"no"`
	Targets []string `json:"targets" empty:"no"`
	Sweep   bool     `json:"sweep"`
}

// scheduleForm is the input of an EventBridge schedule: a payload, and the two context attributes that identify the
// tick. Scheduler fills them in and adds no envelope.
type scheduleForm struct {
	tickForm
	ScheduledTime time.Time `json:"scheduledTime" empty:"no"`
	ScheduleArn   string    `json:"scheduleArn"`
}

// DecodeTimer decodes what a timer sends. It takes the event of a Function Compute timer trigger, whose payload is
// text; a scheduled event of EventBridge, whose detail is the payload; and the payload itself, as the constant input
// of an EventBridge rule (a sweep alone, for it has no time) or, with scheduledTime and scheduleArn added, as the input
// of an EventBridge schedule.
//
// A payload is {"sweep":true}, or {"role":"daily"}, which makes the role due at the tick's minute at every target that
// keeps it, with "targets":["web-1"] at those alone. Each is a sweep. A role without a time is refused, for nothing
// would tell a redelivery from a new tick. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func DecodeTimer(data []byte) (snapshot.Tick, error) {
	event := parse(data, fold)
	decode, err := pick(event, timerShapes)
	var tick snapshot.Tick
	if err == nil {
		tick, err = decode(event)
	}
	if err != nil {
		return snapshot.Tick{}, expecting(err, expectedTick)
	}
	return tick, nil
}

var timerShapes = []shape[func(node) (snapshot.Tick, error)]{
	{"a timer of Function Compute", func(n node) bool { return n.hasAny("triggerTime", "triggerName") }, decodeFCTimer},
	{"an event of AWS EventBridge", func(n node) bool { return n.has("detail-type") }, decodeScheduledEvent},
	{"the payload of a timer", looksLikePayload, decodeSchedule},
}

func looksLikePayload(n node) bool {
	return n.hasAny("role", "targets", "sweep", "scheduledTime", "scheduleArn") && !looksLikeOrder(n)
}

func decodeFCTimer(n node) (snapshot.Tick, error) {
	var event fcTimer
	if err := n.fill(&event, false); err != nil {
		return snapshot.Tick{}, err
	}
	tick, err := decodePayload(parse([]byte(event.Payload), fold))
	tick.Time, tick.Trigger = event.TriggerTime, event.TriggerName
	return tick, within("the payload of the trigger", err)
}

// decodeScheduledEvent decodes the event of an EventBridge rule on a schedule.
func decodeScheduledEvent(n node) (snapshot.Tick, error) {
	event, err := readAWSEvent(n)
	switch {
	case err != nil:
		return snapshot.Tick{}, err
	case event.Source != "aws.events" || event.DetailType != "Scheduled Event":
		return snapshot.Tick{}, snapshot.Malformed(`the event of EventBridge is not a "Scheduled Event" of the ` +
			`source aws.events: the event function takes the others`)
	case event.Time.IsZero():
		return snapshot.Tick{}, snapshot.Malformed(`field "time" is missing`)
	}
	tick, err := decodePayload(event.Detail)
	tick.Time, tick.Trigger = event.Time, event.subject()
	return tick, within("the detail of the event", err)
}

// decodeSchedule decodes a payload without an envelope.
func decodeSchedule(n node) (snapshot.Tick, error) {
	var form scheduleForm
	if err := n.fill(&form, true); err != nil {
		return snapshot.Tick{}, err
	}
	tick, err := form.tick()
	tick.Time, tick.Trigger = form.ScheduledTime, form.ScheduleArn
	switch {
	case err != nil:
	case tick.Time.IsZero() && tick.Trigger != "":
		err = snapshot.Malformed(`field "scheduledTime" is missing beside "scheduleArn": ` +
			`add "scheduledTime":"<aws.scheduler.scheduled-time>" to the input of the schedule`)
	case tick.Time.IsZero() && tick.Role != "":
		err = snapshot.Malformed(`field "scheduledTime" is missing, and a role is due at the time of its tick: use ` +
			`EventBridge Scheduler with "scheduledTime":"<aws.scheduler.scheduled-time>" in its input, or schedule ` +
			`in snapshots.yaml`)
	}
	return tick, err
}

func decodePayload(n node) (snapshot.Tick, error) {
	var form tickForm
	if err := n.fill(&form, true); err != nil {
		return snapshot.Tick{}, err
	}
	return form.tick()
}

// tick returns what the payload says, checked.
func (form tickForm) tick() (snapshot.Tick, error) {
	tick := snapshot.Tick{Role: form.Role, Targets: form.Targets}
	switch {
	case form.Sweep && form.Role != "":
		return tick, snapshot.Malformed(`fields "role" and "sweep" exclude each other: each tick sweeps, ` +
			`so leave out "sweep" to make a role due`)
	case form.Sweep && form.Targets != nil:
		return tick, snapshot.Malformed(`fields "targets" and "sweep" exclude each other: a sweep is of all targets, ` +
			`so leave out "targets"`)
	case form.Sweep:
		return tick, nil
	case form.Role == "":
		return tick, snapshot.Malformed(`field "role" is missing: send {"sweep":true}, or the role that is due`)
	case !snapshot.ValidRole(form.Role):
		return tick, snapshot.Malformed(`field "role" is not a role: use 1 to %d letters, digits, - and _, `+
			`the first a letter`, snapshot.RoleMax)
	}
	seen := make(map[string]bool, len(form.Targets))
	for _, name := range form.Targets {
		if !snapshot.ValidTarget(name) {
			return tick, snapshot.Malformed(`field "targets" holds what is not the name of a target: use 1 to %d `+
				`letters, digits, - and _`, snapshot.TargetMax)
		}
		if seen[name] {
			return tick, snapshot.Malformed(`field "targets" names %s twice`, snapshot.Quote(name))
		}
		seen[name] = true
	}
	return tick, nil
}
