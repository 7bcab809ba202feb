package platform_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// probe is the function in testdata/probe, built once as it would be deployed.
var probe = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "probe"),
		"./testdata/probe").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("failed to build probe: %w: %s", err, out)
	}
	return filepath.Join(dir, "probe"), nil
})

var dir string

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "platform"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// deadline of every invocation, epoch milliseconds; far away, so that no test depends on it.
const deadline = 4102444800123

// side is one platform's runtime API.
type side struct {
	variable, base string
	accepted       int // status of an answer that was taken
	headers        func(id, kind string) map[string]string
}

var sides = map[string]side{
	"fc": {"FC_RUNTIME_API", "/2020-11-11/runtime/invocation/", http.StatusOK, func(id, kind string) map[string]string {
		return map[string]string{
			"x-fc-request-id": id, "x-fc-function-deadline": strconv.Itoa(deadline), "x-fc-function-timeout": "60",
			"x-fc-function-type": kind, "x-fc-retry-count": "2", "x-fc-access-key-id": "made-up-id",
			"x-fc-access-key-secret": "made-up-secret",
			"x-fc-security-token":    "made-up-token", "x-fc-function-name": "timer", "x-fc-region": "cn-shanghai",
			"x-fc-account-id": "1",
		}
	}},
	"lambda": {"AWS_LAMBDA_RUNTIME_API", "/2018-06-01/runtime/invocation/", http.StatusAccepted,
		func(id, _ string) map[string]string {
			return map[string]string{
				"Lambda-Runtime-Aws-Request-Id": id, "Lambda-Runtime-Deadline-Ms": strconv.Itoa(deadline),
				"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:timer",
			}
		}},
}

type outcome struct {
	path string // "response" or "error"
	body string
}

// process is a running probe and the runtime API that feeds it one event at a time.
type process struct {
	side   side
	cmd    *exec.Cmd
	events chan [2]string // event, kind
	done   chan outcome
	lines  chan string // of standard output
	log    *bytes.Buffer
	exited chan struct{}

	noExtensions bool
	extension    chan struct{} // the extension is ready
}

func start(t *testing.T, s side) *process { return startWith(t, s, false) }

func startWith(t *testing.T, s side, noExtensions bool) *process {
	t.Helper()
	binary, err := probe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{
		side: s, events: make(chan [2]string, 1), done: make(chan outcome, 1), lines: make(chan string, 1000),
		log:    &bytes.Buffer{},
		exited: make(chan struct{}), noExtensions: noExtensions, extension: make(chan struct{}, 1),
	}
	server := httptest.NewServer(p)
	p.cmd = exec.Command(binary)
	p.cmd.Env = []string{s.variable + "=" + strings.TrimPrefix(server.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=timer",
		"AWS_REGION=eu-central-1"}
	p.cmd.Stderr = p.log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.lines <- lines.Text()
		}
		close(p.lines)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.stop(); server.CloseClientConnections(); server.Close() })
	return p
}

// stop ends the process and returns all that it wrote.
func (p *process) stop() string {
	_ = p.cmd.Process.Kill()
	<-p.exited
	text := p.log.String()
	for line := range p.lines {
		text += line + "\n"
	}
	return text
}

// ServeHTTP is the runtime API, and the part of Lambda's extensions API that asks for SIGTERM.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Path == p.side.base+"next":
		select {
		case event := <-p.events:
			for name, value := range p.side.headers("req-1", event[1]) {
				w.Header().Set(name, value)
			}
			_, _ = io.WriteString(w, event[0])
		case <-r.Context().Done():
		}
	case strings.HasPrefix(r.URL.Path, p.side.base+"req-1/"):
		w.WriteHeader(p.side.accepted)
		p.done <- outcome{strings.TrimPrefix(r.URL.Path, p.side.base+"req-1/"), string(body)}
	case r.Method == http.MethodPost && r.URL.Path == "/2020-01-01/extension/register" &&
		r.Header.Get("Lambda-Extension-Name") != "" && string(body) == `{"events":[]}`:
		if p.noExtensions {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Lambda-Extension-Identifier", "ext-1")
	case r.Method == http.MethodGet && r.URL.Path == "/2020-01-01/extension/event/next" &&
		r.Header.Get("Lambda-Extension-Identifier") == "ext-1":
		p.extension <- struct{}{}
		<-r.Context().Done()
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// invoke sends one event and returns what the function answers.
func (p *process) invoke(t *testing.T, event, kind string) outcome {
	t.Helper()
	p.events <- [2]string{event, kind}
	select {
	case got := <-p.done:
		return got
	case <-p.exited:
		t.Fatalf("the function ended: %s", p.log.String())
	}
	return outcome{}
}

func TestPlatformsAreAlike(t *testing.T) {
	t.Parallel()
	const failed = `{"errorMessage":"the function failed unexpectedly: its log has the cause under the request ID",` +
		`"errorType":"Internal"}`
	cases := map[string]outcome{
		`{"a":[1]}`: {"response", `{"a":[1]}`},
		`"text"`:    {"response", `"text"`},
		"failure":   {"error", `{"errorMessage":"{\"results\":[]}","errorType":"SlotsFull"}`},
		"pointer":   {"error", `{"errorMessage":"m","errorType":"SlotsFull"}`},
		"wrapped":   {"error", `{"errorMessage":"m","errorType":"SlotsFull"}`},
		"nameless":  {"error", `{"errorMessage":"m","errorType":"Internal"}`},
		"error":     {"error", failed},
		"panic":     {"error", failed},
		"not JSON": {"error", strings.Replace(failed, "function failed unexpectedly", "function's answer is not JSON",
			1)},
		"nothing": {"error", strings.Replace(failed, "function failed unexpectedly", "function's answer is not JSON",
			1)},
	}
	for platform, s := range sides {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			p := start(t, s) // one process for all cases: it survives each of them
			for event, want := range cases {
				got := p.invoke(t, event, "0")
				if got != want {
					t.Errorf("%s: got %v, want %v", event, got, want)
				}
				requireClean(t, got.body)
			}
			if log := p.stop(); !strings.Contains(log, "the handler panicked") || !strings.Contains(log, "req-1") {
				t.Errorf("the log has no panic under its request ID: %s", log)
			}
		})
	}
}

func TestInvocation(t *testing.T) {
	t.Parallel()
	for platform, want := range map[string]string{
		"fc": `{"deadline":4102444800123,"invocation":{"Platform":"fc","RequestID":"req-1","Region":"cn-shanghai",` +
			`"FunctionName":"timer",` +
			`"Credentials":"[credentials]","RetryCount":2},"key":"made-up-id,made-up-secret,made-up-token"}`,
		"lambda": `{"deadline":4102444800123,"invocation":{"Platform":"lambda","RequestID":"req-1","Region":"",` +
			`"FunctionName":"timer",` +
			`"Credentials":"[credentials]","RetryCount":0},"key":",,"}`,
	} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			p := start(t, sides[platform])
			if got := p.invoke(t, "invocation", "0"); got != (outcome{"response", want}) {
				t.Errorf("got %v, want %v", got, want)
			}
			requireClean(t, p.stop())
		})
	}
}

// The initializer and preStop hooks of Function Compute must not reach the handler, nor fail.
func TestHooksOfFunctionCompute(t *testing.T) {
	t.Parallel()
	p := start(t, sides["fc"])
	for _, kind := range []string{"1", "2", "3"} {
		if got := p.invoke(t, "panic", kind); got != (outcome{"response", ""}) {
			t.Errorf("type %s: got %v", kind, got)
		}
	}
	if got := p.invoke(t, `{}`, "0"); got != (outcome{"response", `{}`}) {
		t.Errorf("after the hooks: got %v", got)
	}
}

// SIGTERM ends the context of the running invocation, whose answer still arrives, and then the process.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	for platform, s := range sides {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			p := start(t, s)
			if platform == "lambda" {
				<-p.extension
			}
			p.events <- [2]string{"wait", "0"}
			for line := range p.lines {
				if line == "waiting" {
					break
				}
			}
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			want := outcome{"error", `{"errorMessage":"context canceled","errorType":"Deferred"}`}
			if got := <-p.done; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			if <-p.exited; p.cmd.ProcessState.ExitCode() != 0 {
				t.Errorf("the process ended with %s", p.cmd.ProcessState)
			}
		})
	}
}

// An idle process ends at once.
func TestSIGTERMOfAnIdleProcess(t *testing.T) {
	t.Parallel()
	for platform, s := range sides {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			p := start(t, s)
			if got := p.invoke(t, `{}`, "0"); got != (outcome{"response", `{}`}) {
				t.Fatalf("got %v", got)
			}
			if platform == "lambda" {
				<-p.extension
			}
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if <-p.exited; p.cmd.ProcessState.ExitCode() != 0 {
				t.Errorf("the process ended with %s", p.cmd.ProcessState)
			}
		})
	}
}

// Without the extensions API everything works but the announcement. SIGTERM ends the process once the answer of that
// API was read.
func TestLambdaWithoutExtensions(t *testing.T) {
	t.Parallel()
	p := startWith(t, sides["lambda"], true)
	if got := p.invoke(t, `{}`, ""); got != (outcome{"response", `{}`}) {
		t.Errorf("got %v", got)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if <-p.exited; !strings.Contains(p.log.String(), "HTTP 403") {
		t.Errorf("the log does not say why: %s", p.log)
	}
}

// The deadline of the platform ends the context of the handler.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for platform, s := range sides {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			headers := s.headers
			s.headers = func(id, kind string) map[string]string {
				all := headers(id, kind)
				for name := range all {
					if strings.HasSuffix(strings.ToLower(name), "deadline") ||
						strings.HasSuffix(strings.ToLower(name), "deadline-ms") {
						all[name] = strconv.FormatInt(time.Now().Add(50*time.Millisecond).UnixMilli(), 10)
					}
				}
				return all
			}
			p := start(t, s)
			want := outcome{"error", `{"errorMessage":"context deadline exceeded","errorType":"Deferred"}`}
			if got := p.invoke(t, "wait", "0"); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestStartWithoutPlatform(t *testing.T) {
	t.Parallel()
	binary, err := probe()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env   []string
		names string
	}{
		"neither": {nil, "no platform"},
		"both":    {[]string{"FC_RUNTIME_API=127.0.0.1:1", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1"}, "two platforms"},
		"empty":   {[]string{"FC_RUNTIME_API=", "AWS_LAMBDA_RUNTIME_API="}, "no platform"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(binary)
			cmd.Env = append([]string{"PATH="}, c.env...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.Output()
			text := stderr.String()
			if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
				t.Errorf("got %v, want exit 1", err)
			}
			if len(stdout) != 0 || strings.Count(text, "\n") != 1 || !strings.Contains(text, c.names) ||
				!strings.Contains(text, "FC_RUNTIME_API") || !strings.Contains(text, "AWS_LAMBDA_RUNTIME_API") {
				t.Errorf("got %q and %q, want one line on standard error", stdout, text)
			}
		})
	}
}

// The JSON of a failure must survive as it is: users and programs parse errorMessage.
func TestErrorMessageHoldsJSON(t *testing.T) {
	t.Parallel()
	for platform, s := range sides {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			var failure struct{ ErrorMessage string }
			if err := json.Unmarshal([]byte(start(t, s).invoke(t, "failure", "0").body), &failure); err != nil {
				t.Fatal(err)
			}
			if !json.Valid([]byte(failure.ErrorMessage)) {
				t.Errorf("got %q", failure.ErrorMessage)
			}
		})
	}
}
