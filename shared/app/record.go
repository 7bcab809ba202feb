package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
)

// record is what an invocation did, for its summary line.
type record struct {
	sweep    bool
	http     *exchange // nil: the event was not an HTTP request
	answerBy time.Time // when the caller over HTTP needs the answer; zero: not known

	mu      sync.Mutex // work that a caller could not wait for may still go on
	results []snapshot.Result
	actions []action
}

func (r *record) addResults(results ...snapshot.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, results...)
}

func (r *record) addAction(a action) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.actions = append(r.actions, a)
}

// summarize writes the one summary line of an invocation. It holds no secret, no body and no key: a key identifies
// something of the caller's, so the hash of the token that is made of it is there in its place.
func (f *function) summarize(ctx context.Context, i *invocation, err error) {
	r := &i.record
	r.mu.Lock()
	defer r.mu.Unlock()
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("trigger", f.name), slog.String("platform", i.Platform), slog.String("requestId", i.RequestID),
		slog.Int64("durationMs", time.Since(i.started).Milliseconds()),
		slog.Int64("apiCalls", i.stats.Calls.Load()), slog.Int64("retries", i.stats.Retries.Load()),
		slog.Int64("waitedMs", time.Duration(i.stats.Waited.Load()).Milliseconds()),
	}
	if r.sweep {
		attributes = append(attributes, slog.Bool("sweep", true))
	}
	if r.http != nil {
		for _, known := range []slog.Attr{
			slog.String("method", r.http.method), slog.String("path", r.http.path), slog.String("code", r.http.code),
		} {
			if known.Value.String() != "" {
				attributes = append(attributes, known)
			}
		}
		attributes = append(attributes, slog.Int("status", r.http.status))
		if r.http.status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	orders := make([]any, len(r.results))
	for n, result := range r.results {
		if result.Error != nil {
			level = slog.LevelError
		}
		orders[n] = resultFields(result)
	}
	if err != nil {
		level = slog.LevelError
		if known := (platform.Failure{}); len(orders) == 0 && errors.As(err, &known) {
			attributes = append(attributes, slog.String("code", known.Type), slog.String("error", known.Message))
		}
	}
	attributes = append(attributes, slog.Any("orders", orders))
	if len(r.actions) > 0 {
		actions := make([]any, len(r.actions))
		for n, a := range r.actions {
			if a.err != nil && httpapi.Status(snapshot.AsError(a.err)) >= http.StatusInternalServerError {
				level = slog.LevelError // a chat gets 200 all the same
			}
			actions[n] = a.fields()
		}
		attributes = append(attributes, slog.Any("actions", actions))
	}
	f.log.LogAttrs(ctx, level, "invocation", attributes...)
}

// fields holds the fields of one order, due role or action in the summary line; none is empty.
type fields map[string]any

func (f fields) set(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// setError adds an error, and the cause of an unexpected one.
func (f fields) setError(err error) {
	if err == nil {
		return
	}
	known := snapshot.AsError(err)
	f["code"], f["error"], f["retryable"] = known.Code, known.Message, known.Retryable
	if cause := errors.Unwrap(known); known.Code == snapshot.CodeInternal && cause != nil {
		f["cause"] = fmt.Sprintf("%T: %s", cause, notify.Plain(masked(cause.Error())))
	}
}

func (a action) fields() fields {
	f := fields{"action": a.name}
	f.set("target", notify.Plain(a.target)) // what a caller asked for may be any text
	f.set("snapshotId", notify.Plain(a.snapshotID))
	f.set("keep", a.keep)
	f.set("from", a.caller.From)
	f.set("actor", notify.Plain(a.caller.Actor))
	f.setError(a.err)
	return f
}

func resultFields(result snapshot.Result) fields {
	f := fields{}
	f.set("target", result.Target)
	f.set("regionId", result.RegionID)
	f.set("diskId", result.DiskID)
	f.set("role", result.Role)
	f.set("outcome", string(result.Outcome))
	f.set("snapshotId", result.SnapshotID)
	f.set("apiRequestId", result.RequestID)
	f.set("actor", notify.Plain(result.Actor))
	f.set("reason", notify.Plain(result.Reason))
	f.set("warning", result.Warning)
	if result.ClientToken != "" {
		sum := sha256.Sum256([]byte(result.ClientToken))
		f["keyHash"] = hex.EncodeToString(sum[:6])
	}
	if result.Slots != nil {
		f["slots"] = fmt.Sprintf("%d of %d", result.Slots.Used, result.Slots.Of)
	}
	if len(result.Deleted) > 0 {
		deleted := make([]string, len(result.Deleted))
		for i, one := range result.Deleted {
			deleted[i] = one.SnapshotID
		}
		f["deleted"] = deleted
	}
	if result.Error != nil {
		f.setError(result.Error)
	}
	return f
}

// opaqueMin is how many characters a word has that may be a key.
const opaqueMin = 20

// masked returns the text of an unexpected error without what may be a secret: of a URL all but its scheme and host,
// for a path may be a credential and a query a signature; any other query; JSON, which may be a body; and words as long
// as a key.
func masked(text string) string {
	if from := strings.IndexAny(text, "{["); from >= 0 {
		to := strings.LastIndexAny(text, "}]") + 1
		if to <= from {
			to = len(text)
		}
		text = text[:from] + "{...}" + text[to:]
	}
	words := strings.Fields(text)
	for i, word := range words {
		address, err := url.Parse(strings.Trim(word, `"':,;()`))
		before, _, query := strings.Cut(word, "?")
		switch {
		case err == nil && address.Host != "":
			words[i] = address.Scheme + "://" + address.Host + "/..."
		case len(before) >= opaqueMin || strings.Contains(word, "://"):
			words[i] = "***"
		case query:
			words[i] = before + "?..."
		}
	}
	return strings.Join(words, " ")
}
