// Package testbed is what the tests of the real processes share: it builds the functions, deploys them on the simulated
// platforms, and keeps what they log. Only tests import it.
package testbed

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"swas-snapshot/shared/gobuild"
)

// Functions are the packages of the three functions.
var Functions = []string{"swas-snapshot/functions/timer", "swas-snapshot/functions/http", "swas-snapshot/functions/event"}

// binaries is the folder of what [Main] built.
var binaries string

// Main builds packages as for a deployment, each into a binary of its own name, and then runs the tests, if any. It
// returns the exit status of TestMain.
func Main(m *testing.M, packages ...string) int { return run(m, packages, func() error { return nil }) }

// MainWithClock is Main for tests of the functions that use a [Clock].
func MainWithClock(m *testing.M) int { return run(m, Functions, buildClocked) }

func run(m *testing.M, packages []string, more func() error) int {
	folder, err := os.MkdirTemp("", "swas-snapshot-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binaries = folder
	err = gobuild.Packages(context.Background(), "", folder+string(filepath.Separator), "", packages...)
	if err == nil {
		err = more()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Binary returns the place of a binary that [Main] built.
func Binary(t testing.TB, name string) string {
	t.Helper()
	if err := sources(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(binaries, name)
}

// sources looks at every source file of the module. The go command cannot know what the binaries were built from: without
// this, it would take the results of the last run although a function has changed since.
var sources = sync.OnceValue(func() error {
	for _, folder := range []string{"../../shared", "../../functions"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".go" {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("failed to look at the sources: %w", err)
		}
	}
	return nil
})
