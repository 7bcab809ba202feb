package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"swas-snapshot/shared/platform"
)

func TestLogger(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		lowest slog.Level
		wrong  bool
	}{
		"":       {slog.LevelInfo, false},
		"debug":  {slog.LevelDebug, false},
		"info":   {slog.LevelInfo, false},
		"warn":   {slog.LevelWarn, false},
		"error":  {slog.LevelError, false},
		" WARN ": {slog.LevelWarn, false},
		"trace":  {slog.LevelInfo, true},
		"info+1": {slog.LevelInfo, true},
		"4":      {slog.LevelInfo, true},
	}
	for text, c := range cases {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			getenv := env("SNAPSHOT_LOG_LEVEL", text)
			logger := platform.Logger(getenv, &out)
			level, err := platform.LogLevel(getenv)
			if level != c.lowest || (err != nil) != c.wrong || err != nil &&
				!strings.Contains(err.Error(), "SNAPSHOT_LOG_LEVEL") {
				t.Errorf("got %v", err)
			}
			if !logger.Enabled(context.Background(), c.lowest) || logger.Enabled(context.Background(), c.lowest-1) {
				t.Errorf("the lowest level is not %v", c.lowest)
			}
			logger.Error("m", "target", "web-1")
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if len(line) != 4 || line["msg"] != "m" || line["target"] != "web-1" || line["level"] != "ERROR" {
				t.Errorf("got %v", line)
			}
		})
	}
}
