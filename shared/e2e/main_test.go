// Package e2e tests the three functions as they are deployed: real processes, built as for a deployment, on the runtime
// API of each platform, calling the simulated API over HTTP through the real SDK.
//
// One table serves both platforms: what happens must not depend on where it happens.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"swas-snapshot/shared/e2e/testbed"
)

func TestMain(m *testing.M) {
	// These tests wait for processes and for time-outs far longer than they compute, so more of them run at once than
	// there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(testbed.MainWithClock(m))
}
