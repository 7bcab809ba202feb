package webhook

import (
	"context"
	"log/slog"

	"swas-snapshot/shared/snapshot"
)

// punctual is a core that answers by the end of the context, whatever its calls still do. What was begun goes on, as long
// as the process runs, and the same order again is harmless.
type punctual struct {
	Core
	log *slog.Logger
}

// finished is what a call came to.
type finished[T any] struct {
	value    T
	err      error
	panicked any
}

// within does something and returns what it comes to, or CodeNoAnswer of the action once the context ends.
func within[T any](ctx context.Context, log *slog.Logger, action string, do func() (T, error)) (T, error) {
	done := make(chan finished[T], 1)
	go func() {
		var f finished[T]
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
		var nothing T
		return nothing, stillRunning(action)
	}
}

// stillRunning is the error of work that goes on.
func stillRunning(action string) error {
	err := snapshot.AsError(&snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer})
	err.Message, err.Advice = underWay, ""
	return err
}

// underWay is what machines read of an order for which time ran out.
const underWay = "time ran out and the order may be under way: repeat the same delivery, it means the same snapshot"

// Take is [Core.Take]; a result that is not there in time is deferred.
func (p punctual) Take(ctx context.Context, order snapshot.Order) snapshot.Result {
	result, err := within(ctx, p.log, actionCreateSnapshot, func() (snapshot.Result, error) { return p.Core.Take(ctx, order), nil })
	if err != nil {
		return deferred(order, err)
	}
	return result
}

// TakeAll is [Core.TakeAll]; results that are not there in time are deferred.
func (p punctual) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	results, err := within(ctx, p.log, actionCreateSnapshot, func() ([]snapshot.Result, error) {
		return p.Core.TakeAll(ctx, orders), nil
	})
	if err != nil {
		for _, order := range orders {
			results = append(results, deferred(order, err))
		}
	}
	return results
}

// deferred is the result of an order that goes on.
func deferred(order snapshot.Order, err error) snapshot.Result {
	return snapshot.Result{Target: order.Target, Role: order.Role, Outcome: snapshot.OutcomeDeferred, Error: snapshot.AsError(err)}
}

// List is [Core.List] in time.
func (p punctual) List(ctx context.Context, target string) (snapshot.Listing, error) {
	return within(ctx, p.log, "ListSnapshots", func() (snapshot.Listing, error) { return p.Core.List(ctx, target) })
}

// Plan is [Core.Plan] in time.
func (p punctual) Plan(ctx context.Context, target string) (snapshot.Plan, error) {
	return within(ctx, p.log, "ListSnapshots", func() (snapshot.Plan, error) { return p.Core.Plan(ctx, target) })
}

// Find is [Core.Find] in time.
func (p punctual) Find(ctx context.Context, id string) (snapshot.Snapshot, snapshot.Target, error) {
	type found struct {
		one    snapshot.Snapshot
		target snapshot.Target
	}
	f, err := within(ctx, p.log, "ListSnapshots", func() (found, error) {
		one, target, err := p.Core.Find(ctx, id)
		return found{one, target}, err
	})
	return f.one, f.target, err
}

// Pin is [Core.Pin] in time.
func (p punctual) Pin(ctx context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	return within(ctx, p.log, "TagResources", func() (snapshot.Pinned, error) { return p.Core.Pin(ctx, id, until, may) })
}

const actionCreateSnapshot = "CreateSnapshot"
