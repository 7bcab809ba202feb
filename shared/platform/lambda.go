package platform

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// startLambda runs h on AWS Lambda. Lambda stops an instance by SIGTERM and, some hundred milliseconds later, SIGKILL.
func startLambda(h Handler) {
	l, base := untilSIGTERM(register(os.Getenv(envLambda)))
	lambda.StartWithOptions(lambdaHandler(l.within(h)), lambda.WithContext(base))
}

// lambdaHandler is a Handler in the form that takes and gives bytes as they are.
type lambdaHandler Handler

// Invoke answers one event.
func (h lambdaHandler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	answer, failure := run(ctx, Handler(h), lambdaInvocation(ctx), event)
	if failure != nil {
		// By value: the SDK replaces the type of a pointer.
		return nil, messages.InvokeResponse_Error{Type: failure.Type, Message: failure.Message}
	}
	return answer, nil
}

func lambdaInvocation(ctx context.Context) Invocation {
	invocation := Invocation{Platform: Lambda, FunctionName: lambdacontext.FunctionName}
	if told, ok := lambdacontext.FromContext(ctx); ok {
		invocation.RequestID = told.AwsRequestID
	}
	return invocation
}
