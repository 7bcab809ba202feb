package platform

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const envLogLevel = "SNAPSHOT_LOG_LEVEL"

// LogLevel returns the level that SNAPSHOT_LOG_LEVEL names, in any case; info if it is unset. The error names the
// variable and the four levels; the level is info then, so that the error can be logged.
func LogLevel(getenv func(string) string) (slog.Level, error) {
	text := strings.ToLower(strings.TrimSpace(getenv(envLogLevel)))
	switch text {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return slog.LevelInfo, fmt.Errorf("%s: unknown log level: use debug, info, warn or error", envLogLevel)
}

// Logger returns a logger that writes JSON lines to w, from [LogLevel] on, without attributes of its own.
func Logger(getenv func(string) string, w io.Writer) *slog.Logger {
	level, _ := LogLevel(getenv)
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
