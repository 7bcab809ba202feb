package wiring

import (
	"context"
	"log/slog"
)

// requestIDs is a handler that adds the request ID of the invocation that a line belongs to, where the line has none.
type requestIDs struct{ slog.Handler }

// Handle writes a line.
func (h requestIDs) Handle(ctx context.Context, line slog.Record) error {
	if r, ok := ctx.Value(invocationKey{}).(*recorder); ok && r.requestID != "" {
		line.AddAttrs(slog.String("requestId", r.requestID))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs returns a handler that adds attributes to each line; those of an invocation have its request ID.
func (h requestIDs) WithAttrs(attributes []slog.Attr) slog.Handler {
	for _, one := range attributes {
		if one.Key == "requestId" {
			return h.Handler.WithAttrs(attributes)
		}
	}
	return requestIDs{h.Handler.WithAttrs(attributes)}
}

// WithGroup returns a handler that puts what follows into a group.
func (h requestIDs) WithGroup(name string) slog.Handler { return requestIDs{h.Handler.WithGroup(name)} }
