package platform

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fc/messages"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"

	"swas-snapshot/shared/credentials"
)

// startFC runs h on Function Compute. HTTP triggers arrive as events like all others. The hooks of an instance's life
// have nothing to do, but without a handler the SDK answers them with a panic. The documents of Function Compute
// promise no signal at the end of an instance; if one comes, it is obeyed.
func startFC(h Handler, log *slog.Logger) {
	l, base := untilSIGTERM(nil)
	h = l.within(h)
	fc.RegisterInitializerFunction(ignore)
	fc.RegisterPreFreezeFunction(ignore)
	fc.RegisterPreStopFunction(ignore)
	fc.Start(func(ctx context.Context, event []byte) (json.RawMessage, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(base, cancel)()
		answer, failure := run(ctx, h, log, fcInvocation(ctx), event)
		if failure != nil {
			// By value: the SDK replaces the type of a pointer.
			return nil, messages.InvokeResponse_Error{Type: failure.Type, Message: failure.Message}
		}
		return answer, nil
	})
}

func ignore(context.Context) {}

// fcInvocation reads the SDK's context. FromContext writes to what it returns, so it is called once per invocation.
func fcInvocation(ctx context.Context) Invocation {
	known, ok := fccontext.FromContext(ctx)
	if !ok {
		return Invocation{Platform: FC}
	}
	return Invocation{
		Platform: FC, RequestID: known.RequestID, Region: known.Region, FunctionName: known.Function.Name,
		RetryCount: known.RetryCount,
		Credentials: credentials.Credentials{
			AccessKeyID:     known.Credentials.AccessKeyId,
			AccessKeySecret: known.Credentials.AccessKeySecret,
			SecurityToken:   known.Credentials.SecurityToken,
		},
	}
}
