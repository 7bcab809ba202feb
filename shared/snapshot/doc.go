// Package snapshot is the core: it turns an [Order] into at most one CreateSnapshot of the Simple Application Server
// API, and keeps a server's few slots as the policy says.
//
// Everything it does to an account is one of two operations. [Service.Take] does orders; it never deletes, and the [API]
// that it is given cannot. [Service.Sweep], called every ten minutes, looks at the state alone: it takes what the
// schedules say is due, deletes what failed or is surplus, and notifies. It alone gets a [Deleter].
//
// # Identity
//
// The token of an order is a pure function of the business event (see [Order.Key]), never of its delivery. It is
// sent as ClientToken, stands in the name of the snapshot and in its tag [TagToken]: the snapshot is its own record,
// there is no database.
//
// # Deletion
//
// A snapshot is deleted only for a reason of the first table in rules.go, and only if no row of the second protects it.
// A target without slots ([Target.Keep]) never loses one.
//
// # Purity
//
// The package imports the standard library only. The API, the clock by which snapshots age and randomness are arguments;
// nothing here reads the environment or knows a platform. Waiting is done by the machine's clock; tests run in
// [testing/synctest], where a year passes in seconds.
package snapshot
