package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"
)

// Function Compute: sec min hour day month weekday. EventBridge Scheduler: min hour day month weekday year.
var (
	fcCron  = cron.MustNewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	awsCron = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Year)
)

var (
	cronField = regexp.MustCompile(`^[0-9A-Z*?/,-]+$`)
	digit     = regexp.MustCompile(`[0-9]`)
	zoneName  = regexp.MustCompile(`^[A-Z][A-Za-z]*(/[A-Za-z0-9_+-]+)*$`)
	rateForm  = regexp.MustCompile(`^rate\(([1-9][0-9]{0,5}) (minute|hour|day)(s?)\)$`)
)

// errZone is an error of a time zone, which stands elsewhere than the expression on AWS.
var errZone = errors.New("names no time zone: write one of the IANA database, such as Asia/Shanghai or UTC")

// intervalMin is the shortest interval of a timer: neither platform fires more often than once a minute.
const intervalMin = time.Minute

// parseFC reads a cron expression of Function Compute: six fields, or @every and a duration, with CRON_TZ=<zone> before
// them; UTC without it. Days of the week are names, for the platforms number them differently.
// Source: help.aliyun.com/zh/functioncompute, "Time triggers".
func parseFC(expression string) (cron.Schedule, error) {
	zone := "UTC"
	if rest, ok := strings.CutPrefix(expression, "CRON_TZ="); ok {
		zone, expression, _ = strings.Cut(rest, " ")
	}
	if every, ok := strings.CutPrefix(expression, "@every "); ok {
		interval, err := time.ParseDuration(every)
		if err != nil || interval < intervalMin {
			return nil, fmt.Errorf("%s is no interval of a minute or more: write @every 10m", quoted(every))
		}
		if err := checkZone(zone); err != nil {
			return nil, err
		}
		return cron.Every(interval), nil
	}
	fields := strings.Fields(expression)
	if len(fields) != 6 {
		return nil, fmt.Errorf("has %d fields: write six, sec min hour day month weekday, such as 0 0 3 * * *", len(fields))
	}
	if fields[0] != "0" {
		return nil, errors.New("has seconds: write 0 for them, the minute is what identifies a tick")
	}
	return parseCron(fcCron, zone, fields, 5)
}

// parseAWS reads a schedule of EventBridge Scheduler: cron(...) with six fields of its own, or rate(...).
// Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func parseAWS(expression, zone string) (cron.Schedule, error) {
	if strings.HasPrefix(expression, "rate(") {
		return parseRate(expression)
	}
	inside, ok := strings.CutPrefix(expression, "cron(")
	inside, closed := strings.CutSuffix(inside, ")")
	if !ok || !closed {
		return nil, fmt.Errorf("is %s: write cron(0 3 * * ? *) or rate(10 minutes)", quoted(expression))
	}
	fields := strings.Fields(inside)
	if len(fields) != 6 {
		return nil, fmt.Errorf("has %d fields: write six, min hour day month weekday year, such as cron(0 3 * * ? *)", len(fields))
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, errors.New("needs ? either for the day or for the weekday: write cron(0 3 * * ? *) or cron(0 3 ? * SUN *)")
	}
	return parseCron(awsCron, zone, fields, 4)
}

func parseRate(expression string) (cron.Schedule, error) {
	found := rateForm.FindStringSubmatch(expression)
	if found == nil || (found[1] == "1") != (found[3] == "") {
		return nil, fmt.Errorf("is %s: write rate(1 hour) or rate(10 minutes)", quoted(expression))
	}
	n, _ := strconv.Atoi(found[1]) // the form has digits only
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[found[2]]
	return cron.Every(time.Duration(n) * unit), nil
}

// parseCron parses the fields of an expression; weekday is the index of the days of the week.
func parseCron(parser cron.Parser, zone string, fields []string, weekday int) (cron.Schedule, error) {
	for i, field := range fields {
		if !cronField.MatchString(field) {
			return nil, fmt.Errorf("has the field %s: use digits, names in capitals, and * ? / , -", quoted(field))
		}
		if i == weekday && digit.MatchString(field) {
			return nil, fmt.Errorf("has the weekday %s: write MON to SUN, the platforms number the days differently", quoted(field))
		}
	}
	if err := checkZone(zone); err != nil {
		return nil, err
	}
	schedule, err := parser.Parse("CRON_TZ=" + zone + " " + strings.Join(fields, " "))
	if err != nil {
		return nil, fmt.Errorf("is no cron expression: %w", err)
	}
	if schedule.Next(epoch).IsZero() {
		return nil, errors.New("never fires: there is no such day")
	}
	return schedule, nil
}

// epoch is a time to compare schedules from: any will do that both get.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func checkZone(zone string) error {
	if !zoneName.MatchString(zone) || zone == "Local" {
		return errZone
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return errZone
	}
	return nil
}
