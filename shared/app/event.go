package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
	"swas-snapshot/shared/trigger"
)

// Timer returns the handler of the timer function: each tick is a sweep, which takes what is due and deletes what is
// surplus. It is the only function that can delete: the binaries of the others hold no code for it.
//
// The answer is {"results":[...]}. One failed element makes it a [platform.Failure] whose type is the code of the first
// that failed and whose message is the same JSON: a retry of the others is harmless.
func Timer(getenv func(string) string, log *slog.Logger) platform.Handler {
	return newFunction("timer", getenv, log).handler(sweep, refuseEvent)
}

// Event returns the handler of the function for bus events, queue messages and plain invokes: it takes the snapshots
// that they order. The answer is that of [Timer], but for messages of SQS: it names those that failed, and is no
// failure.
func Event(getenv func(string) string, log *slog.Logger) platform.Handler {
	return newFunction("event", getenv, log).handler(take, refuseEvent)
}

func sweep(ctx context.Context, i *invocation, event []byte) ([]byte, error) {
	tick, err := trigger.DecodeTimer(event)
	if err != nil {
		i.record.addResults(refused(err))
		return i.record.answer()
	}
	i.record.sweep = true
	i.record.addResults(i.service.Sweep(ctx, swas.Deleter{Client: i.client}, tick)...)
	return i.record.answer()
}

func take(ctx context.Context, i *invocation, event []byte) ([]byte, error) {
	batch, err := trigger.DecodeEvent(event, i.RequestID)
	if err != nil {
		i.record.addResults(refused(err))
		return i.record.answer()
	}
	failedIDs := i.takeBatch(ctx, batch)
	if batch.SQS {
		return trigger.SQSAnswer(failedIDs), nil
	}
	return i.record.answer()
}

// takeBatch takes what an event orders. The results are in the order of its items, of which each has at least one. It
// returns the messages of a queue that failed.
func (i *invocation) takeBatch(ctx context.Context, batch trigger.Batch) (failedIDs []string) {
	var orders []snapshot.Order
	counts := make([]int, len(batch.Items)) // of the orders of each item
	for n, item := range batch.Items {
		own := ordersOf(item, i.policy)
		orders, counts[n] = append(orders, own...), len(own)
	}
	results := i.service.TakeAll(ctx, orders)
	for n, item := range batch.Items {
		own := results[:counts[n]]
		results = results[counts[n]:]
		if len(own) == 0 {
			own = []snapshot.Result{refused(itemError(item))}
		}
		i.record.addResults(own...)
		failed := slices.ContainsFunc(own, func(r snapshot.Result) bool { return r.Error != nil })
		if failed && item.MessageID != "" && !slices.Contains(failedIDs, item.MessageID) { // a message may hold several
			failedIDs = append(failedIDs, item.MessageID)
		}
	}
	return failedIDs
}

// ordersOf returns the orders of an item; none if it cannot be read or no rule of the policy names it.
func ordersOf(item trigger.Item, p policy.Policy) []snapshot.Order {
	switch {
	case item.Order != nil:
		return []snapshot.Order{*item.Order}
	case item.Event != nil:
		orders := p.Orders(*item.Event)
		for i := range orders { // a queue repeats what failed; a bus may end its retries before a slot comes free
			orders[i].Unread, orders[i].Repeated = true, item.MessageID != ""
		}
		return orders
	}
	return nil
}

// itemError returns why an item has no order.
func itemError(item trigger.Item) error {
	if item.Err != nil {
		return item.Err
	}
	return &snapshot.Error{Code: snapshot.CodeNoRule, Kind: snapshot.KindInvalid,
		Message: "the event holds no order, and no rule under events in snapshots.yaml names its source, type and " +
			"subject: add one, or narrow the trigger's filter"}
}

// refused returns the result of what cannot be done at all.
func refused(err error) snapshot.Result { return snapshot.Result{Error: snapshot.AsError(err)} }

// refuseEvent answers with the results of a timer or event function that is not configured.
func refuseEvent(i *invocation, _ []byte, _ error) ([]byte, error) { return i.record.answer() }

// answer returns the answer with the results so far; see [Timer].
func (r *record) answer() ([]byte, error) {
	body, err := json.Marshal(map[string][]snapshot.Result{"results": r.results})
	if err != nil {
		return nil, failure(err)
	}
	for _, result := range r.results {
		if result.Error != nil {
			return nil, platform.Failure{Type: result.Error.Code, Message: string(body)}
		}
	}
	return body, nil
}
