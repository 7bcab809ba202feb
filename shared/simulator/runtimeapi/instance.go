package runtimeapi

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// outputDelay is how long a dead process's output is waited for, if a child of its own still holds the pipe.
const outputDelay = time.Second

// protocol is what the two platforms do differently behind the same three calls of their runtime APIs.
type protocol struct {
	prefix   string // of the paths of the runtime API
	accepted int    // status that acknowledges an answer; the SDKs take no other
	unknown  int    // status for an answer to an invocation that is not in flight
	region   string // default region
	retries  int    // of asynchronous invocations

	environment func(c Config, instanceID, address string) []string // what the platform sets
	// Headers of a delivered invocation.
	header func(c Config, inv *invocation, h http.Header)
	// Further calls of the runtime API; nil: none.
	extend    func(instanceID string, mux *http.ServeMux)
	requestID func(now time.Time) string                                              // a new one
	timedOut  func(requestID string, limit time.Duration) (errorType, message string) // time is up
	// The process ended before it answered.
	exited func(requestID, processState string) (errorType, message string)
}

var protocols = map[Platform]protocol{FC: fcProtocol, Lambda: lambdaProtocol}

// randomHex returns n random bytes in hexadecimal digits.
func randomHex(n int) string {
	data := make([]byte, n)
	rand.Read(data) // never fails
	return hex.EncodeToString(data)
}

// invocation is one event on its way through a process.
type invocation struct {
	requestID string
	event     []byte
	retry     int       // invocations of the same event before this one
	deadline  time.Time // by the platform's clock; set on delivery

	answered chan Answer // holds one
}

// instance is one process and its runtime API. Its methods awaitStart and run belong to one goroutine at a time:
// [Function] gives an instance to one invocation at a time.
type instance struct {
	id       string
	config   *Config
	protocol *protocol
	cmd      *exec.Cmd
	idle     bool // guarded by Function.mu

	polled chan struct{}    // receives once the process polls: it is ready for an invocation
	next   chan *invocation // the answer to the poll
	exited chan struct{}    // closed when the process is gone
	state  string           // how it ended; to be read once exited is closed

	current atomic.Pointer[invocation] // the only one that may be answered; nil: none
}

// newInstance starts a process of f and its runtime API. When the process is gone, its runtime API closes.
func newInstance(f *Function) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("failed to listen for runtime API: %w", err)
	}
	in := &instance{
		id: randomHex(16), config: &f.config, protocol: &f.protocol,
		polled: make(chan struct{}), next: make(chan *invocation), exited: make(chan struct{}),
	}
	server := &http.Server{Handler: in.handler()}
	go server.Serve(listener)

	c := in.config
	environment := append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=en_US.UTF-8", "TZ=UTC"},
		c.Env...)
	// Always a pipe, even for output that is dropped: should this process be killed, its children die of SIGPIPE
	// instead of polling a vanished runtime API forever.
	log := &lineWriter{mu: &f.output, to: c.Log}
	in.cmd = &exec.Cmd{
		Path: c.Binary, Args: []string{c.Binary}, Dir: c.Dir, Stdout: log, Stderr: log, WaitDelay: outputDelay,
		Env: append(environment, in.protocol.environment(*c, in.id, listener.Addr().String())...),
	}
	if err := in.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("failed to start process: %w", err), server.Close())
	}
	go func() {
		_ = in.cmd.Wait() // how it ended is in its state
		log.flush()
		in.state = in.cmd.ProcessState.String()
		f.forget(in)
		close(in.exited)
		_ = server.Close()
	}()
	return in, nil
}

// awaitStart waits for the first poll of a new process and returns the zero Answer. If the poll does not come, the
// process is gone, and the answer says why.
func (in *instance) awaitStart(requestID string) Answer {
	timer := time.NewTimer(in.config.InitTimeout)
	defer timer.Stop()
	select {
	case <-in.polled:
		return Answer{}
	case <-timer.C:
		return in.timeOut(requestID, in.config.InitTimeout)
	case <-in.exited:
		return in.crashed(requestID)
	}
}

// run hands inv to the process and returns the end of it. It returns when the process is ready for another invocation,
// or gone. It reports false if the process ended without having got inv.
func (in *instance) run(inv *invocation) (answer Answer, delivered bool) {
	timer := time.NewTimer(in.config.Timeout)
	defer timer.Stop()
	inv.deadline = in.config.Now().Add(in.config.Timeout)
	in.current.Store(inv)
	defer in.current.Store(nil)
	select {
	case <-in.exited: // its last poll may still stand
		return in.crashed(inv.requestID), false
	default:
	}
	select {
	case in.next <- inv:
	case <-in.exited:
		return in.crashed(inv.requestID), false
	}
	select {
	case answer = <-inv.answered:
	case <-timer.C:
		return in.timeOut(inv.requestID, in.config.Timeout), true
	case <-in.exited:
		select {
		case answer = <-inv.answered: // the last thing that it did
		default:
			answer = in.crashed(inv.requestID)
		}
		return answer, true
	}
	select {
	case <-in.polled:
	case <-in.exited:
	case <-timer.C:
		in.kill() // it answered in time, but never asks for more
	}
	return answer, true
}

// timeOut kills the process and returns the platform's answer to an invocation that took longer than limit.
func (in *instance) timeOut(requestID string, limit time.Duration) Answer {
	in.kill()
	answer := failed(in.protocol.timedOut(requestID, limit))
	answer.TimedOut = true
	return answer
}

// crashed returns the platform's answer to an invocation whose process has ended.
func (in *instance) crashed(requestID string) Answer {
	answer := failed(in.protocol.exited(requestID, in.state))
	answer.Crashed = true
	return answer
}

// failed returns an answer of the platform itself.
func failed(kind, message string) Answer {
	return Answer{
		FunctionError: kind, ErrorMessage: message,
		Payload: mustMarshal(map[string]string{"errorType": kind, "errorMessage": message}),
	}
}

// readError reads the error document that a function posts: {"errorMessage","errorType","stackTrace"}. An error without
// a type must not pass for a success.
func readError(body []byte) Answer {
	document := struct {
		ErrorMessage, ErrorType string
	}{ErrorMessage: "the function posted an error that is not a JSON object"}
	_ = json.Unmarshal(body, &document)
	if document.ErrorType == "" {
		document.ErrorType = "Unhandled"
	}
	return Answer{FunctionError: document.ErrorType, ErrorMessage: document.ErrorMessage, Payload: body}
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

// handler is the runtime API of one instance. The two platforms differ in paths, headers and statuses alone.
func (in *instance) handler() http.Handler {
	mux := http.NewServeMux()
	base := in.protocol.prefix + "/invocation/"
	mux.HandleFunc("GET "+base+"next", in.serveNext)
	mux.HandleFunc("POST "+base+"{id}/response", func(w http.ResponseWriter, r *http.Request) {
		in.serveAnswer(w, r, func(body []byte) Answer { return Answer{Payload: body} })
	})
	mux.HandleFunc("POST "+base+"{id}/error", func(w http.ResponseWriter, r *http.Request) {
		in.serveAnswer(w, r, readError)
	})
	if in.protocol.extend != nil {
		in.protocol.extend(in.id, mux)
	}
	return mux
}

// serveNext is the long poll: it answers when there is an invocation.
func (in *instance) serveNext(w http.ResponseWriter, r *http.Request) {
	gone := r.Context().Done()
	select {
	case in.polled <- struct{}{}:
	case <-gone:
		return
	}
	select {
	case inv := <-in.next:
		in.protocol.header(*in.config, inv, w.Header())
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(inv.event) // a process that is gone is noticed by its exit
	case <-gone:
	}
}

// serveAnswer takes the end of an invocation.
func (in *instance) serveAnswer(w http.ResponseWriter, r *http.Request, read func(body []byte) Answer) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half an answer is none
	}
	inv := in.current.Load()
	if inv == nil || inv.requestID != r.PathValue("id") || !in.current.CompareAndSwap(inv, nil) {
		reject(w, in.protocol.unknown, "InvalidRequestID", "no invocation with this request ID is in flight")
		return
	}
	inv.answered <- read(body)
	writeJSON(w, in.protocol.accepted, map[string]string{"status": "OK"})
}

// reject answers that a call was not understood, or a request not served.
func reject(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]string{"errorType": kind, "errorMessage": message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mustMarshal(v))
}

// mustMarshal encodes values of this package's own types, none of which can fail to.
func mustMarshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// lineWriter hands whole lines to a writer that it shares with others. It never fails: a process must not die of
// SIGPIPE because its log cannot be written.
type lineWriter struct {
	mu      *sync.Mutex // held while writing to to
	to      io.Writer
	partial []byte
}

// Write keeps a line that has not ended for later.
func (l *lineWriter) Write(data []byte) (int, error) {
	l.partial = append(l.partial, data...)
	if end := bytes.LastIndexByte(l.partial, '\n') + 1; end > 0 {
		l.write(l.partial[:end])
		l.partial = append(l.partial[:0], l.partial[end:]...)
	}
	return len(data), nil
}

// flush writes what is left of a line that never ended, and ends it.
func (l *lineWriter) flush() {
	if len(l.partial) > 0 {
		l.write(append(l.partial, '\n'))
	}
}

func (l *lineWriter) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.to.Write(lines) // nowhere to report it to
}
