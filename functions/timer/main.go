// Command timer is the function for timers: each tick is a sweep, which takes what is due and deletes what is surplus.
// It is the only function that can delete.
package main

import (
	"os"

	"swas-snapshot/shared/app"
	"swas-snapshot/shared/platform"
)

func main() {
	log := platform.Logger(os.Getenv, os.Stderr)
	platform.Start(app.Timer(os.Getenv, log), log)
}
