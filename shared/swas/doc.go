// Package swas is the Simple Application Server API over github.com/aliyun/alibaba-cloud-sdk-go. It implements
// [snapshot.API] and is the only package that imports that SDK, so that the SDK can be replaced here alone.
//
// Make one [Client] with [New] for a set of credentials and keep it as long as they are valid; all clients share one
// transport and its idle connections. A Client is safe for concurrent use: every call has an SDK client, a request
// and an answer of its own, because those of the SDK race and must not be used twice.
//
// # Errors
//
// Every error of a call is a [*snapshot.APIError], without credentials, signature, URL or body:
//
//	the API's own code           the API answered so, with whatever HTTP status, 200 included
//	snapshot.CodeNoAnswer        no connection, no answer in time, or an answer cut short or beyond 1 MiB
//	snapshot.CodeEmptyAnswer     success without the element that proves it
//	snapshot.CodeThrottling      HTTP 429 without a code
//	snapshot.CodeInternalError   HTTP 500 without a code
//	snapshot.CodeUnavailable     any other HTTP 5xx without a code: a gateway that answers for the API
//	snapshot.CodeUnknownAnswer   anything else without a code, redirects included
//	snapshot.CodeNoCredentials   the [Provider] has none, or half of them
//	snapshot.CodeInvalidRegion   a region that cannot be part of a host name
//	snapshot.CodeInternal        the SDK panicked before an answer came
//
// # Time
//
// A call ends with its context, after 10 seconds, or a little before the deadline of the context, so that the caller
// has time to report it: a tenth of the time left, at most one second.
//
// # Retries
//
// There is one: when the API says that the credentials are not valid, the call is made once more if the Provider has
// fresh ones. The core decides on all others.
package swas
