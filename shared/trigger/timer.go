package trigger

import "swas-snapshot/shared/snapshot"

// exampleTick is what a timer's payload looks like.
const exampleTick = `{"role":"daily"}`

// expectedTick ends the message of an error.
const expectedTick = `a timer event of Function Compute whose payload is the text of {"role":"daily"}, {"targets":["web-1"],"role":"daily"} or {"sweep":true}, ` +
	`or on EventBridge one of these as the constant input of a rule or of a schedule, such as ` + exampleTick

// fcTimer is the event of a Function Compute timer trigger.
type fcTimer struct {
	TriggerTime string `json:"triggerTime"` // RFC 3339
	TriggerName string `json:"triggerName"`
	Payload     string `json:"payload"` // text, whatever it holds
}

// tickForm is what a timer's payload says.
type tickForm struct {
	Role    *string   `json:"role"`
	Targets *[]string `json:"targets"`
	Sweep   bool      `json:"sweep"`
}

// scheduleForm is the input of an EventBridge schedule: a payload, and the two context attributes that identify the
// tick. Scheduler fills them in and adds no envelope.
type scheduleForm struct {
	tickForm
	ScheduledTime *string `json:"scheduledTime"`
	ScheduleArn   string  `json:"scheduleArn"`
}

// DecodeTimer decodes what a timer sends. It takes the event of a Function Compute timer trigger, whose payload is
// text; a scheduled event of EventBridge, whose detail is the payload; and the payload itself, as the constant input
// of an EventBridge rule (a sweep alone, for it has no time) or, with scheduledTime and scheduleArn added, as the input of an
// EventBridge schedule.
//
// A payload is {"sweep":true}, or {"role":"daily"}, which makes the role due at the tick's minute at every target that
// keeps it, with "targets":["web-1"] at those alone. Each is a sweep. A role without a time is refused, for nothing
// would tell a redelivery from a new tick. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func DecodeTimer(data []byte) (snapshot.Tick, error) {
	tick, err := decodeTimer(data)
	if err != nil {
		return snapshot.Tick{}, expecting(err, expectedTick)
	}
	return tick, nil
}

func decodeTimer(data []byte) (snapshot.Tick, error) {
	if err := CheckJSON(data); err != nil {
		return snapshot.Tick{}, err
	}
	if kind := jsonKind(data); kind != kindObject {
		return snapshot.Tick{}, malformed("the event is %s, not an object", kind)
	}
	fields := objectOf(data)
	ours := fields.folds("role", "targets", "sweep", "scheduledTime", "scheduleArn")
	fc := fields.has("triggerTime") || fields.has("triggerName")
	aws := fields.has("detail-type")
	switch {
	case !fc && !aws && fields.folds("target", "DiskId"):
		return snapshot.Tick{}, malformed("the event is an order: the event function takes it")
	case fc && !aws && !ours:
		return decodeFCTimer(data)
	case aws && !fc && !ours:
		return decodeScheduledEvent(data)
	case ours && !fc && !aws:
		return decodeSchedule(data)
	case fc || aws:
		return snapshot.Tick{}, malformed("the event has the marks of several shapes: %s", fields.describe())
	default:
		return snapshot.Tick{}, malformed("the event is no timer event: it has %s", fields.describe())
	}
}

func decodeFCTimer(data []byte) (snapshot.Tick, error) {
	var event fcTimer
	if err := vendorJSON(data, &event); err != nil {
		return snapshot.Tick{}, err
	}
	if event.TriggerTime == "" {
		return snapshot.Tick{}, malformed(`field "triggerTime" is missing`)
	}
	at, err := parseTime("triggerTime", event.TriggerTime)
	if err != nil {
		return snapshot.Tick{}, err
	}
	var payload tickForm
	if err := StrictJSON([]byte(event.Payload), &payload); err != nil {
		return snapshot.Tick{}, within("the payload of the trigger", err)
	}
	tick, err := payload.tick()
	tick.Time, tick.Trigger = at, event.TriggerName
	return tick, within("the payload of the trigger", err)
}

// decodeScheduledEvent decodes the event of an EventBridge rule on a schedule.
func decodeScheduledEvent(data []byte) (snapshot.Tick, error) {
	event, at, err := decodeAWSEvent(data)
	if err != nil {
		return snapshot.Tick{}, err
	}
	if event.Source != "aws.events" || event.DetailType != "Scheduled Event" {
		return snapshot.Tick{}, malformed(`the event of EventBridge is no "Scheduled Event" of the source aws.events: the event function takes the others`)
	}
	if at.IsZero() {
		return snapshot.Tick{}, malformed(`field "time" is missing`)
	}
	var payload tickForm
	if err := StrictJSON(event.Detail, &payload); err != nil {
		return snapshot.Tick{}, within("the detail of the event", err)
	}
	tick, err := payload.tick()
	tick.Time, tick.Trigger = at, event.subject()
	return tick, within("the detail of the event", err)
}

// decodeSchedule decodes a payload without an envelope.
func decodeSchedule(data []byte) (snapshot.Tick, error) {
	var form scheduleForm
	if err := StrictJSON(data, &form); err != nil {
		return snapshot.Tick{}, err
	}
	tick, err := form.tick()
	if err != nil {
		return snapshot.Tick{}, err
	}
	tick.Trigger = form.ScheduleArn
	switch {
	case form.ScheduledTime == nil && form.ScheduleArn != "":
		return snapshot.Tick{}, malformed(`field "scheduledTime" is missing beside "scheduleArn": add "scheduledTime":"<aws.scheduler.scheduled-time>" to the input of the schedule`)
	case form.ScheduledTime == nil && tick.Role != "":
		return snapshot.Tick{}, malformed(`field "scheduledTime" is missing, and a role is due at the time of its tick: use EventBridge Scheduler ` +
			`with "scheduledTime":"<aws.scheduler.scheduled-time>" in its input, or schedule in snapshots.yaml`)
	case form.ScheduledTime == nil:
		return tick, nil
	case *form.ScheduledTime == "":
		return snapshot.Tick{}, malformed(`field "scheduledTime" is empty: write "<aws.scheduler.scheduled-time>" in the input of the schedule`)
	}
	tick.Time, err = parseTime("scheduledTime", *form.ScheduledTime)
	return tick, err
}

// tick checks a payload.
func (form tickForm) tick() (snapshot.Tick, error) {
	var tick snapshot.Tick
	switch {
	case form.Sweep && form.Role != nil:
		return snapshot.Tick{}, malformed(`field "role" stands beside "sweep": each tick sweeps, so leave out "sweep" to make a role due, or "role"`)
	case form.Sweep && form.Targets != nil:
		return snapshot.Tick{}, malformed(`field "targets" stands beside "sweep": a sweep is of all targets, so leave it out`)
	case form.Sweep:
	case form.Role == nil:
		return snapshot.Tick{}, malformed(`field "role" is missing: send {"sweep":true}, or the role that is due`)
	case !snapshot.ValidRole(*form.Role):
		return snapshot.Tick{}, malformed(`field "role" is not a role: use 1 to %d letters, digits, - and _, the first a letter`, snapshot.RoleMax)
	default:
		tick.Role = *form.Role
	}
	if form.Targets == nil {
		return tick, nil
	}
	if len(*form.Targets) == 0 {
		return snapshot.Tick{}, malformed(`field "targets" is an empty list: name a target, or leave the field out for every target that keeps the role`)
	}
	seen := make(map[string]bool)
	for _, name := range *form.Targets {
		if !snapshot.ValidTarget(name) {
			return snapshot.Tick{}, malformed(`field "targets" holds what is not the name of a target: use 1 to %d letters, digits, - and _`, snapshot.TargetMax)
		}
		if seen[name] {
			return snapshot.Tick{}, malformed(`field "targets" names %s twice`, quoteName(name))
		}
		seen[name] = true
	}
	tick.Targets = *form.Targets
	return tick, nil
}
