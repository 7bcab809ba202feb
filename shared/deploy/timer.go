package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// Timer is a timer of the timer function that is switched on.
type Timer struct {
	Name    string        // of the trigger: sweep
	Payload string        // what it sends, JSON: {"sweep":true}
	Tick    snapshot.Tick // what the timer function reads of it

	schedule cron.Schedule
	line     int
}

// Next returns when the timer fires first after a time.
func (t Timer) Next(after time.Time) time.Time { return t.schedule.Next(after) }

// tickTime is the time of a tick as the platforms write it; any will do.
const tickTime = "2026-01-02T03:04:05Z"

// addTimer reads a timer of a function. event is what its platform sends when it fires, at tickTime, and parse reads
// its expression.
func (f *File) addTimer(function, name string, expression, payload value, event []byte,
	parse func(string) (cron.Schedule, error)) {
	if function != "timer" {
		f.fail(expression.line, "timer %s fires the function %s: only the function timer sweeps", name, function)
		return
	}
	tick, err := trigger.DecodeTimer(event)
	if err != nil {
		f.sweeps = true // or was meant to
		f.fail(cmp.Or(payload.line, expression.line), "timer %s sends a payload that the timer function refuses: %s",
			name, snapshot.AsError(err).Message)
		return
	}
	if sent := tick.Time; !sent.IsZero() && sent.Format(time.RFC3339) != tickTime {
		f.fail(payload.line, "timer %s sends the same time with each tick: write <aws.scheduler.scheduled-time>", name)
	}
	f.sweeps = f.sweeps || tick.Role == ""
	schedule, err := parse(expression.text)
	switch {
	case tick.Role == "" && (err != nil || !everyTenMinutes(schedule)):
		f.fail(expression.line, "timer %s does not sweep every 10 minutes: use 0 */10 * * * * in %s, "+
			"cron(0/10 * * * ? *) in %s", name, FCFile, SAMFile)
	case err != nil:
		f.warn(expression.line, "timer %s has a schedule that cannot be read here: %v", name, err)
	default:
		f.Timers = append(f.Timers, Timer{name, payload.text, tick, schedule, payload.line})
	}
}

// compareTimers reports timers that name a role or target that the policy does not have.
func (f *File) compareTimers(p policy.Policy) {
	for _, timer := range f.Timers {
		reaches := func(t snapshot.Target) bool { return reaches(timer.Tick, t) }
		if timer.Tick.Role != "" && !slices.ContainsFunc(p.Targets, reaches) {
			f.warn(timer.line, "timer %s names the role %s, which no target of %s keeps: correct it, or add it there",
				timer.Name, timer.Tick.Role, policy.FileName)
		}
		for _, name := range timer.Tick.Targets {
			if _, ok := p.Target(name); !ok {
				f.warn(timer.line, "timer %s names the target %s, which %s does not have", timer.Name, name, policy.FileName)
			}
		}
	}
}

// reaches reports whether a tick makes its role due at a target: one whose keep names the role, or one without keep
// that the tick names.
func reaches(tick snapshot.Tick, target snapshot.Target) bool {
	named := slices.Contains(tick.Targets, target.Name)
	keeps := slices.ContainsFunc(target.Keep, func(s snapshot.Slots) bool { return s.Role == tick.Role })
	return keeps && (named || tick.Targets == nil) || named && len(target.Keep) == 0
}

// everyTenMinutes reports whether a schedule fires every ten minutes, for a week: a sweep sends the notifications of
// the ten minutes before it.
func everyTenMinutes(schedule cron.Schedule) bool {
	const interval = 10 * time.Minute
	for at := monday; at.Before(monday.AddDate(0, 0, 7)); at = at.Add(interval) {
		if !schedule.Next(at).Equal(at.Add(interval)) {
			return false
		}
	}
	return true
}

// monday is a time to look at schedules from; any will do.
var monday = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// cronFields reads sec min hour day month weekday year, and @every with a duration.
var cronFields = cron.MustNewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow |
	cron.Year | cron.Descriptor)

// parseFC reads a cron expression of Function Compute: sec min hour day month weekday, or @every and a duration, with
// CRON_TZ=<zone> before it; UTC without it. Source: help.aliyun.com/zh/functioncompute, "Time triggers".
func parseFC(expression string) (cron.Schedule, error) {
	zone, fields, _ := strings.Cut(expression, " ")
	if !strings.HasPrefix(zone, "CRON_TZ=") {
		zone, fields = "CRON_TZ=UTC", expression
	}
	if !strings.HasPrefix(fields, "@every ") {
		fields += " *" // each year
	}
	return parseCron(zone, fields)
}

var rate = regexp.MustCompile(`^rate\(([0-9]{1,5}) (minute|hour|day)s?\)$`)

// parseAWS reads a schedule of EventBridge: cron(min hour day month weekday year) or rate(10 minutes).
// Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func parseAWS(expression, zone string) (cron.Schedule, error) {
	zone = "CRON_TZ=" + cmp.Or(zone, "UTC")
	if found := rate.FindStringSubmatch(expression); found != nil {
		n, _ := strconv.Atoi(found[1]) // digits
		unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[found[2]]
		return parseCron(zone, "@every "+(time.Duration(n)*unit).String())
	}
	fields, ok := strings.CutPrefix(strings.TrimSuffix(expression, ")"), "cron(")
	if !ok {
		return nil, errors.New("use cron(...) or rate(...)")
	}
	return parseCron(zone, "0 "+fields)
}

// parseCron parses the fields of a schedule. Numbers for days of the week are refused, for the platforms and the
// library number them differently.
func parseCron(zone, expression string) (cron.Schedule, error) {
	if fields := strings.Fields(expression); len(fields) == 7 && strings.ContainsAny(fields[5], "0123456789") {
		return nil, fmt.Errorf("use MON to SUN in place of %s", fields[5])
	}
	// In capitals the library takes the H of THU for syntax of its own.
	schedule, err := cronFields.Parse(zone + " " + strings.ToLower(expression))
	if err == nil && schedule.Next(monday).IsZero() {
		err = errors.New("it never fires")
	}
	return schedule, err
}
