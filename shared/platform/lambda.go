package platform

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// startLambda runs h on AWS Lambda. Lambda stops an instance by SIGTERM and, some hundred milliseconds later, SIGKILL:
// the signal ends the context of the running invocations, so that they make no further call and say what they left.
func startLambda(h Handler) {
	base, stop := context.WithCancel(context.Background())
	onSIGTERM(os.Getenv(envLambda), stop)
	lambda.StartWithOptions(lambdaHandler(h), lambda.WithContext(base))
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
