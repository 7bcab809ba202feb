package runtimeapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// outputDelay is how long a dead process's output is waited for, if a child of its own still holds the pipe.
const outputDelay = time.Second

// invocation is one event on its way through a process.
type invocation struct {
	requestID string
	event     []byte
	retry     int       // invocations of the same event before this one
	deadline  time.Time // by the platform's clock; set on delivery

	answered chan outcome // holds one
}

// outcome is what the process posted: a result, or a failure.
type outcome struct {
	result  []byte
	failure *failure
}

func (o outcome) put(a *Answer) {
	if o.failure != nil {
		o.failure.put(a)
		return
	}
	a.Payload = o.result
}

// poll is a process's call for its next invocation.
type poll struct {
	arrived time.Time
	give    chan<- *invocation // the answer to the call
	gone    <-chan struct{}    // closed when the process hung up
}

// instance is one process and its runtime API. Its methods ready and run, and the field next, belong to whoever holds
// the instance: [Function] gives it to one invocation at a time.
type instance struct {
	id       string
	config   *Config
	protocol *protocol
	cmd      *exec.Cmd
	server   *http.Server
	started  time.Time

	polls  chan poll     // a process that polls is ready for an invocation
	exited chan struct{} // closed when the process is gone
	state  string        // how it ended; to be read once exited is closed

	next poll // the poll that the next invocation answers

	mu          sync.Mutex
	current     *invocation // the only one that may be answered; nil: none
	initFailure *failure    // what the process reported of its own start
}

// launch starts a process and its runtime API. When the process is gone, its runtime API closes and ended is called.
func launch(c *Config, p *protocol, log *sync.Mutex, ended func(*instance)) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("failed to listen for runtime API: %w", err)
	}
	in := &instance{
		id: randomHex(16), config: c, protocol: p,
		polls: make(chan poll), exited: make(chan struct{}),
	}
	in.server = &http.Server{Handler: in.handler()}
	go in.server.Serve(listener)

	// Always pipes, even for output that is dropped: should this process be killed, its children die of SIGPIPE
	// instead of polling a vanished runtime API forever.
	stdout, stderr := &lineWriter{mu: log, to: c.Stdout}, &lineWriter{mu: log, to: c.Stderr}
	in.cmd = &exec.Cmd{
		Path: c.Binary, Args: []string{c.Binary}, Dir: c.Dir,
		Env:    append(append(baseEnvironment(), c.Env...), p.environment(*c, in.id, listener.Addr().String())...),
		Stdout: stdout, Stderr: stderr, WaitDelay: outputDelay,
	}
	in.started = time.Now()
	if err := in.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("failed to start process: %w", err), in.server.Close())
	}
	go func() {
		_ = in.cmd.Wait() // how it ended is in its state
		stdout.flush()
		stderr.flush()
		in.state = in.cmd.ProcessState.String()
		ended(in)
		close(in.exited)
		_ = in.server.Close()
	}()
	return in, nil
}

// ready waits for the first poll of a new process and reports whether it came. If not, the process is gone, and the
// reason is put into a.
func (in *instance) ready(a *Answer) bool {
	timer := time.NewTimer(in.config.InitTimeout)
	defer timer.Stop()
	select {
	case in.next = <-in.polls:
		a.InitDuration = in.next.arrived.Sub(in.started)
		return true
	case <-timer.C:
		in.kill()
		a.TimedOut = true
		in.protocol.timedOut(a.RequestID, in.config.InitTimeout).put(a)
		return false
	case <-in.exited:
	}
	a.Crashed = true
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.initFailure == nil {
		in.initFailure = in.protocol.exited(a.RequestID, in.state)
	}
	in.initFailure.put(a)
	return false
}

// run hands inv to the process and puts the end of it into a. It returns when the process is ready for another
// invocation, or gone. It reports false if the process ended without having seen inv.
func (in *instance) run(inv *invocation, a *Answer) bool {
	timer := time.NewTimer(in.config.Timeout)
	defer timer.Stop()
	started := time.Now()
	inv.deadline = in.config.Now().Add(in.config.Timeout)
	in.expect(inv)
	defer in.expect(nil)

	delivered := in.exchange(inv, timer.C, a)
	a.Duration = time.Since(started)
	select {
	case in.next = <-in.polls:
	case <-in.exited:
	case <-timer.C:
		in.kill() // it answered in time, but never asks for more
	}
	return delivered
}

// exchange delivers inv and puts the answer to it into a, or why there is none; the process is gone then. It reports
// whether inv was delivered.
func (in *instance) exchange(inv *invocation, up <-chan time.Time, a *Answer) (delivered bool) {
	next, polls := in.next, (<-chan poll)(nil)
	for !in.gone() {
		select {
		case next.give <- inv:
			next, delivered = poll{}, true
		case <-next.gone: // it hung up before the delivery, and may poll again
			next, polls = poll{}, in.polls
		case next = <-polls:
			polls = nil
		case o := <-inv.answered:
			o.put(a)
			return delivered
		case <-up:
			in.kill()
			a.TimedOut = true
			in.protocol.timedOut(inv.requestID, in.config.Timeout).put(a)
			return delivered
		case <-in.exited:
		}
	}
	select {
	case o := <-inv.answered: // the last thing that it did
		o.put(a)
	default:
		a.Crashed = true
		in.protocol.exited(inv.requestID, in.state).put(a)
	}
	return delivered
}

// expect makes inv the invocation that may be answered; nil: none.
func (in *instance) expect(inv *invocation) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.current = inv
}

// claim returns the invocation with this request ID if it is to be answered, and nil otherwise. It can be claimed once.
func (in *instance) claim(requestID string) *invocation {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.current == nil || in.current.requestID != requestID {
		return nil
	}
	inv := in.current
	in.current = nil
	return inv
}

// failInit keeps what the process reported of its own start.
func (in *instance) failInit(f *failure) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.initFailure = f
}

// gone reports whether the process has ended.
func (in *instance) gone() bool {
	select {
	case <-in.exited:
		return true
	default:
		return false
	}
}

// kill ends the process at once and waits until it is gone.
func (in *instance) kill() {
	_ = in.cmd.Process.Kill() // an error says that it has ended already
	<-in.exited
}

// stop asks the process to end, kills it when it has not within the grace period, and waits until it is gone.
func (in *instance) stop() {
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err == nil {
		timer := time.NewTimer(in.config.Grace)
		defer timer.Stop()
		select {
		case <-in.exited:
		case <-timer.C:
		}
	}
	in.kill()
}
