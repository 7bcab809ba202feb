package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"time"

	"swas-snapshot/shared/deploy"
	"swas-snapshot/shared/simulator/runtimeapi"
)

// readTimers returns the timers of s.yaml.
func readTimers() ([]deploy.Timer, error) {
	root, err := sourceRoot()
	if err != nil {
		return nil, err
	}
	deployment, err := deploy.ReadFC(filepath.Join(root, deploy.FCFile))
	if err != nil {
		return nil, fmt.Errorf("failed to read the timers: %w", err)
	}
	return deployment.Timers, nil
}

// fireTimer invokes a function at each time of a timer until ctx ends, and repeats what failed, as the platforms do.
func fireTimer(ctx context.Context, t deploy.Timer, platform string, f *runtimeapi.Function, log io.Writer) {
	for at := range timesOf(ctx, t.Next) {
		delivery := f.InvokeAsync(ctx, tickEvent(platform, t.Name, t.Payload, at))
		if delivery.Err != nil && ctx.Err() == nil {
			fmt.Fprintf(log, "swas-snapshot: timer %s, invoked %d times: %v\n", t.Name, delivery.Attempts, delivery.Err)
		}
	}
}

// timesOf yields each time of a timer when it comes, until ctx ends.
func timesOf(ctx context.Context, next func(time.Time) time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for {
			at := next(time.Now())
			wait := time.NewTimer(time.Until(at))
			select {
			case <-ctx.Done():
				wait.Stop()
				return
			case <-wait.C:
			}
			if !yield(at) {
				return
			}
		}
	}
}

// tickEvent is what a platform sends when a timer fires: Function Compute an envelope, EventBridge Scheduler the
// payload with the time and the schedule in it.
func tickEvent(platform, name, payload string, at time.Time) []byte {
	when := at.UTC().Format("2006-01-02T15:04:05Z")
	var event any = map[string]string{"triggerTime": when, "triggerName": name, "payload": payload}
	if platform == string(runtimeapi.Lambda) {
		input := map[string]any{}
		_ = json.Unmarshal([]byte(payload), &input) // package deploy has read it already
		input["scheduledTime"] = when
		input["scheduleArn"] = "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/" + name
		event = input
	}
	text, _ := json.Marshal(event) // text and numbers only
	return text
}
