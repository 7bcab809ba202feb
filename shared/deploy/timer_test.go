package deploy

import (
	"strings"
	"testing"
	"time"
)

func TestSchedules(t *testing.T) {
	t.Parallel()
	friday := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC)
	at := func(year int, month time.Month, day, hour, minute int) time.Time {
		return time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	}
	for expression, want := range map[string]time.Time{
		"0 30 3 * * *":                          at(2026, time.January, 31, 3, 30),
		"CRON_TZ=America/New_York 0 30 3 * * *": at(2026, time.January, 31, 8, 30),
		"0 0 4 * * SUN":                         at(2026, time.February, 1, 4, 0),
		"0 0 4 * * TUE-THU":                     at(2026, time.February, 3, 4, 0),
		"0 0 4 1 MAR *":                         at(2026, time.March, 1, 4, 0),
		"0 0 4 29 2 *":                          at(2028, time.February, 29, 4, 0),
		"@every 4m":                             at(2026, time.January, 30, 12, 4),
		"cron(0 3 * * ? *) Asia/Shanghai":       at(2026, time.January, 30, 19, 0),
		"cron(30 4 ? * SUN *)":                  at(2026, time.February, 1, 4, 30),
		"cron(0 0 1 1 ? 2030)":                  at(2030, time.January, 1, 0, 0),
		"rate(1 minute)":                        at(2026, time.January, 30, 12, 1),
		"rate(2 days)":                          at(2026, time.February, 1, 12, 0),
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			schedule, err := parseFC(expression)
			if text, zone, _ := strings.Cut(expression, ") "); strings.Contains(text, "(") {
				schedule, err = parseAWS(strings.TrimSuffix(text, ")")+")", zone)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := schedule.Next(friday); !got.Equal(want) {
				t.Errorf("fires at %v, want %v", got.UTC(), want)
			}
		})
	}
}

// What cannot be read, and what each platform reads in its own way.
func TestSchedulesRefused(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{" ", "0 3 * * *", "0 0 3 * * * 2026", "0 60 3 * * *", "0 0 3 * * 7", "@every",
		"@every x", "CRON_TZ=Nowhere 0 0 3 * * *", "CRON_TZ= 0 0 3 * * *", "0 0 3 30 2 *"} {
		if _, err := parseFC(expression); err == nil {
			t.Errorf("parseFC(%q): no error", expression)
		}
	}
	for _, expression := range []string{"", "0 3 * * ? *", "cron(0 3 * * ?)", "cron(0 24 * * ? *)", "cron(0 3 ? * 1 *)",
		"cron(0 3 * * ? 2020)", "cron(0 3 31 4 ? *)", "rate(0 hours)", "rate(30 seconds)"} {
		if _, err := parseAWS(expression, "UTC"); err == nil {
			t.Errorf("parseAWS(%q): no error", expression)
		}
	}
	if _, err := parseAWS("cron(0 3 * * ? *)", "Mars/Olympus"); err == nil {
		t.Error("parseAWS in an unknown zone: no error")
	}
}
