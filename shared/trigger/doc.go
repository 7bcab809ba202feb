// Package trigger decodes what arrives: the bytes of an invocation become ticks, orders, bus events or an HTTP
// request.
//
// Use [DecodeTimer] in a function that timers start, [DecodeEvent] in one that buses, queues and pipelines start,
// and [ServeHTTP] in one behind a URL. Other packages read JSON of their own through [StrictJSON], JSON of a vendor
// through [CheckJSON], and an order in the body of a call through [DecodeOrder].
//
// # By content
//
// Function Compute and Lambda deliver bytes without saying what they are. The shape is known by the fields that only
// this shape has, so one binary serves both clouds. Bytes that have the marks of two shapes are refused.
//
// # No guesses
//
// Empty input, text that is not JSON, an unknown shape, a field that is there twice (whatever its case), a value of the
// wrong type, nesting deeper than 32 and anything after the JSON value are errors: a function that answers success to
// what it did not understand loses snapshots unnoticed. Formats of this project refuse unknown fields; formats of a
// vendor may grow new ones, so there they are passed over.
//
// Every error is a [*snapshot.Error] with Code [snapshot.CodeMalformed]. It says what was found and what was expected,
// and quotes names of fields at most: never a value.
package trigger
