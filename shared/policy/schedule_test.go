package policy

import (
	"sort"
	"strings"
	"testing"
	"time"
)

// lines are lines of cron, with their meaning written out.
var lines = map[string]func(wall time.Time) bool{
	"0 3 * * *":    func(w time.Time) bool { return w.Hour() == 3 && w.Minute() == 0 },
	"30 2 * * *":   func(w time.Time) bool { return w.Hour() == 2 && w.Minute() == 30 },
	"0 * * * *":    func(w time.Time) bool { return w.Minute() == 0 },
	"30 * * * *":   func(w time.Time) bool { return w.Minute() == 30 },
	"59 */2 * * *": func(w time.Time) bool { return w.Minute() == 59 && w.Hour()%2 == 0 },
	"0 0 * * *":    func(w time.Time) bool { return w.Hour() == 0 && w.Minute() == 0 },
	"15 1,2 * MAR-NOV SUN": func(w time.Time) bool {
		return w.Minute() == 15 && (w.Hour() == 1 || w.Hour() == 2) && w.Month() >= 3 && w.Month() <= 11 && w.Weekday() == 0
	},
	"5 0-4/2 1,15 * thu": func(w time.Time) bool {
		return w.Minute() == 5 && w.Hour() <= 4 && w.Hour()%2 == 0 && (w.Day() == 1 || w.Day() == 15 || w.Weekday() == 4)
	},
	"0 12 31 * 7": func(w time.Time) bool {
		return w.Hour() == 12 && w.Minute() == 0 && (w.Day() == 31 || w.Weekday() == 0)
	},
}

// fired is every time of each line in a zone, from the definition: minute by minute, a time counts when the clocks show
// it first, or at the moment in which they skip it.
func fired(zone *time.Location, from, to time.Time) map[string][]time.Time {
	all := make(map[string][]time.Time)
	next := clock(from, zone) // the earliest time that was not shown yet
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		shown := clock(at, zone)
		for line, matches := range lines {
			due := false
			for wall := next; !wall.After(shown) && !due; wall = wall.Add(time.Minute) {
				due = matches(wall)
			}
			if due {
				all[line] = append(all[line], at)
			}
		}
		if !next.After(shown) {
			next = shown.Add(time.Minute)
		}
	}
	return all
}

// clock is what the clocks show at t, as a time of UTC.
func clock(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

func TestScheduleIsItsDefinition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone string
		year int
	}{
		{"Europe/Berlin", 2026}, {"America/New_York", 2025}, {"Australia/Lord_Howe", 2026}, {"America/Havana", 2025},
		{"Asia/Beirut", 2025},
		{"Asia/Shanghai", 1987}, {"Asia/Shanghai", 2026}, {"Africa/Casablanca", 2026}, {"Antarctica/Troll", 2026},
		{"Europe/Dublin", 2026},
		{"Pacific/Apia", 2011}, {"Asia/Kathmandu", 1985}, {"America/Santiago", 2040}, {"UTC", 2099},
	} {
		t.Run(c.zone, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Date(c.year, 1, 31, 12, 0, 0, 0, time.UTC)
			spans := []time.Time{start} // with the end of a month, and mostly without a change
			for at := start.AddDate(0, -1, 0); at.Year() <= c.year; at = at.Add(time.Hour) {
				if clock(at.Add(time.Hour), zone).Sub(clock(at, zone)) != time.Hour {
					spans = append(spans, at)
				}
			}
			for _, middle := range spans {
				for line, times := range fired(zone, middle.AddDate(0, 0, -8), middle.AddDate(0, 0, 8)) {
					checkTimes(t, line, zone, times, middle)
				}
			}
		})
	}
}

// checkTimes compares a schedule with all its times of a span: every five hours, and around its middle each minute and
// the nanosecond before it.
func checkTimes(t *testing.T, line string, zone *time.Location, want []time.Time, middle time.Time) {
	t.Helper()
	wall, err := parseCron(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	s := schedule{wall, zone}
	check := func(at time.Time) {
		i := sort.Search(len(want), func(i int) bool { return want[i].After(at) })
		if i == 0 || i == len(want) {
			return // the neighbour is outside of the span
		}
		latest, next := s.Latest(at.In(zone)), s.Next(at)
		if !latest.Equal(want[i-1]) || !next.Equal(want[i]) || latest.Location() != time.UTC || next.Location() != time.UTC {
			t.Fatalf("%s at %s: got %s and %s, want %s and %s", line, at.In(zone), latest, next, want[i-1], want[i])
		}
	}
	for at := want[0]; at.Before(want[len(want)-1]); at = at.Add(5 * time.Hour) {
		check(at.Add(17 * time.Second))
	}
	for at := middle.Add(-time.Hour); at.Before(middle.Add(4 * time.Hour)); at = at.Add(time.Minute) {
		check(at.Add(-1))
		check(at)
	}
}

// TestScheduleAtChanges shows the rules of a change of the clocks by example.
func TestScheduleAtChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line, zone, from string
		want             []string // the next times
	}{
		"Skipped": {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		"SkippedTogether": {"15 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00", "2026-03-30T02:15:00+02:00"}},
		"SkippedAndShown": {"0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		"SkippedDay": {"0 */8 * * *", "Pacific/Apia", "2011-12-29T17:00:00-10:00",
			[]string{"2011-12-31T00:00:00+14:00", "2011-12-31T08:00:00+14:00"}},
		"Twice": {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		"HalfAnHour": {"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00+11:00",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}},
		"SkippedMidnight": {"0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00+02:00",
			[]string{"2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00"}},
		"LeapDay": {"0 3 29 2 *", "Asia/Shanghai", "2096-03-01T00:00:00+08:00",
			[]string{"2104-02-29T03:00:00+08:00", "2108-02-29T03:00:00+08:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "timeZone: " + c.zone + "\nschedule: {daily: '" + c.line + "'}\ntargets: {a: {disk: d-1, keep: {daily: 1}}}"
			p, err := Parse([]byte(text), func(string) string { return "" })
			if err != nil {
				t.Fatal(err)
			}
			s, at := p.Targets[0].Keep[0].Schedule, moment(t, c.from)
			for i, text := range c.want {
				before := at
				if at = s.Next(at); !at.Equal(moment(t, text)) {
					t.Fatalf("got %s, want %s", at.In(p.Location), text)
				}
				if got := s.Latest(at); !got.Equal(at) {
					t.Errorf("latest at %s: got %s", text, got)
				}
				if got := s.Latest(at.Add(-1)); i > 0 && !got.Equal(before) {
					t.Errorf("latest before %s: got %s, want %s", text, got, before)
				}
			}
		})
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestParseCronRefuses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                      "has 0 fields",
		"3":                     "has 1 fields",
		"0 3 * *":               "has 4 fields",
		"0 0 3 * * *":           "has 6 fields",
		"@daily":                "is a name",
		"@every 24h":            "is a name",
		"CRON_TZ=UTC 0 3 * * *": "names a time zone",
		"TZ=UTC 0 3 * * *":      "names a time zone",
		"60 3 * * *":            "wrong minute",
		"-1 3 * * *":            "wrong minute",
		"5- 3 * * *":            "wrong minute",
		"5/15 3 * * *":          "wrong minute",
		"5-7/0 3 * * *":         "wrong minute",
		"*/ 3 * * *":            "wrong minute",
		"*/2/2 3 * * *":         "wrong minute",
		"1,,2 3 * * *":          "wrong minute",
		"1, 3 * * *":            "wrong minute",
		"H 3 * * *":             "wrong minute",
		"+5 3 * * *":            "wrong minute",
		"5-4 3 * * *":           "wrong minute",
		"1-2-3 3 * * *":         "wrong minute",
		"** 3 * * *":            "wrong minute",
		"*-5 3 * * *":           "wrong minute",
		"*/60 3 * * *":          "is not a line of cron",
		"0 24 * * *":            "wrong hour",
		"0 22-2 * * *":          "wrong hour",
		"0 3am * * *":           "wrong hour",
		"0 3 0 * *":             "wrong day-of-month",
		"0 3 32 * *":            "wrong day-of-month",
		"0 3 L * *":             "wrong day-of-month",
		"0 3 15W * *":           "wrong day-of-month",
		"0 3 ? * *":             "wrong day-of-month",
		"0 3 * 13 *":            "wrong month",
		"0 3 * MON *":           "wrong month",
		"0 3 * january *":       "wrong month",
		"0 3 * * 8":             "wrong day-of-week",
		"0 3 * * FRI#2":         "wrong day-of-week",
		"0 3 * * 5L":            "wrong day-of-week",
		"0 3 * * ?":             "wrong day-of-week",
		"0 3 * * SAT-SUN":       "wrong day-of-week",
		"0 3 31 2 *":            "never fires",
		"0 3 30,31 feb *":       "never fires",
		"0 3 31 4,6,9,11 *":     "never fires",
		"* * * * *":             "fires twice",
		"*/30 * * * *":          "fires twice",
		"0,59 3 * * *":          "fires twice",
		"0,30 0,23 * * *":       "fires twice",
		"0 3 * * " + strings.Repeat("1,", 600) + "1": "is not a line of cron",
	} {
		if _, err := parseCron(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: got %v, want %q", line, err, want)
		}
	}
	for _, line := range []string{"0 3 * * *", "59 23 31 12 7", "0 0,23 * * *", "0 0-23/1 * * *", "0 3 29 2 *",
		"0 3 31 2 5", "00 03 01 jan SUN", "0 3 * * FRI-SAT"} {
		if _, err := parseCron(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
