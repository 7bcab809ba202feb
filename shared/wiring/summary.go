package wiring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
)

// summarize writes the one summary line of an invocation. It holds no secret, no body and no key: a key is somebody
// else's identifier, so its hash stands for it.
func (f *Function) summarize(ctx context.Context, from platform.Invocation, answered Answered, stats *snapshot.Stats, took time.Duration) {
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("trigger", f.name), slog.String("platform", from.Platform), slog.String("requestId", from.RequestID),
		slog.Int64("durationMs", took.Milliseconds()),
	}
	if stats != nil {
		attributes = append(attributes, slog.Int64("apiCalls", stats.Calls.Load()), slog.Int64("retries", stats.Retries.Load()),
			slog.Int64("waitedMs", time.Duration(stats.Waited.Load()).Milliseconds()))
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
	}
	attributes = append(attributes, slog.Any("orders", orders))
	f.log.LogAttrs(ctx, level, "invocation", attributes...)
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
	for _, deleted := range result.Deleted {
		line["deleted"] = deleted.SnapshotID
	}
	if result.Error != nil {
		line["code"], line["error"], line["retryable"] = result.Error.Code, result.Error.Message, result.Error.Retryable
	}
	return line
}
