package policy

import "context"

// Caller is on whose behalf something is done, for the log.
type Caller struct {
	From  string // as in [Allow.From]
	Actor string // of chat senders
}

type callerKey struct{}

// WithCaller returns a context that tells on whose behalf something is done.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns on whose behalf something is done; the zero Caller if the context does not tell.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
