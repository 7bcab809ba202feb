// Command emptyfc is an empty function on the SDK of Function Compute: the baseline of a cold start.
package main

import (
	"context"
	"encoding/json"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

func main() {
	fc.Start(func(_ context.Context, event json.RawMessage) (json.RawMessage, error) { return event, nil })
}
