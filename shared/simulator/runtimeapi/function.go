package runtimeapi

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Function is a function on its platform: the processes that run it, and those that will. It is safe for use by
// several goroutines. Use [Start] to make one and [Function.Close] to end it.
type Function struct {
	config   Config
	protocol *protocol
	log      sync.Mutex    // held while Stdout or Stderr is written
	slots    chan struct{} // one element an invocation in flight

	life   context.Context // ends with Close
	end    context.CancelFunc
	closed sync.Once
	work   sync.WaitGroup // invocations in flight

	mu   sync.Mutex // guards what follows
	shut bool       // no new invocation, no new process
	live map[*instance]struct{}
	idle []*instance // ready for an invocation, the latest used last
}

// Start describes a function. No process is started before the first invocation.
//
// It returns an error that names every wrong field of the configuration at once.
func Start(c Config) (*Function, error) {
	p := protocols[c.Platform]
	if p == nil {
		return nil, fmt.Errorf("platform: %q is unknown; use %q or %q", c.Platform, FC, Lambda)
	}
	if c.Binary == "" {
		return nil, fmt.Errorf("binary: is empty; name the function's executable")
	}
	binary, err := filepath.Abs(c.Binary) // the process has another working directory
	if err != nil {
		return nil, fmt.Errorf("binary: %w", err)
	}
	c.Binary = binary
	c = c.withDefaults(p)
	if err := c.check(p); err != nil {
		return nil, err
	}
	f := &Function{
		config: c, protocol: p,
		slots: make(chan struct{}, c.MaxInstances),
		live:  make(map[*instance]struct{}),
	}
	f.life, f.end = context.WithCancel(context.Background())
	return f, nil
}

// Invoke runs the function on event and returns what came of it. A function error is no error of Invoke: it stands in
// the answer, see [Answer.Err].
//
// It returns an error if the function never saw the event: the function is closed, the event is over the platform's
// limit, or the process cannot be started. If ctx ends it returns ctx's error at once; as on the platforms, an invocation in flight goes on, so event
// must not be changed.
func (f *Function) Invoke(ctx context.Context, event []byte) (Answer, error) {
	return f.invoke(ctx, f.newInvocation(event), f.protocol.syncLimit)
}

// InvokeAsync delivers event as the platforms deliver asynchronous ones: at least once. After a function error it
// invokes the function on the same event again, with a new request ID, at most Config.Retries times; unlike the
// platforms it does not pause in between. It returns when the event is delivered or given up.
func (f *Function) InvokeAsync(ctx context.Context, event []byte) Delivery {
	return f.deliver(ctx, f.newInvocation(event))
}

// accept takes first for an asynchronous invocation, which goes on in the background until the event is delivered,
// given up, or the function closed.
func (f *Function) accept(first *invocation) error {
	if err := f.fits(first.event, f.protocol.asyncLimit); err != nil {
		return err
	}
	if !f.enter() {
		return errClosed
	}
	go func() {
		defer f.work.Done()
		f.deliver(context.Background(), first)
	}()
	return nil
}

// deliver runs inv, and others for the same event after it, until one succeeds.
func (f *Function) deliver(ctx context.Context, inv *invocation) Delivery {
	d := Delivery{Event: inv.event}
	for {
		d.Answer, d.Err = f.invoke(ctx, inv, f.protocol.asyncLimit)
		d.Attempts++
		if d.Err != nil {
			break // no function has answered; trying at once would not help
		}
		if d.Err = d.Answer.Err(); d.Err == nil || d.Attempts > f.config.Retries {
			break
		}
		inv = f.newInvocation(inv.event)
		inv.retry = d.Attempts
	}
	f.config.Delivered(d)
	return d
}

// Warm starts one more instance, ahead of any invocation, and returns the time from the start of its process to its
// first poll. It returns an [*InvocationError] if the process ended instead or did not poll within
// Config.InitTimeout, and an error if Config.MaxInstances are running already.
func (f *Function) Warm(ctx context.Context) (time.Duration, error) {
	if err := f.begin(ctx); err != nil {
		return 0, err
	}
	defer f.done()
	in, err := f.launch()
	if err != nil {
		return 0, err
	}
	a := Answer{RequestID: f.protocol.requestID(f.config.Now())}
	if !in.ready(&a) {
		return 0, a.Err()
	}
	f.release(in)
	return a.InitDuration, nil
}

// Kill kills every running process, as kill -9 does, and returns when they are gone. Invocations in flight are
// answered with Answer.Crashed; later ones get new processes.
func (f *Function) Kill() {
	for _, in := range f.instances() {
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
		f.end()
		var stopped sync.WaitGroup
		for _, in := range f.instances() {
			stopped.Go(in.stop)
		}
		stopped.Wait()
		f.work.Wait()
	})
}

func (f *Function) newInvocation(event []byte) *invocation {
	return &invocation{
		requestID: f.protocol.requestID(f.config.Now()),
		event:     event,
		answered:  make(chan outcome, 1),
	}
}

// invoke runs inv as soon as an instance may, and goes on when ctx ends before the answer.
func (f *Function) invoke(ctx context.Context, inv *invocation, limit int) (Answer, error) {
	if err := f.fits(inv.event, limit); err != nil {
		return Answer{}, err
	}
	if err := f.begin(ctx); err != nil {
		return Answer{}, err
	}
	type result struct {
		answer Answer
		err    error
	}
	results := make(chan result, 1)
	go func() {
		defer f.done()
		a, err := f.serve(inv)
		results <- result{a, err}
	}()
	select {
	case r := <-results:
		return r.answer, r.err
	case <-ctx.Done():
		return Answer{RequestID: inv.requestID}, fmt.Errorf("failed to await invocation: %w", ctx.Err())
	}
}

// serve runs inv in an idle instance, or in a new one. An idle instance that ends before it has seen inv is replaced.
func (f *Function) serve(inv *invocation) (Answer, error) {
	for in := f.takeIdle(); in != nil; in = f.takeIdle() {
		a := Answer{RequestID: inv.requestID}
		seen := in.run(inv, &a)
		f.release(in)
		if seen || a.TimedOut {
			return a, nil
		}
	}
	a := Answer{RequestID: inv.requestID, ColdStart: true}
	in, err := f.launch()
	if err != nil {
		return a, err
	}
	if in.ready(&a) {
		in.run(inv, &a)
		f.release(in)
	}
	return a, nil
}

func (f *Function) fits(event []byte, limit int) error {
	if len(event) > limit {
		return fmt.Errorf("%w: %d bytes, the platform's limit is %d", errTooLarge, len(event), limit)
	}
	return nil
}

// enter makes Close wait for work, until work.Done. It reports false after Close.
func (f *Function) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shut {
		return false
	}
	f.work.Add(1)
	return true
}

// begin waits for the right to run an instance; done gives it back.
func (f *Function) begin(ctx context.Context) error {
	if !f.enter() {
		return errClosed
	}
	err := ctx.Err()
	if err == nil {
		select {
		case f.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-f.life.Done():
			err = errClosed
		}
	}
	f.work.Done()
	return fmt.Errorf("failed to await instance: %w", err)
}

func (f *Function) done() {
	<-f.slots
	f.work.Done()
}

// takeIdle returns an idle instance, the latest used first, or nil if there is none.
func (f *Function) takeIdle() *instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) == 0 {
		return nil
	}
	in := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	return in
}

// launch starts a process. The lock is held meanwhile, so that Kill and Close miss none.
func (f *Function) launch() (*instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shut {
		return nil, errClosed
	}
	if len(f.live) >= f.config.MaxInstances {
		return nil, fmt.Errorf("failed to start instance: %d are running, as many as max instances allows", len(f.live))
	}
	in, err := launch(&f.config, f.protocol, &f.log, f.forget)
	if err != nil {
		return nil, err
	}
	f.live[in] = struct{}{}
	return in, nil
}

// release gives an instance back. One that has ended, or is about to, is not kept.
func (f *Function) release(in *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, alive := f.live[in]; alive {
		f.idle = append(f.idle, in)
	}
}

// forget drops an instance whose process has ended.
func (f *Function) forget(in *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.live, in)
	f.idle = slices.DeleteFunc(f.idle, func(other *instance) bool { return other == in })
}

// instances returns the running ones.
func (f *Function) instances() []*instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.live))
}
