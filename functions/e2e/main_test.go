// Package e2e tests the three functions as they are deployed: real processes, built as for a deployment, on the runtime
// API of each platform, calling the simulated API over HTTP through the real SDK.
//
// One table serves both platforms: what happens must not depend on where it happens.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaries is the folder of the built functions: timer, http and event.
var binaries string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "swas-snapshot-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binaries = folder
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=",
		"-o", folder+string(filepath.Separator), "swas-snapshot/functions/timer", "swas-snapshot/functions/http", "swas-snapshot/functions/event")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "failed to build the functions: %v\n%s", err, out)
		return 1
	}
	// These tests wait for processes and for time-outs far longer than they compute, so more of them run at once than
	// there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
