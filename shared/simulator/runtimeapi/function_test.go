package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(c *Config)
		want   string
	}{
		"Platform":     {func(c *Config) { c.Platform = "azure" }, `unknown platform "azure": use "fc" or "lambda"`},
		"NoBinary":     {func(c *Config) { c.Binary = "" }, "failed to find the function, build it first"},
		"BinaryFolder": {func(c *Config) { c.Binary = filepath.Dir(c.Binary) }, "is a folder: name the executable in it"},
		"Environment": {
			func(c *Config) { c.Env = []string{"A=" + strings.Repeat("s", 4096)} },
			"the environment has 4098 bytes and the platform takes 4096: move some of it into a file",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Config{Platform: Lambda, Binary: echo}
			test.change(&c)
			if _, err := Start(c); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestProcessCannotBeStarted(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: FC, Dir: "/nowhere/at/all"})
	if _, err := f.Invoke(t.Context(), order("echo")); err == nil || !strings.HasPrefix(err.Error(),
		"failed to start process: ") {
		t.Errorf("Invoke: %v", err)
	}
	if _, err := f.Warm(t.Context()); err == nil {
		t.Error("Warm: no error")
	}
}

func TestInstanceIsReused(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		first, ids := pid(t, f), map[string]bool{}
		for range 10 {
			answer, seen := succeed(t, f, "echo")
			if ids[answer.RequestID] = true; int(seen["pid"].(float64)) != first {
				t.Error("another process answered")
			}
		}
		if len(ids) != 10 {
			t.Errorf("10 invocations have %d request IDs", len(ids))
		}
	})
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	for p, form := range map[Platform]string{
		FC:     `^1-695735a5-[0-9a-f]{8}-[0-9a-f]{12}$`,
		Lambda: `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
	} {
		id := protocols[p].requestID(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if !regexp.MustCompile(form).MatchString(id) {
			t.Errorf("request ID %s: want %s", id, form)
		}
	}
}

func TestFunctionGetsContext(t *testing.T) {
	t.Parallel()
	more := map[Platform]string{
		FC:     "cn-shanghai 123456789012 echo 3 0",
		Lambda: "arn:aws:lambda:cn-shanghai:123456789012:function:nightly",
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
		f := start(t, Config{
			Platform: p, Name: "nightly", Region: "cn-shanghai", Timeout: 2500 * time.Millisecond,
			Credentials: func() Credentials { return Credentials{"id", "secret", "token"} },
			Now:         func() time.Time { return now },
		})
		answer, seen := succeed(t, f, "context")
		want := map[string]any{
			"requestId": answer.RequestID, "name": "nightly", "memory": "128", "key": "id/secret/token", "more": more[p],
			"deadline": float64(now.Add(2500 * time.Millisecond).UnixMilli()),
		}
		for name, value := range want {
			if seen[name] != value {
				t.Errorf("%s = %v, want %v", name, seen[name], value)
			}
		}
	})
}

// Credentials of a role are replaced while an instance lives.
func TestCredentialsAreAskedForEachTime(t *testing.T) {
	t.Parallel()
	calls := 0
	f := start(t, Config{Platform: FC, Credentials: func() Credentials {
		calls++
		return Credentials{AccessKeyID: strconv.Itoa(calls)}
	}})
	for _, want := range []string{"1//", "2//"} {
		if _, seen := succeed(t, f, "context"); seen["key"] != want {
			t.Errorf("key = %v, want %s", seen["key"], want)
		}
	}
}

func TestCredentialsEnvironment(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Credentials{
		"": {},
		"ALIBABA_CLOUD_ACCESS_KEY_ID=a ALIBABA_CLOUD_ACCESS_KEY_SECRET=b":                                {"a", "b", ""},
		"ALIBABA_CLOUD_ACCESS_KEY_ID=a ALIBABA_CLOUD_ACCESS_KEY_SECRET=b ALIBABA_CLOUD_SECURITY_TOKEN=c": {"a", "b", "c"},
	} {
		if got := strings.Join(c.Environment(), " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestEnvironmentIsThePlatformsAlone(t *testing.T) {
	t.Parallel()
	want := map[Platform]string{
		FC: "FC_ACCOUNT_ID FC_FUNCTION_HANDLER FC_FUNCTION_MEMORY_SIZE FC_FUNCTION_NAME FC_FUNC_CODE_PATH FC_INSTANCE_ID " +
			"FC_QUALIFIER FC_REGION FC_RUNTIME_API HOME LANG MINE PATH TZ",
		Lambda: "AWS_DEFAULT_REGION AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION " +
			"AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API " +
			"AWS_REGION HOME LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT LANG MINE PATH TZ _HANDLER _X_AMZN_TRACE_ID",
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p, Env: []string{"MINE=1", "TZ=Asia/Shanghai"}})
		var pairs, keys []string
		if err := json.Unmarshal(do(t, f, "environment").Payload, &pairs); err != nil {
			t.Fatal(err)
		}
		for _, pair := range pairs {
			key, _, _ := strings.Cut(pair, "=")
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if got := strings.Join(keys, " "); got != want[p] {
			t.Errorf("keys\n got %s\nwant %s", got, want[p])
		}
		if !slices.Contains(pairs, "TZ=Asia/Shanghai") {
			t.Error("the function's own TZ is not set")
		}
	})
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	same := func(text string) map[Platform]string { return map[Platform]string{FC: text, Lambda: text} }
	exited := map[Platform]string{FC: "ProcessExitedError", Lambda: "Runtime.ExitError"}
	tests := map[string]struct { // by the order
		kind, message     map[Platform]string
		survives          []Platform // where the same process answers the next invocation
		crashed, timedOut bool
	}{
		"fail":  {kind: same("Custom.Code"), message: same(`{"results":[]}`), survives: []Platform{FC, Lambda}},
		"panic": {kind: same("string"), message: same("at the handler"), survives: []Platform{FC}},
		"crash": {
			kind: exited, crashed: true, message: map[Platform]string{
				FC:     "process exited unexpectedly before completing request (exit status 2)",
				Lambda: "RequestId: ID Error: Runtime exited with error: exit status 2",
			},
		},
		"hang": {
			kind: map[Platform]string{FC: "FunctionTimeoutError", Lambda: "Sandbox.Timedout"}, timedOut: true,
			message: map[Platform]string{
				FC:     "function timed out after 1s",
				Lambda: "RequestId: ID Error: Task timed out after 1.00 seconds",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothPlatforms(t, func(t *testing.T, p Platform) {
				c := Config{Platform: p}
				if test.timedOut {
					c.Timeout = time.Second
				}
				f := start(t, c)
				before := pid(t, f)
				a := do(t, f, name)
				message := strings.Replace(test.message[p], "RequestId: ID ", "RequestId: "+a.RequestID+" ", 1)
				if a.FunctionError != test.kind[p] || a.ErrorMessage != message {
					t.Errorf("error %s: %s, want %s: %s", a.FunctionError, a.ErrorMessage, test.kind[p], message)
				}
				if a.Crashed != test.crashed || a.TimedOut != test.timedOut {
					t.Errorf("answer %+v", a)
				}
				var payload struct{ ErrorType, ErrorMessage string }
				if err := json.Unmarshal(a.Payload, &payload); err != nil || payload.ErrorType != a.FunctionError ||
					payload.ErrorMessage != a.ErrorMessage {
					t.Errorf("payload %s does not hold the error: %v", a.Payload, err)
				}
				if err := a.Err(); err == nil || err.Error() != "invocation "+a.RequestID+": "+a.FunctionError+": "+a.ErrorMessage {
					t.Errorf("Err() = %v", err)
				}
				if survived := pid(t, f) == before; survived != slices.Contains(test.survives, p) {
					t.Errorf("the same process answered the next invocation: %t", survived)
				}
			})
		})
	}
}

// Whatever a function posts as an error, it never passes for a success.
func TestReadError(t *testing.T) {
	t.Parallel()
	const noObject = "the function posted an error that is not a JSON object"
	for body, want := range map[string][2]string{
		`{"errorType":"A.B","errorMessage":"m","stackTrace":[]}`: {"A.B", "m"},
		`{"errorMessage":"m"}`: {"Unhandled", "m"},
		``:                     {"Unhandled", noObject},
		`["A"]`:                {"Unhandled", noObject},
		`{"errorType":1}`:      {"Unhandled", noObject},
	} {
		if a := readError([]byte(body)); a.FunctionError != want[0] || a.ErrorMessage != want[1] ||
			string(a.Payload) != body {
			t.Errorf("%q: %+v", body, a)
		}
	}
}

func TestStartOfProcessFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind     map[Platform]string
		timedOut bool
	}{
		"exit": {kind: map[Platform]string{FC: "ProcessExitedError", Lambda: "Runtime.ExitError"}},
		"hang": {kind: map[Platform]string{FC: "FunctionTimeoutError", Lambda: "Sandbox.Timedout"}, timedOut: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothPlatforms(t, func(t *testing.T, p Platform) {
				c := Config{Platform: p, Env: []string{"AT_START=" + name}}
				if test.timedOut {
					c.InitTimeout = 100 * time.Millisecond
				}
				f := start(t, c)
				if a := do(t, f, "echo"); a.FunctionError != test.kind[p] || a.TimedOut != test.timedOut ||
					a.Crashed == test.timedOut {
					t.Errorf("answer %+v", a)
				}
				if _, err := f.Warm(t.Context()); err == nil || !strings.Contains(err.Error(), test.kind[p]) {
					t.Errorf("Warm: %v", err)
				}
			})
		})
	}
}

func TestAnswerToUnknownInvocation(t *testing.T) {
	t.Parallel()
	want := map[Platform]string{FC: "404", Lambda: "400"}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		for _, path := range []string{"/invocation/another/response", "/invocation/another/error"} {
			if a := do(t, f, "post", path); a.Err() != nil || string(a.Payload) != want[p] {
				t.Errorf("POST %s: %s %v, want %s", path, a.Payload, a.Err(), want[p])
			}
		}
	})
}

func TestInvokeAsync(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		statuses []int // of each attempt
		attempts map[Platform]int
		kind     string // of the last error
	}{
		"OK":    {statuses: []int{200}, attempts: map[Platform]int{FC: 1, Lambda: 1}},
		"Third": {statuses: []int{500, 500, 200}, attempts: map[Platform]int{FC: 3, Lambda: 3}},
		"GivenUp": {statuses: []int{500, 500, 500, 500}, attempts: map[Platform]int{FC: 4, Lambda: 3},
			kind: "Answered.Not200"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothPlatforms(t, func(t *testing.T, p Platform) {
				f, g := start(t, Config{Platform: p}), newGate(t)
				for _, status := range test.statuses {
					g.open <- status
				}
				d := f.InvokeAsync(t.Context(), order("get", g.URL))
				if d.Attempts != test.attempts[p] || d.Answer.FunctionError != test.kind || (d.Err != nil) != (test.kind != "") {
					t.Errorf("delivery %+v", d)
				}
				if n := len(g.arrived); n != test.attempts[p] {
					t.Errorf("the function got the event %d times, want %d", n, test.attempts[p])
				}
			})
		})
	}
}

func TestRetryIsCounted(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: FC})
	inv := f.newInvocation(order("context"))
	inv.retry = 2
	a, err := f.invoke(t.Context(), inv)
	if err != nil || !strings.Contains(string(a.Payload), ` 2"`) {
		t.Errorf("context %s, %v; want a retry count of 2", a.Payload, err)
	}
}

// Two processes serve six invocations, each two at once.
func TestMaxInstances(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, g := start(t, Config{Platform: p, MaxInstances: 2}), newGate(t)
		var ends []<-chan invoked
		for range 6 {
			ends = append(ends, background(t.Context(), f, order("get", g.URL)))
		}
		for range 3 {
			<-g.arrived
			<-g.arrived // only two processes at once get both of them here
			if n := len(g.arrived); n != 0 {
				t.Errorf("%d invocations more than instances are running", n)
			}
			g.open <- 200
			g.open <- 200
		}
		pids := map[string]bool{}
		for _, end := range ends {
			e := <-end
			if e.err != nil || e.answer.Err() != nil {
				t.Errorf("answer %+v, %v", e.answer, e.err)
			}
			pids[string(e.answer.Payload)] = true
		}
		if len(pids) != 2 {
			t.Errorf("%d processes answered, want 2", len(pids))
		}
	})
}

func TestWarm(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		took, err := f.Warm(t.Context())
		if err != nil || took <= 0 || len(f.running()) != 1 {
			t.Fatalf("Warm: %v, %v with %d instances", took, err, len(f.running()))
		}
		if warm := f.running()[0].cmd.Process.Pid; pid(t, f) != warm {
			t.Error("another process than the one of Warm answered")
		}
	})
}

func TestKillInFlight(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newLineLog()
		f := start(t, Config{Platform: p, Log: log})
		before := pid(t, f)
		end := background(t.Context(), f, order("hang"))
		log.wait("hanging")
		f.Kill()
		e := <-end
		if e.err != nil || !e.answer.Crashed || e.answer.TimedOut || !strings.Contains(e.answer.ErrorMessage,
			"signal: killed") {
			t.Errorf("answer %+v, %v", e.answer, e.err)
		}
		if pid(t, f) == before {
			t.Error("the killed process answered")
		}
	})
}

// An event goes to a new process if the idle one is gone before it got the event, noticed or not.
func TestIdleInstanceEnds(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		first := pid(t, f)
		f.Kill()
		second := pid(t, f)
		in := f.takeIdle()
		in.kill()
		f.mu.Lock()
		f.instances, in.idle = append(f.instances, in), true
		f.mu.Unlock()
		third := pid(t, f)
		f.forget(in)
		if first == second || second == third {
			t.Errorf("the processes are %d, %d, %d", first, second, third)
		}
	})
}

// A process that answers and then never polls is killed at the end of the time; its answer counts. So does the answer
// of a process that ends with it.
func TestProcessAnswersOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"answer once", "answer and exit"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			bothPlatforms(t, func(t *testing.T, p Platform) {
				f := start(t, Config{Platform: p, Env: []string{"AT_START=" + mode}, Timeout: 500 * time.Millisecond})
				for range 2 {
					if a := do(t, f, "echo"); a.TimedOut || a.Crashed || string(a.Payload) != `"once"` {
						t.Errorf("answer %+v", a)
					}
					if n := len(f.running()); n != 0 {
						t.Errorf("%d instances are left", n)
					}
				}
			})
		})
	}
}

// While every instance is at work, an invocation waits until its caller gives up. One in flight goes on without its
// caller.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, g := start(t, Config{Platform: p, MaxInstances: 1}), newGate(t)
		before := pid(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		end := background(ctx, f, order("get", g.URL))
		<-g.arrived
		short, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if _, err := f.Invoke(short, order("echo")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a waiting caller gives up: %v", err)
		}
		cancel()
		if e := <-end; !errors.Is(e.err, context.Canceled) || e.answer.RequestID == "" {
			t.Errorf("a caller in flight gives up: %+v, %v", e.answer, e.err)
		}
		if _, err := f.Invoke(ctx, order("echo")); !errors.Is(err, context.Canceled) {
			t.Errorf("Invoke with a context that has ended: %v", err)
		}
		g.open <- 200
		if pid(t, f) != before {
			t.Error("the invocation without a caller did not end as any other")
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newLineLog()
		f := start(t, Config{Platform: p, MaxInstances: 1, Log: log})
		end := background(t.Context(), f, order("hang"))
		log.wait("hanging")
		waiting := background(t.Context(), f, order("echo"))
		var closes sync.WaitGroup
		closes.Go(f.Close)
		closes.Go(f.Close)
		closes.Wait()

		if e := <-end; e.err != nil || !e.answer.Crashed || !strings.Contains(e.answer.ErrorMessage, "signal: terminated") {
			t.Errorf("in flight: %+v, %v", e.answer, e.err)
		}
		if e := <-waiting; !errors.Is(e.err, errClosed) {
			t.Errorf("waiting: %+v, %v", e.answer, e.err)
		}
		if _, err := f.Warm(t.Context()); !errors.Is(err, errClosed) {
			t.Errorf("Warm after Close: %v", err)
		}
		if d := f.InvokeAsync(t.Context(), order("echo")); !errors.Is(d.Err, errClosed) || d.Attempts != 1 {
			t.Errorf("InvokeAsync after Close: %+v", d)
		}
	})
}

// No process is started after Close, even for an invocation that did not have to wait.
func TestNoProcessAfterClose(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: FC})
	f.Close()
	if _, err := f.serve(f.newInvocation(nil)); !errors.Is(err, errClosed) {
		t.Errorf("error %v", err)
	}
}

// A process that ignores SIGTERM is killed; one that finishes its work has its answer taken.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newLineLog()
		f := start(t, Config{Platform: p, Env: []string{"AT_START=ignore SIGTERM"}, Grace: time.Millisecond, Log: log})
		end := background(t.Context(), f, order("hang"))
		log.wait("hanging")
		f.Close()
		if e := <-end; e.err != nil || !e.answer.Crashed || !strings.Contains(e.answer.ErrorMessage, "signal: killed") {
			t.Errorf("in flight: %+v, %v", e.answer, e.err)
		}

		f = start(t, Config{Platform: p, Grace: time.Minute, Log: log})
		end = background(t.Context(), f, order("until SIGTERM"))
		log.wait("hanging")
		closed := make(chan struct{})
		go func() { f.Close(); close(closed) }()
		if e := <-end; e.err != nil || e.answer.Err() != nil {
			t.Errorf("in flight: %+v, %v", e.answer, e.err)
		}
		f.Kill() // the process lives on, and the grace period is long
		<-closed
	})
}

// The SDK of Lambda registers over the extensions API; it warns in its log if that fails.
func TestLambdaExtension(t *testing.T) {
	t.Parallel()
	log := newLineLog()
	f := start(t, Config{Platform: Lambda, Env: []string{"AT_START=ask for SIGTERM"}, Grace: time.Minute, Log: log})
	do(t, f, "echo")
	go f.Close()
	if line := <-log; line != "SIGTERM" {
		t.Errorf("log: %s", line)
	}
	f.Kill()
	f.Close()
}

func TestMemory(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: FC})
	if held, err := f.Memory(); err != nil || len(held) != 0 {
		t.Errorf("memory without a process: %v, %v", held, err)
	}
	process := pid(t, f)
	if held, err := f.Memory(); err != nil || len(held) != 1 || held[process] < 1<<20 {
		t.Errorf("memory %v, %v", held, err)
	}
	in := f.takeIdle()
	in.kill()
	f.mu.Lock()
	f.instances = append(f.instances, in) // as if its end were not noticed
	f.mu.Unlock()
	if held, err := f.Memory(); err == nil {
		t.Errorf("memory of a process that has ended: %v", held)
	}
	f.forget(in)
}

// However a process's output is cut, its lines arrive whole, once and in order, the last one, too.
func TestLinesArriveWhole(t *testing.T) {
	t.Parallel()
	const text = "first\nsecond\n\nlast"
	for size := 1; size <= len(text); size++ {
		var got []string
		l := &lineWriter{mu: new(sync.Mutex), to: writerFunc(func(p []byte) (int, error) {
			got = append(got, slices.Collect(strings.Lines(string(p)))...)
			return 0, errors.New("the log cannot be written")
		})}
		for part := range slices.Chunk([]byte(text), size) {
			if n, err := l.Write(part); n != len(part) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		l.flush()
		if want := []string{"first\n", "second\n", "\n", "last\n"}; !slices.Equal(got, want) {
			t.Errorf("size %d: %q", size, got)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
