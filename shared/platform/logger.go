package platform

import (
	"errors"
	"io"
	"log/slog"
	"strings"
)

const envLogLevel = "SNAPSHOT_LOG_LEVEL"

var logLevels = map[string]slog.Level{
	"":      slog.LevelInfo,
	"debug": slog.LevelDebug,
	"info":  slog.LevelInfo,
	"warn":  slog.LevelWarn,
	"error": slog.LevelError,
}

// Logger returns a logger that writes JSON lines to w, from the level on that SNAPSHOT_LOG_LEVEL names: debug, info,
// warn or error, in any case; by default info. It adds nothing to a line. Any other level is an error that names the
// variable; the logger then takes info, so that the error can be logged.
func Logger(getenv func(string) string, w io.Writer) (*slog.Logger, error) {
	level, known := logLevels[strings.ToLower(strings.TrimSpace(getenv(envLogLevel)))]
	var err error
	if !known {
		err = errors.New(envLogLevel + " is no level: write debug, info, warn or error, or unset it for info")
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), err
}
