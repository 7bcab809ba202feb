// Command timer is the function for cron ticks: it takes what is due, or sweeps.
package main

import (
	"context"
	"os"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/trigger"
	"swas-snapshot/shared/wiring"
)

func main() {
	platform.Start(wiring.New("timer", os.Getenv).Handler(tick, wiring.RefuseEvent))
}

func tick(ctx context.Context, i *wiring.Invocation, event []byte) wiring.Answered {
	tick, err := trigger.DecodeTimer(event)
	if err != nil {
		return wiring.Answer(wiring.Refuse(err))
	}
	tick.RequestID = i.RequestID
	answered := wiring.Answer(i.Service.Tick(ctx, tick))
	answered.Sweep = tick.Sweep
	return answered
}
