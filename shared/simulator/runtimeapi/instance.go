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

// poll is a process's call for its next invocation.
type poll struct {
	arrived time.Time
	give    chan<- *invocation // the answer to the call
	gone    <-chan struct{}    // closed when the process hung up
}

// instance is one process and its runtime API. Its fields next and initDuration, and its methods, belong to whoever
// holds the instance: [Function] gives it to one invocation at a time.
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

	next         poll // the poll that the next invocation answers
	initDuration time.Duration

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

// init waits for the first poll of a new process. It returns why there was none, and the process is gone then.
func (in *instance) init(requestID string) *failure {
	timer := time.NewTimer(in.config.InitTimeout)
	defer timer.Stop()
	select {
	case in.next = <-in.polls:
		in.initDuration = in.next.arrived.Sub(in.started)
		return nil
	case <-timer.C:
		in.kill()
		return in.protocol.timedOut(requestID, in.config.InitTimeout)
	case <-in.exited:
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.initFailure != nil {
		return in.initFailure
	}
	return in.protocol.exited(requestID, in.state)
}

// run hands inv to the process and puts the end of it into a. It returns when the process is ready for another
// invocation, or gone.
func (in *instance) run(inv *invocation, a *Answer) {
	timer := time.NewTimer(in.config.Timeout)
	defer timer.Stop()
	started := time.Now()
	inv.deadline = in.config.Now().Add(in.config.Timeout)
	in.expect(inv)
	defer in.expect(nil)

	in.deliver(inv, timer.C)
	answered := in.await(inv, timer.C, a)
	a.Duration = time.Since(started)
	if !answered {
		return
	}
	select {
	case in.next = <-in.polls:
	case <-in.exited:
	case <-timer.C:
		in.kill() // it answered in time, but never asks for more
	}
}

// deliver answers the process's poll with inv. It returns without having done so when the process is gone.
func (in *instance) deliver(inv *invocation) {
	for {
		select {
		case in.next.give <- inv:
			return
		case <-in.next.gone:
		case <-in.exited:
			return
		}
	}
}

// await puts the end of inv into a and reports whether the process is still there.
func (in *instance) await(inv *invocation, up <-chan time.Time, a *Answer) bool {
	select {
	case o := <-inv.answered:
		o.put(a)
		return true
	case <-in.exited:
	case <-up:
		in.kill()
		a.TimedOut = true
	}
	select {
	case o := <-inv.answered: // just before the end
		a.TimedOut = false
		o.put(a)
	default:
		if a.TimedOut {
			in.protocol.timedOut(inv.requestID, in.config.Timeout).put(a)
		} else {
			a.Crashed = true
			in.protocol.exited(inv.requestID, in.state).put(a)
		}
	}
	return false
}

func (o outcome) put(a *Answer) {
	if o.failure != nil {
		o.failure.put(a)
		return
	}
	a.Payload = o.result
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
