package trigger

import (
	"strconv"
	"strings"
	"time"
)

// maxDays keeps a duration in days within time.Duration.
const maxDays = 36500

// parseTime reads the time of an event. Absent, it is the zero time; a time before 1970 is a mistake.
func parseTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 {
		return time.Time{}, malformed("field %s is no time: write one such as 2026-01-31T03:00:00Z", quoteName(name))
	}
	return at.UTC(), nil
}

// maxMillis is the last millisecond of the year 9999, beyond which a time has no RFC 3339 form.
const maxMillis = 253402300799999

// parseMillis reads a time in milliseconds since 1970.
func parseMillis(name string, millis int64) (time.Time, error) {
	if millis <= 0 || millis > maxMillis {
		return time.Time{}, malformed("field %s is no time in milliseconds since 1970", quoteName(name))
	}
	return time.UnixMilli(millis).UTC(), nil
}

// parseAge reads a duration as Go writes it, which may begin with days: 90m, 36h, 2d, 1d12h.
func parseAge(name, text string) (time.Duration, error) {
	wrong := malformed(`field %s is no duration: write text such as "1h" or "2d"`, quoteName(name))
	var days int
	rest := text
	if number, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n > maxDays {
			return 0, wrong
		}
		days, rest = int(n), after
		if rest == "" {
			rest = "0s"
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || days > 0 && (d < 0 || d >= 24*time.Hour) {
		return 0, wrong
	}
	return time.Duration(days)*24*time.Hour + d, nil
}
