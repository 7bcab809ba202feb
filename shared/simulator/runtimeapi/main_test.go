package runtimeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	if err := Build(context.Background(), "", echo, "", "./testdata/echo"); err != nil {
		fmt.Fprintln(os.Stderr, err)
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
		if left := f.running(); len(left) > 0 {
			t.Errorf("%d instances are left after Close", len(left))
		}
	})
	return f
}

// order is the event {"do":what}, with a further field url.
func order(what string, url ...string) []byte {
	return mustMarshal(map[string]string{"do": what, "url": strings.Join(url, "")})
}

// do invokes f on {"do":what}.
func do(t *testing.T, f *Function, what string, url ...string) Answer {
	t.Helper()
	answer, err := f.Invoke(t.Context(), order(what, url...))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// succeed invokes f and returns the fields of its answer.
func succeed(t *testing.T, f *Function, what string) (Answer, map[string]any) {
	t.Helper()
	answer := do(t, f, what)
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
func pid(t *testing.T, f *Function) int {
	t.Helper()
	_, seen := succeed(t, f, "echo")
	return int(seen["pid"].(float64))
}

// invoked is the end of an invocation in the background.
type invoked struct {
	answer Answer
	err    error
}

// background invokes f in another goroutine.
func background(ctx context.Context, f *Function, event []byte) <-chan invoked {
	ended := make(chan invoked, 1)
	go func() {
		answer, err := f.Invoke(ctx, event)
		ended <- invoked{answer, err}
	}()
	return ended
}

// lineLog is a log that a test waits for.
type lineLog chan string

func newLineLog() lineLog { return make(lineLog, 1000) }

func (l lineLog) Write(data []byte) (int, error) {
	for line := range strings.Lines(string(data)) {
		l <- strings.TrimSuffix(line, "\n")
	}
	return len(data), nil
}

// wait returns when the line was written.
func (l lineLog) wait(line string) {
	for line != <-l {
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
