package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestInvokeReusesInstance(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		if n := len(f.instances()); n != 0 {
			t.Fatalf("%d instances before the first invocation", n)
		}
		first, seen := succeed(t, f, "echo")
		if !first.ColdStart || first.InitDuration <= 0 || first.Duration <= 0 {
			t.Errorf("first answer is no measured cold start: %+v", first)
		}
		ids := map[string]bool{first.RequestID: true}
		for range 20 {
			next, again := succeed(t, f, "echo")
			if next.ColdStart || next.InitDuration != 0 || again["pid"] != seen["pid"] {
				t.Errorf("later answer is a cold start: %+v", next)
			}
			ids[next.RequestID] = true
		}
		if len(ids) != 21 {
			t.Errorf("21 invocations have %d request IDs", len(ids))
		}
	})
}

func TestInvokeTellsContext(t *testing.T) {
	t.Parallel()
	tests := map[Platform]string{
		FC:     "cn-shanghai 42 echo 3 0",
		Lambda: "arn:aws:lambda:cn-shanghai:42:function:nightly",
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
		f := start(t, Config{
			Platform: p, Name: "nightly", Region: "cn-shanghai", AccountID: "42", MemoryMB: 256, Timeout: 2500 * time.Millisecond,
			Credentials: func() Credentials { return Credentials{"id", "secret", "token"} },
			Now:         func() time.Time { return now },
		})
		answer, seen := succeed(t, f, "context")
		want := map[string]any{
			"requestId": answer.RequestID, "name": "nightly", "memory": "256", "key": "id/secret/token", "more": tests[p],
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
func TestInvokeAsksForCredentialsEachTime(t *testing.T) {
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

func TestEnvironmentIsThePlatformsAlone(t *testing.T) {
	t.Parallel()
	tests := map[Platform]string{
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
		if got := strings.Join(keys, " "); got != tests[p] {
			t.Errorf("keys\n got %s\nwant %s", got, tests[p])
		}
		if !slices.Contains(pairs, "TZ=Asia/Shanghai") {
			t.Error("the function's own TZ is not set")
		}
	})
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		order             string
		kind, message     map[Platform]string
		survives          map[Platform]bool // whether the same process answers the next invocation
		crashed, timedOut bool
	}{
		"ByValue": {
			kind:     map[Platform]string{FC: "Custom.Code", Lambda: "Custom.Code"},
			message:  map[Platform]string{FC: `{"results":[]}`, Lambda: `{"results":[]}`},
			order:    "fail",
			survives: map[Platform]bool{FC: true, Lambda: true},
		},
		"Panic": {
			kind:     map[Platform]string{FC: "string", Lambda: "string"},
			message:  map[Platform]string{FC: "at the handler", Lambda: "at the handler"},
			order:    "panic",
			survives: map[Platform]bool{FC: true, Lambda: false},
		},
		"Crash": {
			kind: map[Platform]string{FC: "ProcessExitedError", Lambda: "Runtime.ExitError"},
			message: map[Platform]string{
				FC:     "process exited unexpectedly before completing request (exit status 2)",
				Lambda: "RequestId: ID Error: Runtime exited with error: exit status 2",
			},
			order:   "crash",
			crashed: true,
		},
		"Exit": {
			kind: map[Platform]string{FC: "ProcessExitedError", Lambda: "Runtime.ExitError"},
			message: map[Platform]string{
				FC:     "process exited unexpectedly before completing request (exit status 3)",
				Lambda: "RequestId: ID Error: Runtime exited with error: exit status 3",
			},
			order:   "exit",
			crashed: true,
		},
		"Hang": {
			kind: map[Platform]string{FC: "FunctionTimeoutError", Lambda: "Sandbox.Timedout"},
			message: map[Platform]string{
				FC:     "function timed out after 1s",
				Lambda: "RequestId: ID Error: Task timed out after 1.00 seconds",
			},
			order:    "hang",
			timedOut: true,
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
				a := do(t, f, test.order)
				message := strings.Replace(test.message[p], "RequestId: ID ", "RequestId: "+a.RequestID+" ", 1)
				if a.FunctionError != test.kind[p] || a.ErrorMessage != message {
					t.Errorf("error %s: %s, want %s: %s", a.FunctionError, a.ErrorMessage, test.kind[p], message)
				}
				if a.Crashed != test.crashed || a.TimedOut != test.timedOut || a.ColdStart {
					t.Errorf("answer %+v", a)
				}
				var payload struct{ ErrorType, ErrorMessage string }
				if err := json.Unmarshal(a.Payload, &payload); err != nil || payload.ErrorType != a.FunctionError ||
					payload.ErrorMessage != a.ErrorMessage {
					t.Errorf("payload %s does not tell the error: %v", a.Payload, err)
				}
				failed := &InvocationError{}
				if err := a.Err(); !errors.As(err, &failed) || failed.Type != a.FunctionError ||
					err.Error() != "invocation "+a.RequestID+": "+a.FunctionError+": "+a.ErrorMessage {
					t.Errorf("Err() = %v", err)
				}
				if same := pid(t, f) == before; same != test.survives[p] {
					t.Errorf("the same process answered the next invocation: %t, want %t", same, test.survives[p])
				}
				if n := len(f.instances()); n != 1 {
					t.Errorf("%d instances are running, want 1", n)
				}
			})
		})
	}
}

func TestStartOfProcessFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind     map[Platform]string
		timedOut bool
	}{
		"exit":   {kind: map[Platform]string{FC: "ProcessExitedError", Lambda: "Runtime.ExitError"}},
		"report": {kind: map[Platform]string{FC: "ProcessExitedError", Lambda: "Init.Broken"}},
		"hang":   {kind: map[Platform]string{FC: "FunctionTimeoutError", Lambda: "Sandbox.Timedout"}, timedOut: true},
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
				for range 2 {
					a := do(t, f, "echo")
					if a.FunctionError != test.kind[p] || a.TimedOut != test.timedOut || a.Crashed == test.timedOut || !a.ColdStart {
						t.Errorf("answer %+v", a)
					}
				}
				failed := &InvocationError{}
				if _, err := f.Warm(context.Background()); !errors.As(err, &failed) || failed.Type != test.kind[p] {
					t.Errorf("Warm: %v", err)
				}
			})
		})
	}
}

func TestProcessCannotBeStarted(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: FC, Dir: "/nowhere/at/all"})
	a, err := f.Invoke(context.Background(), order("echo"))
	if err == nil || !strings.HasPrefix(err.Error(), "failed to start process: ") || a.Payload != nil {
		t.Errorf("Invoke: %+v, %v", a, err)
	}
}

func TestAnswerToUnknownInvocation(t *testing.T) {
	t.Parallel()
	tests := map[Platform]string{FC: "404", Lambda: "400"}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		for _, path := range []string{"/invocation/another/response", "/invocation/another/error"} {
			a := do(t, f, "post", "path", path)
			if a.Err() != nil || string(a.Payload) != tests[p] {
				t.Errorf("POST %s: %s %v, want %s", path, a.Payload, a.Err(), tests[p])
			}
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	tests := map[Platform]struct{ event, async, answer int }{
		FC:     {event: 32 << 20, async: 128 << 10, answer: 32 << 20},
		Lambda: {event: 6 << 20, async: 1 << 20, answer: 6<<20 + 100},
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, limit := start(t, Config{Platform: p, Retries: noRetries}), tests[p]
		sized := func(size int) []byte {
			event := order("echo", "pad", "")
			return slices.Concat(event[:len(event)-2], []byte(strings.Repeat("a", size-len(event))), event[len(event)-2:])
		}

		_, err := f.Invoke(context.Background(), sized(limit.event+1))
		if !errors.Is(err, errTooLarge) || len(f.instances()) != 0 {
			t.Errorf("event over the limit: %v with %d instances", err, len(f.instances()))
		}
		a, err := f.Invoke(context.Background(), sized(limit.event))
		if err != nil || a.Err() != nil || !strings.Contains(string(a.Payload), fmt.Sprintf(`"size":%d`, limit.event)) {
			t.Errorf("event at the limit: %s %v %v", a.Payload, a.Err(), err)
		}

		if d := f.InvokeAsync(context.Background(), sized(limit.async+1)); !errors.Is(d.Err, errTooLarge) {
			t.Errorf("asynchronous event over the limit: %v", d.Err)
		}
		if d := f.InvokeAsync(context.Background(), sized(limit.async)); d.Err != nil {
			t.Errorf("asynchronous event at the limit: %v", d.Err)
		}

		if a := do(t, f, "size", "size", limit.answer); a.Err() != nil || len(a.Payload) != limit.answer {
			t.Errorf("answer at the limit: %d bytes, %v", len(a.Payload), a.Err())
		}
		if a := do(t, f, "size", "size", limit.answer+1); a.FunctionError != "Function.ResponseSizeTooLarge" {
			t.Errorf("answer over the limit: %d bytes, %v", len(a.Payload), a.Err())
		}
		pid(t, f) // the function still answers
	})
}

func TestInvokeAsync(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		retries  int
		statuses []int // of each attempt
		attempts map[Platform]int
		kind     string // of the last error
	}{
		"OK":        {statuses: []int{200}, attempts: map[Platform]int{FC: 1, Lambda: 1}},
		"Third":     {statuses: []int{500, 500, 200}, attempts: map[Platform]int{FC: 3, Lambda: 3}},
		"GivenUp":   {statuses: []int{500, 500, 500, 500}, attempts: map[Platform]int{FC: 4, Lambda: 3}, kind: "Told.To"},
		"NoRetries": {retries: noRetries, statuses: []int{500}, attempts: map[Platform]int{FC: 1, Lambda: 1}, kind: "Told.To"},
		"One":       {retries: 1, statuses: []int{500, 500}, attempts: map[Platform]int{FC: 2, Lambda: 2}, kind: "Told.To"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothPlatforms(t, func(t *testing.T, p Platform) {
				var told []Delivery
				f := start(t, Config{Platform: p, Retries: test.retries, Delivered: func(d Delivery) { told = append(told, d) }})
				g := newGate(t)
				for _, status := range test.statuses {
					g.open <- status
				}
				d := f.InvokeAsync(context.Background(), order("get", "url", g.URL))
				if d.Attempts != test.attempts[p] || d.Answer.FunctionError != test.kind || (d.Err != nil) != (test.kind != "") {
					t.Errorf("delivery %+v", d)
				}
				if n := len(g.arrived); n != test.attempts[p] {
					t.Errorf("the function saw the event %d times, want %d", n, test.attempts[p])
				}
				if len(told) != 1 || told[0].Answer.RequestID != d.Answer.RequestID {
					t.Errorf("Delivered was told %+v", told)
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
	a, err := f.invoke(context.Background(), inv, f.protocol.asyncLimit)
	if err != nil || !strings.Contains(string(a.Payload), ` 2"`) {
		t.Errorf("context %s, %v; want a retry count of 2", a.Payload, err)
	}
}

// Lambda's SDK reports in a trailer that a result which it was sending already cannot be completed.
func TestResultBreaksOff(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: Lambda})
	if a := do(t, f, "break off"); a.FunctionError != "errorString" || strings.Contains(string(a.Payload), "half") {
		t.Errorf("answer %+v with payload %s", a, a.Payload)
	}
}
