package webhook

import (
	"context"
	"log/slog"

	"swas-snapshot/shared/snapshot"
)

// deadlineCore is a core that answers by the end of the context, whatever its calls still do. What was begun goes on, as
// long as the process runs, and the same order again is harmless. It does not embed the core, so that a new method of
// [Core] does not compile before it is timed here.
type deadlineCore struct {
	core Core
	log  *slog.Logger
}

// within does something and returns its result, or CodeNoAnswer of the action once the context ends.
func within[T any](ctx context.Context, log *slog.Logger, action string, do func() (T, error)) (T, error) {
	type finished struct {
		value    T
		err      error
		panicked any
	}
	done := make(chan finished, 1)
	go func() {
		var f finished
		defer func() {
			if f.panicked = recover(); f.panicked != nil {
				log.ErrorContext(ctx, "webhook work panicked", "action", action)
			}
			done <- f
		}()
		f.value, f.err = do()
	}()
	select {
	case f := <-done:
		if f.panicked != nil {
			panic(f.panicked) // handled where the request is served
		}
		return f.value, f.err
	case <-ctx.Done():
		var none T
		err := snapshot.AsError(&snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer})
		err.Message, err.Advice = underWay, ""
		return none, err
	}
}

// underWay is what machines read of an order for which time ran out.
const underWay = "time ran out and the order may be under way: repeat the same delivery, it means the same snapshot"

// Actions of the API, as errors name them.
const (
	actionCreateSnapshot = "CreateSnapshot"
	actionListSnapshots  = "ListSnapshots"
	actionTagResources   = "TagResources"
)

// TakeAll defers the orders whose results are not there in time.
func (d deadlineCore) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	results, err := within(ctx, d.log, actionCreateSnapshot, func() ([]snapshot.Result, error) {
		return d.core.TakeAll(ctx, orders), nil
	})
	if err != nil {
		for _, order := range orders {
			results = append(results, snapshot.Result{
				Target: order.Target, Role: order.Role, Outcome: snapshot.OutcomeDeferred, Error: snapshot.AsError(err),
			})
		}
	}
	return results
}

func (d deadlineCore) List(ctx context.Context, target string) (snapshot.Listing, error) {
	return within(ctx, d.log, actionListSnapshots, func() (snapshot.Listing, error) { return d.core.List(ctx, target) })
}

func (d deadlineCore) Plan(ctx context.Context, target string) (snapshot.Plan, error) {
	return within(ctx, d.log, actionListSnapshots, func() (snapshot.Plan, error) { return d.core.Plan(ctx, target) })
}

func (d deadlineCore) Find(ctx context.Context, id string) (one snapshot.Snapshot, of snapshot.Target, err error) {
	type found struct {
		one snapshot.Snapshot
		of  snapshot.Target
	}
	f, err := within(ctx, d.log, actionListSnapshots, func() (f found, err error) {
		f.one, f.of, err = d.core.Find(ctx, id)
		return f, err
	})
	return f.one, f.of, err
}

func (d deadlineCore) Pin(
	ctx context.Context, id, until string, may func(snapshot.Target) error,
) (snapshot.Pinned, error) {
	return within(ctx, d.log, actionTagResources, func() (snapshot.Pinned, error) {
		return d.core.Pin(ctx, id, until, may)
	})
}
