// Package runtimeapi plays the serverless platform: it starts real function binaries, feeds them over the real runtime
// API of Function Compute or AWS Lambda, times them out, and ends them. For local runs and for tests.
//
// [Start] describes a function, [Function.Invoke] invokes it, [Function.Close] ends its processes:
//
//	function, err := runtimeapi.Start(runtimeapi.Config{
//		Platform: runtimeapi.FC,
//		Binary:   "dist/timer/bootstrap",
//		Env:      []string{"SWAS_ENDPOINT=" + url},
//	})
//	if err != nil { ... }
//	defer function.Close()
//	answer, err := function.Invoke(ctx, []byte(`{"sweep":true}`))
//
// [Gateway] puts the platform's HTTP endpoint in front of it.
//
// # Instances
//
// An instance is one process with a runtime API of its own on a loopback port. It handles one invocation at a time. An
// invocation goes to the idle instance used last; if there is none, a process is started for it, a cold start; at
// Config.MaxInstances processes it waits. An instance is idle again once it polls for its next invocation, as on the
// platforms, and Invoke returns only then, or once the process has ended: the next Invoke finds it settled.
//
// # What ends an instance
//
// Its own exit, the time-out of an invocation, [Function.Kill], [Function.Close]. The invocation in flight is answered
// with an error that says which; the next one gets a new process. A process is always ended before its runtime API
// is, because the SDK of Function Compute polls a vanished one without a pause.
//
// # Clocks
//
// Config.Now is the platform's clock: it dates events and deadlines, and a skew of it reaches the function as a
// skewed deadline. Time-outs and durations are measured in real time, because the processes are real.
package runtimeapi
