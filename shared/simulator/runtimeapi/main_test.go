package runtimeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// echo is the path of the function in testdata, built once for all tests.
var echo string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "runtimeapi")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	echo = filepath.Join(folder, "echo")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", echo, "./testdata/echo")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "failed to build testdata/echo: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if left := children(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes left behind:", left)
		return 1
	}
	return code
}

// children returns the command names of this process's children, where there is a /proc.
func children() []string {
	var names []string
	files, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, file := range files {
		status, _ := os.ReadFile(file) // a process may end meanwhile
		if bytes.Contains(status, fmt.Appendf(nil, "\nPPid:\t%d\n", os.Getpid())) {
			name, _, _ := strings.Cut(string(status), "\n")
			names = append(names, name)
		}
	}
	return names
}

// bothPlatforms runs a test on each platform.
func bothPlatforms(t *testing.T, test func(t *testing.T, p Platform)) {
	t.Helper()
	for _, p := range []Platform{FC, Lambda} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

// start starts the function in testdata, and ends it with the test.
func start(t *testing.T, c Config) *Function {
	t.Helper()
	c.Binary = echo
	f, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		if left := f.instances(); len(left) > 0 {
			t.Errorf("%d instances are left after Close", len(left))
		}
	})
	return f
}

// do invokes f on {"do":what}, with further fields as name, value.
func do(t *testing.T, f *Function, what string, fields ...any) Answer {
	t.Helper()
	answer, err := f.Invoke(context.Background(), order(what, fields...))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// order is the event {"do":what}, with further fields as name, value.
func order(what string, fields ...any) []byte {
	event := map[string]any{"do": what}
	for i := 0; i < len(fields); i += 2 {
		event[fields[i].(string)] = fields[i+1]
	}
	return mustMarshal(event)
}

// succeed invokes f and returns the fields of its answer.
func succeed(t *testing.T, f *Function, what string, fields ...any) (Answer, map[string]any) {
	t.Helper()
	answer := do(t, f, what, fields...)
	if err := answer.Err(); err != nil {
		t.Fatal(err)
	}
	var seen map[string]any
	if err := json.Unmarshal(answer.Payload, &seen); err != nil {
		t.Fatalf("answer %q: %v", answer.Payload, err)
	}
	return answer, seen
}

// pid returns the process that answers f's next invocation.
func pid(t *testing.T, f *Function) float64 {
	t.Helper()
	_, seen := succeed(t, f, "echo")
	return seen["pid"].(float64)
}

// watch is a log that tells when a line was written.
type watch struct {
	lines chan string
}

func newWatch() watch { return watch{make(chan string, 1000)} }

func (w watch) Write(data []byte) (int, error) {
	for line := range strings.Lines(string(data)) {
		w.lines <- strings.TrimSuffix(line, "\n")
	}
	return len(data), nil
}

// wait returns when the line was written.
func (w watch) wait(line string) {
	for line != <-w.lines {
	}
}

// gate is a server whose answers the test holds back. Functions call it with the order "get".
type gate struct {
	*httptest.Server
	arrived chan struct{} // one element a call
	open    chan int      // one status a call
}

func newGate(t *testing.T) *gate {
	g := &gate{arrived: make(chan struct{}, 100), open: make(chan int, 100)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case status := <-g.open:
			w.WriteHeader(status)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}
