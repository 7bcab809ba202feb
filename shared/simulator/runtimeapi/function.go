// Package runtimeapi simulates the serverless platform: it starts real function binaries, sends them events over the
// real runtime API of Function Compute or AWS Lambda, times them out, and ends them. For local runs and for tests.
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
// [Gateway] puts the platform's HTTP endpoint in front of it. [Build] compiles the functions.
//
// # Instances
//
// An instance is one process with a runtime API of its own on a loopback port. It handles one invocation at a time. An
// invocation goes to an idle instance; if there is none, a process is started for it, a cold start; at
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

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// errClosed is the error of an invocation after [Function.Close].
var errClosed = errors.New("function is closed")

// Function is a function on its platform: the processes that run it, and those that will. It is safe for use by
// several goroutines. Use [Start] to make one and [Function.Close] to end it.
type Function struct {
	config   Config
	protocol protocol
	output   sync.Mutex    // held while Config.Log is written
	slots    chan struct{} // one element an invocation in flight
	closing  chan struct{} // closed by Close
	closed   sync.Once

	mu        sync.Mutex  // guards what follows
	instances []*instance // running; which are idle
	shut      bool        // no new process
}

// Start describes a function. No process is started before the first invocation. It returns an error if a field of the
// configuration is wrong.
func Start(c Config) (*Function, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Function{
		config: c, protocol: protocols[c.Platform],
		slots: make(chan struct{}, c.MaxInstances), closing: make(chan struct{}),
	}, nil
}

// Answer is the end of one invocation: what the function answered, or the function error.
type Answer struct {
	RequestID string
	Payload   []byte // the result; of a function error, the JSON object that the platform hands to the caller

	FunctionError string // errorType; empty if and only if the function succeeded
	ErrorMessage  string // errorMessage

	Crashed  bool // the process ended before it answered
	TimedOut bool // the time was up before the answer; the process was killed
}

// Err returns nil if the function succeeded, else an error with the request ID, the type and the message.
func (a Answer) Err() error {
	if a.FunctionError == "" {
		return nil
	}
	return fmt.Errorf("invocation %s: %s: %s", a.RequestID, a.FunctionError, a.ErrorMessage)
}

// Delivery is the end of an asynchronous invocation.
type Delivery struct {
	Attempts int    // invocations that were made, each with a request ID of its own
	Answer   Answer // of the last one
	Err      error  // of the last one: its function error, or why the function was not invoked; nil: it succeeded
}

// Invoke runs the function on event and returns what came of it. A function error is no error of Invoke: it stands in
// the answer, see [Answer.Err].
//
// It returns an error if the function never got the event: the function is closed, or the process cannot be started.
// If ctx ends it returns ctx's error at once; as on the platforms, an invocation in flight goes on, so event must not
// be changed.
func (f *Function) Invoke(ctx context.Context, event []byte) (Answer, error) {
	return f.invoke(ctx, f.newInvocation(event))
}

// InvokeAsync delivers event as the platforms deliver asynchronous ones: at least once. After a function error it
// invokes the function on the same event again, with a new request ID, as often as the platform does by default (3
// times on FC, 2 on Lambda); unlike the platforms it does not pause in between. It returns when the event is delivered
// or given up.
func (f *Function) InvokeAsync(ctx context.Context, event []byte) Delivery {
	var d Delivery
	for d.Attempts <= f.protocol.retries {
		inv := f.newInvocation(event)
		inv.retry = d.Attempts
		d.Answer, d.Err = f.invoke(ctx, inv)
		d.Attempts++
		if d.Err != nil {
			return d // the function has not answered; trying at once would not help
		}
		if d.Err = d.Answer.Err(); d.Err == nil {
			return d
		}
	}
	return d
}

// Warm starts one more instance, ahead of any invocation, and returns the time from the start of its process to its
// first poll. It returns an error if the process ended instead or did not poll within Config.InitTimeout.
func (f *Function) Warm(ctx context.Context) (time.Duration, error) {
	if err := f.acquire(ctx); err != nil {
		return 0, err
	}
	defer f.release()
	started := time.Now()
	in, err := f.startInstance()
	if err != nil {
		return 0, err
	}
	if err := in.awaitStart(f.protocol.requestID(f.config.Now())).Err(); err != nil {
		return 0, err
	}
	took := time.Since(started)
	f.setIdle(in)
	return took, nil
}

// Kill kills every running process, as kill -9 does, and returns when they are gone. Invocations in flight are
// answered with Answer.Crashed; later ones get new processes.
func (f *Function) Kill() {
	for _, in := range f.running() {
		in.kill()
	}
}

// Close ends the function: it sends SIGTERM to every process, kills those that are left after Config.Grace, and
// returns when no process and no invocation is left. Invocations in flight may end in the grace period; those that
// wait for an instance, and later ones, get an error.
func (f *Function) Close() {
	f.closed.Do(func() {
		f.mu.Lock()
		f.shut = true
		f.mu.Unlock()
		close(f.closing)
		var stopped sync.WaitGroup
		for _, in := range f.running() {
			stopped.Go(in.stop)
		}
		stopped.Wait()
		for range cap(f.slots) { // until no invocation is in flight
			f.slots <- struct{}{}
		}
	})
}

// Memory returns what the running instances hold in physical memory, in bytes, by process ID. It reads /proc, which
// only Linux has: elsewhere, and if a process ends meanwhile, it returns an error.
func (f *Function) Memory() (map[int]int64, error) {
	held := make(map[int]int64)
	for _, in := range f.running() {
		pid := in.cmd.Process.Pid
		statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)) // in pages: size, resident, ... (proc_pid_statm(5))
		if err != nil {
			return nil, fmt.Errorf("failed to measure memory: %w", err)
		}
		pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
		if err != nil || pages == 0 {
			return nil, fmt.Errorf("failed to measure memory: process %d has ended", pid)
		}
		held[pid] = pages * int64(os.Getpagesize())
	}
	return held, nil
}

func (f *Function) newInvocation(event []byte) *invocation {
	return &invocation{
		requestID: f.protocol.requestID(f.config.Now()), event: event, answered: make(chan Answer, 1),
	}
}

// invoke runs inv as soon as an instance may, and goes on when ctx ends before the answer.
func (f *Function) invoke(ctx context.Context, inv *invocation) (Answer, error) {
	if err := f.acquire(ctx); err != nil {
		return Answer{}, err
	}
	type result struct {
		answer Answer
		err    error
	}
	results := make(chan result, 1)
	go func() {
		defer f.release()
		answer, err := f.serve(inv)
		answer.RequestID = inv.requestID // also that of an answer of the process
		results <- result{answer, err}
	}()
	select {
	case r := <-results:
		return r.answer, r.err
	case <-ctx.Done():
		return Answer{RequestID: inv.requestID}, fmt.Errorf("failed to await invocation: %w", ctx.Err())
	}
}

// serve runs inv in an idle instance, or in a new one. An idle instance that ends before it gets inv is replaced.
func (f *Function) serve(inv *invocation) (Answer, error) {
	for in := f.takeIdle(); in != nil; in = f.takeIdle() {
		if answer, delivered := in.run(inv); delivered {
			f.setIdle(in)
			return answer, nil
		}
	}
	in, err := f.startInstance()
	if err != nil {
		return Answer{}, err
	}
	answer := in.awaitStart(inv.requestID)
	if answer.FunctionError == "" {
		answer, _ = in.run(inv)
		f.setIdle(in)
	}
	return answer, nil
}

// acquire waits for the right to run an instance; release gives it back.
func (f *Function) acquire(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		select {
		case f.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-f.closing:
			err = errClosed
		}
	}
	return fmt.Errorf("failed to await instance: %w", err)
}

func (f *Function) release() { <-f.slots }

// startInstance starts a process. The lock is held meanwhile, so that Kill and Close miss none.
func (f *Function) startInstance() (*instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shut {
		return nil, errClosed
	}
	in, err := newInstance(f)
	if err == nil {
		f.instances = append(f.instances, in)
	}
	return in, err
}

// takeIdle returns an idle instance, or nil if there is none.
func (f *Function) takeIdle() *instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, in := range f.instances {
		if in.idle {
			in.idle = false
			return in
		}
	}
	return nil
}

// setIdle makes an instance available again. One that has ended is no longer among the instances.
func (f *Function) setIdle(in *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in.idle = true
}

// forget drops an instance whose process has ended.
func (f *Function) forget(in *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instances = slices.DeleteFunc(f.instances, func(other *instance) bool { return other == in })
}

// running returns the instances whose process has not ended.
func (f *Function) running() []*instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.instances)
}
