// Package testbed is what the tests of the real processes share: it builds the functions, deploys them on the simulated
// platforms, and keeps what they log. Only tests import it.
package testbed

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// Region is where every function of a test runs.
const Region = "cn-hangzhou"

// Platforms are both platforms.
var Platforms = []runtimeapi.Platform{runtimeapi.FC, runtimeapi.Lambda}

// Functions are the packages of the three functions.
var Functions = []string{"swas-snapshot/functions/timer", "swas-snapshot/functions/http",
	"swas-snapshot/functions/event"}

// binaries is the folder of what [Main] built.
var binaries string

// Main builds packages as for a deployment, each into a binary of its own name, and then runs the tests, if any. It
// returns the exit status of TestMain.
func Main(m *testing.M, packages ...string) int {
	return run(m, func() error { return build("", packages...) })
}

// MainWithClock is Main for tests of the functions that use a [Clock].
func MainWithClock(m *testing.M) int {
	return run(m, func() error {
		if err := build("", Functions...); err != nil {
			return err
		}
		return buildClocked()
	})
}

func run(m *testing.M, build func() error) int {
	folder, err := os.MkdirTemp("", "swas-snapshot-test-")
	if err == nil {
		defer os.RemoveAll(folder)
		binaries = folder
		err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build compiles packages, with further flags before them, into a folder of [binaries].
func build(folder string, packages ...string) error {
	output := filepath.Join(binaries, folder) + string(filepath.Separator)
	return runtimeapi.Build(context.Background(), "", output, "", packages...)
}

// Binary returns the path of a binary that [Main] built.
func Binary(t testing.TB, name string) string {
	t.Helper()
	if err := sources(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(binaries, name)
}

// sources looks at every source file of the module. The go command cannot know what the binaries were built from:
// without this, it would take the results of the last run although a function has changed since.
var sources = sync.OnceValue(func() error {
	root := "."
	for n := 0; n < 8; n++ { // the folder of go.mod, above that of the test
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		root = filepath.Join(root, "..")
	}
	for _, folder := range []string{"shared", "functions"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
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

// Deployment is a function and where it runs.
type Deployment struct {
	Platform  runtimeapi.Platform
	Name      string // timer, http or event
	Policy    string // the text of snapshots.yaml; empty: there is no such file
	URL       string // of the API
	Keys      runtimeapi.Credentials
	Env       []string         // KEY=VALUE; the last one of a name counts
	Timeout   time.Duration    // default: that of package runtimeapi
	Instances int              // processes at most; default: that of package runtimeapi
	Clock     func() time.Time // of the platform; default: that of Moved, else the machine's
	Moved     *Clock           // of the processes, which are built for it; nil: the machine's
}

// Function is a deployed function and what it logged.
type Function struct {
	*runtimeapi.Function
	Platform runtimeapi.Platform
	Name     string
	Log      *Log
}

// Deploy makes a function, with the keys handed over as its platform does. When the test ends, its processes end, and
// then ended gets all that they logged.
func Deploy(t *testing.T, d Deployment, ended func(log string)) *Function {
	t.Helper()
	f := &Function{Platform: d.Platform, Name: d.Name, Log: &Log{}}
	config := runtimeapi.Config{
		Platform: d.Platform, Binary: Binary(t, d.Name), Dir: t.TempDir(), Region: Region, Timeout: d.Timeout, Now: d.Clock,
		Grace: time.Millisecond, MaxInstances: d.Instances, Log: f.Log,
		Env: []string{"SWAS_ENDPOINT=" + d.URL, "SNAPSHOT_CALLS_PER_MINUTE=0"},
	}
	if d.Policy != "" {
		if err := os.WriteFile(filepath.Join(config.Dir, "snapshots.yaml"), []byte(d.Policy), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d.Platform == runtimeapi.FC {
		config.Credentials = func() runtimeapi.Credentials { return d.Keys }
	} else {
		config.Env = append(config.Env, "ALIBABA_CLOUD_REGION_ID="+Region)
		config.Env = append(config.Env, d.Keys.Environment()...)
	}
	config.Env = append(config.Env, d.Env...)
	if d.Moved != nil {
		d.Moved.use(&config)
	}
	var err error
	if f.Function, err = runtimeapi.Start(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		ended(f.Log.String())
	})
	return f
}

// Log is what the processes of a function wrote. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all of the log so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
