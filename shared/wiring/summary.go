package wiring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
)

// summarize writes the one summary line of an invocation. It holds no secret, no body and no key: a key is somebody
// else's identifier, so the hash of the token that is made of it stands for it.
func (f *Function) summarize(ctx context.Context, from platform.Invocation, answered Answered, stats *snapshot.Stats, took time.Duration) {
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("trigger", f.name), slog.String("platform", from.Platform), slog.String("requestId", from.RequestID),
		slog.Int64("durationMs", took.Milliseconds()), slog.Int64("apiCalls", stats.Calls.Load()),
		slog.Int64("retries", stats.Retries.Load()), slog.Int64("waitedMs", time.Duration(stats.Waited.Load()).Milliseconds()),
	}
	if answered.Sweep {
		attributes = append(attributes, slog.Bool("sweep", true))
	}
	if seen := answered.exchange; seen != nil {
		for _, one := range []slog.Attr{slog.String("method", seen.method), slog.String("path", seen.path), slog.String("code", seen.code)} {
			if one.Value.String() != "" {
				attributes = append(attributes, one)
			}
		}
		attributes = append(attributes, slog.Int("status", seen.status))
		if seen.status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	orders := make([]any, 0, len(answered.Results))
	for _, result := range answered.Results {
		if result.Error != nil {
			level = slog.LevelError
		}
		orders = append(orders, order(result))
	}
	if answered.Err != nil {
		level = slog.LevelError
		if known := (platform.Failure{}); len(orders) == 0 && errors.As(answered.Err, &known) {
			attributes = append(attributes, slog.String("code", known.Type), slog.String("error", known.Message))
		}
	}
	attributes = append(attributes, slog.Any("orders", orders))
	if len(answered.deeds) > 0 {
		deeds := make([]any, 0, len(answered.deeds))
		for _, one := range answered.deeds {
			if one.err != nil && problem.Status(snapshot.AsError(one.err)) >= http.StatusInternalServerError {
				level = slog.LevelError // a chat is answered 200 all the same
			}
			deeds = append(deeds, one.line())
		}
		attributes = append(attributes, slog.Any("deeds", deeds))
	}
	f.log.LogAttrs(ctx, level, "invocation", attributes...)
}

// line is what the log says of a deed.
func (d deed) line() map[string]any {
	line := map[string]any{"action": d.action}
	for name, value := range map[string]string{
		"target": d.target, "snapshotId": d.snapshotID, "keep": d.keep, "from": d.who.From, "actor": d.who.Actor,
	} {
		if value = notify.Plain(value); value != "" { // an ID that was asked for may be any text
			line[name] = value
		}
	}
	blame(line, d.err)
	return line
}

// blame adds an error to a line, and of one that nobody foresaw what lies beneath.
func blame(line map[string]any, err error) {
	if err == nil {
		return
	}
	known := snapshot.AsError(err)
	line["code"], line["error"], line["retryable"] = known.Code, known.Message, known.Retryable
	if cause := errors.Unwrap(known); known.Code == snapshot.CodeInternal && cause != nil {
		line["cause"] = fmt.Sprintf("%T: %s", cause, notify.Plain(masked(cause.Error())))
	}
}

// What may be a secret in a text that nobody foresaw: of a URL all but its host, for a path may be a robot's credential
// and a query a signature; anything after a query's mark; JSON, which may be a body; and every run of characters that is
// as long as a key.
var (
	address = lazily(`(\w+://)(?:[^/\s?#"]*@)?([^/\s?#"@]*)[^\s"]*`)
	query   = lazily(`\?\S+`)
	body    = lazily(`(?s)[{\[].*[}\]]`)
	opaque  = lazily(`[\w+/=-]{20,}`)
)

// masked takes out of a text what may be a secret.
func masked(text string) string {
	text = address().ReplaceAllString(text, "$1$2/...")
	text = query().ReplaceAllString(text, "?...")
	text = body().ReplaceAllString(text, "{...}")
	return opaque().ReplaceAllString(text, "***")
}

// lazily compiles an expression when it is first used: a cold start needs none.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// order is what the log says of one result.
func order(result snapshot.Result) map[string]any {
	line := map[string]any{}
	set := func(name, value string) {
		if value != "" {
			line[name] = value
		}
	}
	set("target", result.Target)
	set("regionId", result.RegionID)
	set("diskId", result.DiskID)
	set("role", result.Role)
	set("outcome", string(result.Outcome))
	set("snapshotId", result.SnapshotID)
	set("apiRequestId", result.RequestID)
	set("actor", notify.Plain(result.Actor))
	set("reason", notify.Plain(result.Reason))
	if result.ClientToken != "" {
		sum := sha256.Sum256([]byte(result.ClientToken))
		line["keyHash"] = hex.EncodeToString(sum[:6])
	}
	if result.Slots != nil {
		line["slots"] = fmt.Sprintf("%d of %d", result.Slots.Used, result.Slots.Of)
	}
	var deleted []string
	for _, one := range result.Deleted {
		deleted = append(deleted, one.SnapshotID)
	}
	if deleted != nil {
		line["deleted"] = deleted
	}
	set("warning", result.Warning)
	if result.Error != nil {
		blame(line, result.Error)
	}
	return line
}
