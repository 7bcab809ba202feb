package policy

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a function's machine may have no time zones

	cron "github.com/netresearch/go-cron"
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

// cronLine reads five-field cron. Its errors do not quote the line, which may come from the environment.
func cronLine(line string) (*cron.SpecSchedule, error) {
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
	parsed, err := fiveFieldCron.Parse(strings.Join(fields, " "))
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

// fiveFieldCron finds 29 February, which comes after eight years where a century has none.
var fiveFieldCron = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom).
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

// valid reports whether text is a list of values, ranges and steps, as every cron reads them. The library takes more.
func (f cronField) valid(text string) bool {
	for part := range strings.SplitSeq(text, ",") {
		values, step, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(values, "-")
		from, ok := f.value(first)
		to, okTo := from, true
		if ranged {
			to, okTo = f.value(last)
		}
		switch {
		case values == "*":
		case !ok || !okTo || from > to || stepped && !ranged:
			return false
		}
		if n, digits := number(step); stepped && (!digits || n < 1) {
			return false
		}
	}
	return true
}

// value returns the number of one value of the field.
func (f cronField) value(text string) (int, bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.least + i, true
	}
	n, ok := number(text)
	return n, ok && n >= f.least && n <= f.most
}

// number reads one or two digits.
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err == nil && len(text) <= 2
}
