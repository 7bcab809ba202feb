package wiring

import (
	"context"
	"slices"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// Batch takes what an event holds. Results are in the order of the items; an item that causes several orders has
// several. The items of a queue that failed are named by their message ID.
func (i *Invocation) Batch(ctx context.Context, batch trigger.Batch) (all []snapshot.Result, failedIDs []string) {
	var orders []snapshot.Order
	slots := make([][]int, len(batch.Items)) // which orders an item caused
	for n, item := range batch.Items {
		for _, order := range ordersOf(item, i.policy) {
			slots[n] = append(slots[n], len(orders))
			orders = append(orders, order)
		}
	}
	var taken []snapshot.Result
	if len(orders) > 0 {
		taken = i.Service.TakeAll(ctx, orders)
	}
	for n, item := range batch.Items {
		mine := make([]snapshot.Result, 0, 1)
		for _, slot := range slots[n] {
			mine = append(mine, taken[slot])
		}
		if len(mine) == 0 {
			mine = Refuse(refusal(item))
		}
		all = append(all, mine...)
		if item.MessageID != "" && failed(mine) && !slices.Contains(failedIDs, item.MessageID) { // a message may hold several
			failedIDs = append(failedIDs, item.MessageID)
		}
	}
	return all, failedIDs
}

// ordersOf returns the orders that an item causes; none if it cannot be read or no rule of the policy names it.
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

// refusal says why an item causes no order.
func refusal(item trigger.Item) error {
	if item.Err != nil {
		return item.Err
	}
	return &snapshot.Error{Code: snapshot.CodeNoRule, Kind: snapshot.KindInvalid,
		Message: "the event holds no order, and no rule under events in snapshots.yaml names its source, type and subject: add one, or narrow the trigger's filter"}
}

func failed(all []snapshot.Result) bool {
	for _, result := range all {
		if result.Error != nil {
			return true
		}
	}
	return false
}
