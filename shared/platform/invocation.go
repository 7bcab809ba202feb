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

// Invocation holds what the platform says about one call of the function.
type Invocation struct {
	Platform     string                  // FC or Lambda
	RequestID    string                  // the platform's ID of the invocation; a retry may bring another
	Region       string                  // the function's region of Alibaba Cloud; "" on Lambda
	FunctionName string                  // the function's name on the platform
	Credentials  credentials.Credentials // of the function's role; zero where the platform hands none over
	RetryCount   int                     // repetitions of this invocation so far; 0 on Lambda, which does not say
}

// Handler answers one event. ctx has the platform's deadline, and ends when the instance is stopped. The answer must be
// JSON; an error should be a [Failure]. A handler may be called several times at once.
type Handler func(ctx context.Context, invocation Invocation, event []byte) ([]byte, error)

// typeInternal is the errorType of a failure that the handler did not name.
const typeInternal = "Internal"

// Failure is an error that the caller of a function sees whole: Type becomes the invocation's errorType and Message its
// errorMessage, on both platforms. An empty Type is Internal.
type Failure struct{ Type, Message string }

// Error returns type and message.
func (f Failure) Error() string { return f.Type + ": " + f.Message }

// run calls a handler and turns everything that can go wrong in it into a Failure.
func run(
	ctx context.Context, h Handler, log *slog.Logger, invocation Invocation, event []byte,
) (answer []byte, failure *Failure) {
	log = log.With("requestId", invocation.RequestID)
	defer func() {
		if value := recover(); value != nil {
			log.ErrorContext(ctx, "the handler panicked", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
			answer, failure = nil, unexpected("the function failed unexpectedly")
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
			log.ErrorContext(ctx, "the handler failed with an error that names no type", "error", err.Error())
			return nil, unexpected("the function failed unexpectedly")
		}
		if named.Type == "" {
			named.Type = typeInternal
		}
		return nil, &named
	}
	if !json.Valid(answer) {
		log.ErrorContext(ctx, "the handler's answer is not JSON", "bytes", len(answer))
		return nil, unexpected("the function's answer is not JSON")
	}
	return answer, nil
}

func unexpected(what string) *Failure {
	return &Failure{Type: typeInternal, Message: what + ": its log has the cause under the request ID"}
}
