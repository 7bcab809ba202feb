package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"swas-snapshot/shared/credentials"
)

// The platforms, as [Invocation] names them.
const (
	FC     = "fc"     // Alibaba Cloud Function Compute
	Lambda = "lambda" // AWS Lambda
)

// Invocation is what the platform tells about one call of the function.
type Invocation struct {
	Platform     string                  // FC or Lambda
	RequestID    string                  // the platform's ID of the invocation; a retry may bring another
	Region       string                  // the function's region of Alibaba Cloud; empty on Lambda, whose regions are others
	FunctionName string                  // the function's name on the platform
	Credentials  credentials.Credentials // of the function's role; zero where the platform hands none over
	RetryCount   int                     // how often Function Compute repeated this invocation; 0 on Lambda, which does not tell
}

// Handler answers one event. ctx has the platform's deadline, and on Lambda ends when the instance is stopped. The
// answer must be JSON; an error should be a [Failure]. A handler may be called several times at once.
type Handler func(ctx context.Context, invocation Invocation, event []byte) ([]byte, error)

// typeInternal is the errorType of a failure that the handler did not name.
const typeInternal = "Internal"

// Failure is an error of which people see all: Type becomes the invocation's errorType and Message its errorMessage,
// on both platforms. An empty Type is Internal.
type Failure struct{ Type, Message string }

// Error tells type and message.
func (f Failure) Error() string { return f.Type + ": " + f.Message }

// run calls a handler and turns everything that can go wrong in it into a Failure.
func run(ctx context.Context, h Handler, invocation Invocation, event []byte) (answer []byte, failure *Failure) {
	defer func() {
		if value := recover(); value != nil {
			slog.ErrorContext(ctx, "the handler panicked", "requestId", invocation.RequestID, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
			answer, failure = nil, unforeseen("the function failed unexpectedly")
		}
	}()
	answer, err := h(ctx, invocation, event)
	if err != nil {
		var named Failure
		var pointer *Failure
		switch {
		case errors.As(err, &named):
		case errors.As(err, &pointer) && pointer != nil:
			named = *pointer
		default:
			slog.ErrorContext(ctx, "the handler failed with an error that names no type", "requestId", invocation.RequestID, "error", err.Error())
			return nil, unforeseen("the function failed unexpectedly")
		}
		if named.Type == "" {
			named.Type = typeInternal
		}
		return nil, &named
	}
	if !json.Valid(answer) {
		slog.ErrorContext(ctx, "the handler's answer is not JSON", "requestId", invocation.RequestID, "bytes", len(answer))
		return nil, unforeseen("the function's answer is not JSON")
	}
	return answer, nil
}

func unforeseen(what string) *Failure {
	return &Failure{Type: typeInternal, Message: what + ": its log has the cause under the request ID"}
}
