package policy

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a function's machine may have no time zones

	cron "github.com/netresearch/go-cron"
	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
)

// schedule is the times of a role: a line of cron, by the clocks of a time zone. A time that the clocks show twice is
// the first of the two. The times that they skip are, all together, the moment of the jump.
type schedule struct {
	// wall works on wall-clock times, written as UTC: the library has other rules for jumps.
	wall *cron.SpecSchedule
	zone *time.Location
}

// Latest returns the latest time of the schedule that is not after t, in UTC.
func (s schedule) Latest(t time.Time) time.Time {
	// The clocks have shown every time up to that of t, and later ones if they were put back within the last day.
	ahead := max(s.offset(t), s.offset(t.Add(-aDay)))
	wall := s.wall.Prev(t.UTC().Add(ahead + time.Second)) // Prev is exclusive, to the second
	for !wall.IsZero() && s.instant(wall).After(t) {
		wall = s.wall.Prev(wall)
	}
	return s.instant(wall)
}

// Next returns the first time of the schedule after t, in UTC.
func (s schedule) Next(t time.Time) time.Time {
	wall := s.wall.Next(t.UTC().Add(s.offset(t)))
	for !wall.IsZero() && !s.instant(wall).After(t) {
		wall = s.wall.Next(wall)
	}
	return s.instant(wall)
}

// offset returns what the clocks show at t, less UTC.
func (s schedule) offset(t time.Time) time.Duration {
	_, seconds := t.In(s.zone).Zone()
	return time.Duration(seconds) * time.Second
}

// instant returns the first moment at which the clocks show wall, or a later time because they skip it. No time stays
// none.
func (s schedule) instant(wall time.Time) time.Time {
	if wall.IsZero() {
		return wall
	}
	// From a moment before it on, from change to change. [time.Time.ZoneBounds] is wrong on the last day of a leap year.
	at := wall.Add(-aDay)
	for {
		offset := s.offset(at)
		found := wall.Add(-offset)
		switch {
		case !found.After(at):
			return at
		case s.offset(found) == offset:
			return found
		}
		seconds := sort.Search(int(found.Sub(at)/time.Second), func(i int) bool {
			return s.offset(at.Add(time.Duration(i)*time.Second)) != offset
		})
		at = at.Add(time.Duration(seconds) * time.Second)
	}
}

// aDay is at least what any clock differs from UTC, and by what it was ever put forward or back.
const aDay = 24 * time.Hour

const fiveFields = "write minute hour day-of-month month day-of-week, such as 0 3 * * *"

// parseCron reads five-field cron. Its errors do not quote the line, which may come from the environment.
func parseCron(line string) (*cron.SpecSchedule, error) {
	fields := strings.Fields(strings.ToLower(line)) // in capitals the library takes the H of THU for syntax of its own
	switch {
	case strings.HasPrefix(line, "@"):
		return nil, errors.New("is a name for a line of cron: " + fiveFields)
	case strings.Contains(line, "TZ="):
		return nil, errors.New("names a time zone: leave it out, the key timeZone is for all schedules")
	case len(fields) != len(cronFields):
		return nil, fmt.Errorf("has %d fields: %s", len(fields), fiveFields)
	}
	for i, field := range cronFields {
		if !field.valid(fields[i]) {
			return nil, fmt.Errorf("has a wrong %s: use %s, with ranges such as 1-5, lists such as 1,5 and steps such as */2",
				field.name, field.values)
		}
	}
	parsed, err := cronParser.Parse(strings.Join(fields, " "))
	spec, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return nil, errors.New("is not a line of cron: " + fiveFields)
	}
	spec.Location = time.UTC
	switch {
	case spec.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero():
		return nil, errors.New("never fires: no such month has such a day")
	case bits.OnesCount64(spec.Minute<<4) > 1: // the four highest bits are not minutes
		return nil, errors.New("fires twice less than 60 minutes apart: name one minute, as in 0 * * * *")
	}
	return spec, nil
}

// cronParser finds 29 February, which comes after eight years where a century has none.
var cronParser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom).
	WithMaxSearchYears(8)

// cronField is one field of a line of cron.
type cronField struct {
	name, values string
	least, most  int
	names        []string // of the values from least on
}

var cronFields = []cronField{
	{name: "minute", values: "0 to 59", most: 59},
	{name: "hour", values: "0 to 23", most: 23},
	{name: "day-of-month", values: "1 to 31", least: 1, most: 31},
	{name: "month", values: "1 to 12 or JAN to DEC", least: 1, most: 12,
		names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day-of-week", values: "0 to 7 or SUN to SAT", most: 7,
		names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

const (
	cronValue = `(\d\d?|[a-z]{3})`
	cronStep  = `(?:/0*[1-9]\d*)?`
)

// cronPart is an element of a field: *, a value or a range, of which * and a range may have a step.
var cronPart = regexp.MustCompile(`^(?:\*` + cronStep + `|` + cronValue + `(?:-` + cronValue + cronStep + `)?)$`)

// valid reports whether text is a list of values, ranges and steps, as every cron reads them. The library takes more.
func (f cronField) valid(text string) bool {
	for part := range strings.SplitSeq(text, ",") {
		match := cronPart.FindStringSubmatch(part)
		if match == nil {
			return false
		}
		if match[1] == "" {
			continue // *
		}
		first, last := f.value(match[1]), f.value(cmp.Or(match[2], match[1]))
		if first < f.least || first > last || last > f.most {
			return false
		}
	}
	return true
}

// value returns the number of one value of the field; -1 for an unknown name.
func (f cronField) value(text string) int {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.least + i
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// location returns the time zone of a name; nil for no name and for one that the IANA database does not have.
func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil
	}
	return zone
}

// times is what stands under one key schedule, in the order of the file.
type times []scheduledRole

// scheduledRole is a role and its schedule. That of a wrong line is not nil, so that nothing else is reported for it.
type scheduledRole struct {
	entry
	schedule snapshot.Schedule
}

// of returns the schedule of a role; nil if there is none.
func (t times) of(role string) snapshot.Schedule {
	for _, one := range t {
		if one.name == role {
			return one.schedule
		}
	}
	return nil
}

// schedule reads lines of cron by role. No zone is UTC. The field may be missing.
func (r *reader) schedule(at field, zone *time.Location) times {
	r.joinCutLines(at)
	var all times
	for _, one := range r.mapping(at) {
		all = append(all, scheduledRole{one, r.cronLine(one.field, zone)})
	}
	return all
}

func (r *reader) cronLine(at field, zone *time.Location) snapshot.Schedule {
	if !r.is(at, "!!str", "a line of cron, such as 0 3 * * *") {
		return schedule{}
	}
	line := r.text(at, "")
	if line == "" {
		return schedule{}
	}
	wall, err := parseCron(line)
	if err != nil {
		r.fail(at, "%s %v", snapshot.Quote(at.node.Value), err)
		return schedule{}
	}
	if zone == nil {
		zone = time.UTC
	}
	return schedule{wall, zone}
}

// joinCutLines reports the lines in { } that YAML cuts at their commas, and joins them: {daily: 0 3 * * 1,5} is
// daily: 0 3 * * 1, and a key 5 without a value.
func (r *reader) joinCutLines(at field) {
	if !at.isMapping() || at.node.Style&yaml.FlowStyle == 0 {
		return
	}
	nodes := at.node.Content
	for i := 0; i+1 < len(nodes); i += 2 {
		key, value := nodes[i], nodes[i+1]
		line, end := value.Value, i+2
		for ; end < len(nodes) && nodes[end+1].Tag == "!!null"; end += 2 {
			line += "," + nodes[end].Value
		}
		if _, err := parseCron(line); err != nil || end == i+2 {
			continue
		}
		r.fail(field{value, member(at.path, key.Value), key.Line}, "is cut at its comma, which separates keys in { }: "+
			"write the line in quotes, as in {%s: %s}", key.Value, snapshot.Quote(line))
		value.Value, nodes = line, slices.Delete(nodes, i+2, end)
	}
	at.node.Content = nodes
}

// checkKept reports the times of roles that none of the targets keeps.
func (r *reader) checkKept(all times, defect string, targets ...snapshot.Target) {
	for _, one := range all {
		if !slices.ContainsFunc(targets, func(t snapshot.Target) bool { return keeps(t, one.name) }) {
			r.fail(one.field, "is the schedule of a role that %s, or leave the schedule out", defect)
		}
	}
}

// keeps reports whether the target's keep names the role.
func keeps(t snapshot.Target, role string) bool { return slices.Contains(roles(t), role) }

// roles returns the roles that the target keeps.
func roles(t snapshot.Target) []string {
	names := make([]string, len(t.Keep))
	for i, slots := range t.Keep {
		names[i] = slots.Role
	}
	return names
}

// unscheduled returns the roles that the target keeps and no schedule fires.
func unscheduled(t snapshot.Target) []string {
	var names []string
	for _, slots := range t.Keep {
		if slots.Schedule == nil {
			names = append(names, slots.Role)
		}
	}
	return names
}
