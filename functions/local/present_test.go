package main

import (
	"testing"
	"time"
)

// TestAtPresent shows which times of an event are moved, and that what a function refuses to read is left alone.
func TestAtPresent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 8, 30, 0, 5e8, time.FixedZone("", 3600))
	for name, c := range map[string]struct{ event, want string }{
		"Timer": {`{"triggerTime":"2026-01-30T19:00:00Z","payload":"{\"role\":\"daily\"}"}`,
			`{"payload":"{\"role\":\"daily\"}","triggerTime":"2026-12-01T07:30:00Z"}`},
		"Millis":    {`{"PublishTime":1,"Message":"m"}`, `{"Message":"m","PublishTime":1796110200500}`},
		"Text":      {`{"attributes":{"SentTimestamp":"1"}}`, `{"attributes":{"SentTimestamp":"1796110200500"}}`},
		"InAList":   {`[{"time":"x"}]`, `[{"time":"2026-12-01T07:30:00Z"}]`},
		"InAString": {`["{\"time\":\"x\"}"]`, `["{\"time\":\"2026-12-01T07:30:00Z\"}"]`},
		"Compound":  {`{"time":{"time":"x"}}`, `{"time":{"time":"2026-12-01T07:30:00Z"}}`},
		"Number":    {`{"a":1.50}`, `{"a":1.50}`},
		"NoTime":    {`{"target":"web-1"}`, `{"target":"web-1"}`},
		"NoJSON":    {`x`, `x`},
		"Trailing":  {`{"time":"x"} {}`, `{"time":"x"} {}`},
		"Doubled":   {`{"time":"x","time":"y"}`, `{"time":"x","time":"y"}`},
		"Empty":     {``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(atPresent([]byte(c.event), now)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
