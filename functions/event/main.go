// Command event is the function for bus events, queue messages and plain invokes from pipelines.
package main

import (
	"context"
	"os"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/trigger"
	"swas-snapshot/shared/wiring"
)

func main() {
	platform.Start(wiring.New("event", os.Getenv).Handler(take, wiring.RefuseEvent))
}

func take(ctx context.Context, i *wiring.Invocation, event []byte) wiring.Answered {
	batch, err := trigger.DecodeEvent(event, i.RequestID)
	if err != nil {
		return wiring.Answer(wiring.Refuse(err))
	}
	results, failedIDs := i.Batch(ctx, batch)
	if batch.SQS {
		return wiring.Answered{Body: trigger.SQSAnswer(failedIDs), Results: results}
	}
	return wiring.Answer(results)
}
