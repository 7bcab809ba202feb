// Package app assembles the three functions: [Timer], [Event] and [HTTP] make the handler of each from environment,
// policy, credentials, API client, core and notifications.
//
// A function whose policy or environment is wrong starts all the same and answers every invocation with that error, so
// that its operator sees it in the invocation's result.
package app
