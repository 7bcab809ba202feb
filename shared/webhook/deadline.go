package webhook

import (
	"context"
	"log/slog"

	"swas-snapshot/shared/snapshot"
)

// within does something and returns its result, or CodeNoAnswer once the context ends, whatever the work still does.
// All work with the core is done in it, so that every method of [Core] is timed. What was begun goes on, as long as the
// process runs, and the same order again is harmless.
func within[T any](ctx context.Context, log *slog.Logger, do func() T) (T, *snapshot.Error) {
	type finished struct {
		value    T
		panicked any
	}
	done := make(chan finished, 1)
	go func() {
		var f finished
		defer func() {
			if f.panicked = recover(); f.panicked != nil {
				log.ErrorContext(ctx, "webhook work panicked")
			}
			done <- f
		}()
		f.value = do()
	}()
	select {
	case f := <-done:
		if f.panicked != nil {
			panic(f.panicked) // handled where the request is served
		}
		return f.value, nil
	case <-ctx.Done():
		var none T
		err := snapshot.AsError(&snapshot.APIError{Action: actionCreateSnapshot, Code: snapshot.CodeNoAnswer})
		err.Message, err.Advice = underWay, ""
		return none, err
	}
}

// actionCreateSnapshot is the action of the API that takes a snapshot.
const actionCreateSnapshot = "CreateSnapshot"

// underWay is what machines read of an order for which time ran out.
const underWay = "time ran out and the order may be under way: repeat the same delivery, it means the same snapshot"

// deferred returns the result of an order for which time ran out.
func deferred(order snapshot.Order, err *snapshot.Error) snapshot.Result {
	return snapshot.Result{Target: order.Target, Role: order.Role, Outcome: snapshot.OutcomeDeferred, Error: err}
}
