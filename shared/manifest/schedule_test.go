package manifest

import (
	"strings"
	"testing"
	"time"
)

func TestParseFC(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC) // a Friday
	tests := map[string]struct {
		expression string
		want       time.Time
	}{
		"UTC":      {"0 30 3 * * *", time.Date(2026, time.January, 31, 3, 30, 0, 0, time.UTC)},
		"Zone":     {"CRON_TZ=America/New_York 0 30 3 * * *", time.Date(2026, time.January, 31, 8, 30, 0, 0, time.UTC)},
		"Weekday":  {"0 0 4 * * SUN", time.Date(2026, time.February, 1, 4, 0, 0, 0, time.UTC)},
		"Month":    {"0 0 4 1 MAR *", time.Date(2026, time.March, 1, 4, 0, 0, 0, time.UTC)},
		"Leap":     {"0 0 4 29 2 *", time.Date(2028, time.February, 29, 4, 0, 0, 0, time.UTC)},
		"Interval": {"@every 4m", time.Date(2026, time.January, 30, 12, 4, 0, 0, time.UTC)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schedule, err := parseFC(tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := schedule.Next(from); !got.Equal(tt.want) {
				t.Errorf("fires at %v, want %v", got.UTC(), tt.want)
			}
		})
	}
}

func TestParseAWS(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		expression, zone string
		want             time.Time
	}{
		"Daily":   {"cron(0 3 * * ? *)", "Asia/Shanghai", time.Date(2026, time.January, 30, 19, 0, 0, 0, time.UTC)},
		"Weekday": {"cron(30 4 ? * SUN *)", "UTC", time.Date(2026, time.February, 1, 4, 30, 0, 0, time.UTC)},
		"Year":    {"cron(0 0 1 1 ? 2030)", "UTC", time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)},
		"Minute":  {"rate(1 minute)", "UTC", time.Date(2026, time.January, 30, 12, 1, 0, 0, time.UTC)},
		"Days":    {"rate(2 days)", "UTC", time.Date(2026, time.February, 1, 12, 0, 0, 0, time.UTC)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schedule, err := parseAWS(tt.expression, tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := schedule.Next(from); !got.Equal(tt.want) {
				t.Errorf("fires at %v, want %v", got.UTC(), tt.want)
			}
		})
	}
}

// What neither platform takes, or what both would read differently.
func TestParseScheduleRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ fc, aws, zone, want string }{
		"FCEmpty":       {fc: " ", want: "has 0 fields"},
		"FCSeven":       {fc: "0 0 3 * * * 2026", want: "has 7 fields"},
		"FCSeconds":     {fc: "*/5 0 3 * * *", want: "has seconds"},
		"FCMinute":      {fc: "0 60 3 * * *", want: "is no cron expression"},
		"FCSmall":       {fc: "0 0 3 * * mon", want: `has the field "mon"`},
		"FCNumber":      {fc: "0 0 3 * * 7", want: `has the weekday "7"`},
		"FCDescriptor":  {fc: "@daily", want: "has 1 fields"},
		"FCInterval":    {fc: "@every 30s", want: "no interval of a minute"},
		"FCLocal":       {fc: "CRON_TZ=Local 0 0 3 * * *", want: "names no time zone"},
		"FCNoZone":      {fc: "CRON_TZ= 0 0 3 * * *", want: "names no time zone"},
		"FCEveryZone":   {fc: "CRON_TZ=Nowhere @every 10m", want: "names no time zone"},
		"AWSFive":       {aws: "cron(0 3 * * ?)", zone: "UTC", want: "has 5 fields"},
		"AWSOpen":       {aws: "cron(0 3 * * ? *", zone: "UTC", want: "write cron("},
		"AWSNoQuestion": {aws: "cron(0 3 1 * SUN *)", zone: "UTC", want: "needs ?"},
		"AWSQuestions":  {aws: "cron(0 3 ? * ? *)", zone: "UTC", want: "needs ?"},
		"AWSYear":       {aws: "cron(0 3 * * ? 2020)", zone: "UTC", want: "never fires"},
		"AWSNever":      {aws: "cron(0 3 31 4 ? *)", zone: "UTC", want: "never fires"},
		"AWSOne":        {aws: "rate(1 hours)", zone: "UTC", want: "write rate(1 hour)"},
		"AWSZero":       {aws: "rate(0 hours)", zone: "UTC", want: "write rate(1 hour)"},
		"AWSSecond":     {aws: "rate(30 seconds)", zone: "UTC", want: "write rate(1 hour)"},
		"AWSZone":       {aws: "cron(0 3 * * ? *)", zone: "Mars/Olympus", want: "names no time zone"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseAWS(tt.aws, tt.zone)
			if tt.fc != "" {
				_, err = parseFC(tt.fc)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// A multiple of a binary fraction is one, whatever its last bit.
func TestMultiple(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 320; n++ {
		if cpu := float64(n) * 0.05; !multiple(cpu, 0.05) || multiple(cpu+0.01, 0.05) {
			t.Errorf("%v and %v: want a multiple of 0.05 and none", cpu, cpu+0.01)
		}
	}
}
