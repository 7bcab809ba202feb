// Command http is the function for the HTTP API and the webhooks.
package main

import (
	"os"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/wiring"
)

func main() {
	f := wiring.New("http", os.Getenv)
	platform.Start(f.Handler(f.HTTP(), f.RefuseHTTP))
}
