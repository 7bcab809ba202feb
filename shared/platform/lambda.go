package platform

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// startLambda runs h on AWS Lambda. Lambda stops an instance by SIGTERM and, some hundred milliseconds later, SIGKILL.
func startLambda(h Handler, log *slog.Logger) {
	l, base := untilSIGTERM(register(os.Getenv(envLambda), log))
	lambda.StartWithOptions(lambdaHandler{l.within(h), log}, lambda.WithContext(base))
}

// lambdaHandler is a Handler in the form that takes and returns bytes as they are.
type lambdaHandler struct {
	handler Handler
	log     *slog.Logger
}

// Invoke answers one event.
func (h lambdaHandler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	invocation := Invocation{Platform: Lambda, FunctionName: lambdacontext.FunctionName}
	if known, ok := lambdacontext.FromContext(ctx); ok {
		invocation.RequestID = known.AwsRequestID
	}
	answer, failure := run(ctx, h.handler, h.log, invocation, event)
	if failure != nil {
		// By value: the SDK replaces the type of a pointer.
		return nil, messages.InvokeResponse_Error{Type: failure.Type, Message: failure.Message}
	}
	return answer, nil
}
