// Package platform runs a [Handler] on Alibaba Cloud Function Compute or on AWS Lambda: the same binary on both. It
// is the only package that imports their SDKs.
//
// A function's main builds its handler and calls [Start], which picks the platform by the runtime API that the
// environment names. Everything that differs between the two ends here: the handler gets bytes and an [Invocation],
// under a context that has the platform's deadline, and returns bytes or a [Failure].
//
// # Credentials
//
// [Source] finds the credentials of Alibaba Cloud, in this order: those that the invocation brings (on Function
// Compute, of the function's role), those of the environment, those of a secret in AWS Secrets Manager. Nothing in
// this package prints, logs or returns them in an error.
//
// # Failures
//
// A handler that panics fails with the type Internal; the panic and its stack go to the log, not to the caller. So do
// errors other than a [Failure]: their text was not written for a caller.
package platform
