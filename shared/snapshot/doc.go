// Package snapshot is the core: it turns what somebody wants (an [Order], a [Tick]) into at most one
// CreateSnapshot of the Simple Application Server API, and keeps a server's few slots in order.
//
// Most callers need four things: build a [Service] from a [Policy], an [API] and a [Clock], then call
// [Service.Take] for orders, [Service.Tick] for cron ticks and [Service.Plan] to see what would happen.
//
// # Identity
//
// The token of an order is a pure function of the business event (see [Order.Key]), never of its delivery. It is
// sent as ClientToken, stands in the name of the snapshot and in its tag [TagToken]: the snapshot is its own record,
// there is no database.
//
// # Deletion
//
// A snapshot is deleted only if every rule of the table in rules.go gives it up. A target without slots
// ([Target.Keep]) never loses one.
//
// # Purity
//
// The package imports the standard library only. The API, the clock and randomness are arguments; nothing here
// reads the environment, starts a timer of its own or knows a platform.
package snapshot
