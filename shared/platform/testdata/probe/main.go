// Command probe is a function that does what its event says, so that tests see how the platforms take it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"swas-snapshot/shared/platform"
)

func main() { platform.Start(handle, platform.Logger(os.Getenv, os.Stderr)) }

func handle(ctx context.Context, invocation platform.Invocation, event []byte) ([]byte, error) {
	switch string(event) {
	case "invocation":
		deadline, _ := ctx.Deadline()
		c := invocation.Credentials
		return json.Marshal(map[string]any{
			"invocation": invocation,
			"deadline":   deadline.UnixMilli(),
			"key":        c.AccessKeyID + "," + c.AccessKeySecret + "," + c.SecurityToken,
		})
	case "failure":
		return nil, platform.Failure{Type: "SlotsFull", Message: `{"results":[]}`}
	case "pointer":
		return nil, &platform.Failure{Type: "SlotsFull", Message: "m"}
	case "wrapped":
		return nil, fmt.Errorf("failed to take: %w", platform.Failure{Type: "SlotsFull", Message: "m"})
	case "nameless":
		return nil, platform.Failure{Message: "m"}
	case "error":
		return nil, errors.New("made-up-secret")
	case "panic":
		panic("made-up-secret")
	case "not JSON":
		return []byte("made-up-secret"), nil
	case "nothing":
		return nil, nil
	case "wait":
		fmt.Println("waiting")
		<-ctx.Done()
		return nil, platform.Failure{Type: "Deferred", Message: ctx.Err().Error()}
	}
	return event, nil
}
