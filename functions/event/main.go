// Command event is the function for bus events, queue messages and plain invokes from pipelines.
package main

import (
	"os"

	"swas-snapshot/shared/app"
	"swas-snapshot/shared/platform"
)

func main() {
	log := platform.Logger(os.Getenv, os.Stderr)
	platform.Start(app.Event(os.Getenv, log), log)
}
