// Command http is the function for the HTTP API and the webhooks.
package main

import (
	"os"

	"swas-snapshot/shared/app"
	"swas-snapshot/shared/platform"
)

func main() {
	log := platform.Logger(os.Getenv, os.Stderr)
	platform.Start(app.HTTP(os.Getenv, log), log)
}
