// Package wiring assembles a function: environment, policy, credentials, API client, core and notifications become
// one [Function], whose [Function.Handler] turns a platform's invocation into an [Invocation] with a Service of the
// core, and the results into the answer that all platforms share.
//
// A function whose policy or environment is wrong starts all the same and answers every invocation with that error, so
// that whoever operates it sees it where he looks: in the invocation's result.
package wiring
