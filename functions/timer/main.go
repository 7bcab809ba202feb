// Command timer is the function for timers: each tick is a sweep, which takes what is due and deletes what is surplus. It
// is the only function that may delete.
package main

import (
	"context"
	"os"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/trigger"
	"swas-snapshot/shared/wiring"
)

func main() {
	platform.Start(wiring.New("timer", os.Getenv).Handler(sweep, wiring.RefuseEvent))
}

func sweep(ctx context.Context, i *wiring.Invocation, event []byte) wiring.Answered {
	tick, err := trigger.DecodeTimer(event)
	if err != nil {
		return wiring.Answer(wiring.Refuse(err))
	}
	answered := wiring.Answer(wiring.Sweep(ctx, i, tick))
	answered.Sweep = true
	return answered
}
