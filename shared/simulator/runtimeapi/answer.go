package runtimeapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Errors of an invocation that no function has seen.
var (
	// errClosed is the error of an invocation after [Function.Close].
	errClosed = errors.New("function is closed")

	// errTooLarge is the error of an event over the platform's limit: 32 MB (6 MB on Lambda), or 128 KB (1 MB) for
	// an asynchronous invocation.
	errTooLarge = errors.New("event is too large")
)

// Answer is the end of one invocation: what the function answered, or the function error.
type Answer struct {
	RequestID string
	Payload   []byte // the result; of a function error, the JSON object that the platform hands to the caller

	FunctionError string // errorType; empty if and only if the function succeeded
	ErrorMessage  string // errorMessage

	ColdStart    bool          // a process was started for this invocation
	InitDuration time.Duration // of a cold start: from the start of the process to its first poll
	Duration     time.Duration // from the delivery of the event to the answer

	Crashed  bool // the process ended before it answered
	TimedOut bool // the time was up before the answer; the process was killed
}

// Err returns nil if the function succeeded and an [*InvocationError] otherwise.
func (a Answer) Err() error {
	if a.FunctionError == "" {
		return nil
	}
	return &InvocationError{RequestID: a.RequestID, Type: a.FunctionError, Message: a.ErrorMessage}
}

// InvocationError is a function error: the function answered an error, crashed, or ran out of time.
type InvocationError struct {
	RequestID string
	Type      string // errorType
	Message   string // errorMessage
}

func (e *InvocationError) Error() string {
	return fmt.Sprintf("invocation %s: %s: %s", e.RequestID, e.Type, e.Message)
}

// Delivery is the end of an asynchronous invocation.
type Delivery struct {
	Event    []byte
	Attempts int    // invocations that were made, each with a request ID of its own
	Answer   Answer // of the last one
	Err      error  // of the last one: an [*InvocationError], or why the function was not invoked; nil: it succeeded
}

// failure is a function error on its way to an Answer.
type failure struct {
	kind    string // errorType
	message string
	payload []byte // what the function sent; nil if the platform speaks
}

// unhandled is the type of an error that does not name its own: an error without a type must not pass for a success.
const unhandled = "Unhandled"

// readFailure reads the error document that a function posts: {"errorMessage","errorType","stackTrace"}.
func readFailure(body []byte) *failure {
	var document struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	f := &failure{payload: body}
	if err := json.Unmarshal(body, &document); err != nil {
		f.message = "the function posted an error that is not a JSON object"
	} else {
		f.kind, f.message = document.Type, document.Message
	}
	if f.kind == "" {
		f.kind = unhandled
	}
	return f
}

// put makes a an answer of this failure.
func (f *failure) put(a *Answer) {
	a.FunctionError, a.ErrorMessage, a.Payload = f.kind, f.message, f.payload
	if a.Payload == nil {
		a.Payload = mustMarshal(map[string]string{"errorType": f.kind, "errorMessage": f.message})
	}
}

// mustMarshal encodes values of this package's own types, none of which can fail to.
func mustMarshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
