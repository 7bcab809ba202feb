package runtimeapi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

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

func TestInstancesRunAtOnce(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, g := start(t, Config{Platform: p, MaxInstances: 10}), newGate(t)
		var ends []<-chan invoked
		for range 10 {
			ends = append(ends, background(context.Background(), f, order("get", "url", g.URL)))
		}
		for range 10 {
			<-g.arrived // only ten processes at once get all of them here
		}
		for range 10 {
			g.open <- 200
		}
		pids := map[string]bool{}
		for _, end := range ends {
			e := <-end
			if e.err != nil || e.answer.Err() != nil || !e.answer.ColdStart {
				t.Errorf("answer %+v, %v", e.answer, e.err)
			}
			pids[string(e.answer.Payload)] = true
		}
		if len(pids) != 10 {
			t.Errorf("%d processes answered, want 10", len(pids))
		}
		if a := do(t, f, "echo"); a.ColdStart {
			t.Error("an invocation got a new process while ten were idle")
		}
	})
}

func TestMaxInstances(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, g := start(t, Config{Platform: p, MaxInstances: 2}), newGate(t)
		var ends []<-chan invoked
		for range 8 {
			ends = append(ends, background(context.Background(), f, order("get", "url", g.URL)))
		}
		cold := 0
		for range 4 {
			<-g.arrived
			<-g.arrived
			if n := len(g.arrived); n != 0 {
				t.Errorf("%d invocations more than instances are running", n)
			}
			g.open <- 200
			g.open <- 200
		}
		for _, end := range ends {
			e := <-end
			if e.err != nil || e.answer.Err() != nil {
				t.Errorf("answer %+v, %v", e.answer, e.err)
			}
			if e.answer.ColdStart {
				cold++
			}
		}
		if n := len(f.instances()); cold != 2 || n != 2 {
			t.Errorf("%d cold starts, %d instances, want 2 of each", cold, n)
		}
		if _, err := f.Warm(context.Background()); err == nil {
			t.Error("Warm started an instance more than allowed")
		}
	})
}

func TestWarm(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		for n := 1; n <= 2; n++ {
			duration, err := f.Warm(context.Background())
			if err != nil || duration <= 0 || len(f.instances()) != n {
				t.Fatalf("Warm: %v, %v with %d instances, want %d", duration, err, len(f.instances()), n)
			}
		}
		if a := do(t, f, "echo"); a.ColdStart {
			t.Error("the invocation after Warm is a cold start")
		}
	})
}

func TestKillInFlight(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newWatch()
		f := start(t, Config{Platform: p, Stdout: log})
		before := pid(t, f)
		end := background(context.Background(), f, order("hang"))
		log.wait("hanging")
		f.Kill()
		e := <-end
		if e.err != nil || !e.answer.Crashed || e.answer.TimedOut || !strings.Contains(e.answer.ErrorMessage, "signal: killed") {
			t.Errorf("answer %+v, %v", e.answer, e.err)
		}
		if pid(t, f) == before {
			t.Error("the killed process answered")
		}
	})
}

func TestKillIdle(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		for range 5 {
			if a := do(t, f, "echo"); !a.ColdStart || a.Err() != nil {
				t.Errorf("answer %+v", a)
			}
			f.Kill()
			if n := len(f.instances()); n != 0 {
				t.Errorf("%d instances after Kill", n)
			}
		}
	})
}

func TestExitWhileIdle(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, g := start(t, Config{Platform: p}), newGate(t)
		if a := do(t, f, "get, then exit", "url", g.URL); a.Err() != nil {
			t.Fatal(a.Err())
		}
		in := f.instances()[0]
		g.open <- 200
		<-in.exited
		if a := do(t, f, "echo"); !a.ColdStart || a.Err() != nil {
			t.Errorf("answer after the exit: %+v", a)
		}
	})
}

// An event goes to a new process if the idle one is gone before it has seen it.
func TestIdleInstanceGoneUnnoticed(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		do(t, f, "echo")
		in := f.takeIdle()
		in.kill()
		f.mu.Lock()
		f.idle = append(f.idle, in)
		f.mu.Unlock()
		if a := do(t, f, "echo"); !a.ColdStart || a.Err() != nil {
			t.Errorf("answer %+v", a)
		}
	})
}

// A process that hangs up and polls again misses nothing.
func TestProcessPollsAgain(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		g := newGate(t)
		f := start(t, Config{Platform: p, Env: []string{"AT_START=hang up", "URL=" + g.URL}})
		if _, err := f.Warm(context.Background()); err != nil {
			t.Fatal(err)
		}
		gone := f.instances()[0].next.gone
		g.open <- 200
		<-gone
		if a := do(t, f, "echo"); a.ColdStart || a.Err() != nil {
			t.Errorf("answer %+v", a)
		}
	})
}

// A process that answers and then never polls is killed at the end of the time; its answer counts.
func TestProcessNeverPollsAgain(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p, Env: []string{"AT_START=answer once"}, Timeout: 500 * time.Millisecond})
		for range 2 {
			if a := do(t, f, "echo"); !a.ColdStart || a.TimedOut || string(a.Payload) != `"once"` {
				t.Errorf("answer %+v", a)
			}
			if n := len(f.instances()); n != 0 {
				t.Errorf("%d instances are left", n)
			}
		}
	})
}

// While every instance is at work, an invocation waits, until its caller gives up or the function is closed.
func TestWaitForInstance(t *testing.T) {
	t.Parallel()
	f := start(t, Config{Platform: FC, MaxInstances: 1})
	f.slots <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, order("echo")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("caller gives up: %v", err)
	}
	f.end()
	if _, err := f.Invoke(context.Background(), order("echo")); !errors.Is(err, errClosed) {
		t.Errorf("function is closed: %v", err)
	}
}

func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f, g := start(t, Config{Platform: p, MaxInstances: 1}), newGate(t)
		ctx, cancel := context.WithCancel(context.Background())
		end := background(ctx, f, order("get", "url", g.URL))
		<-g.arrived
		if _, err := f.Invoke(canceled(), order("echo")); !errors.Is(err, context.Canceled) {
			t.Errorf("Invoke with a context that has ended: %v", err)
		}
		cancel()
		if e := <-end; !errors.Is(e.err, context.Canceled) || e.answer.RequestID == "" {
			t.Errorf("Invoke: %+v, %v", e.answer, e.err)
		}
		g.open <- 200
		if a := do(t, f, "echo"); a.ColdStart || a.Err() != nil { // the abandoned invocation ended as any other
			t.Errorf("answer %+v", a)
		}
	})
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestClose(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newWatch()
		f := start(t, Config{Platform: p, MaxInstances: 1, Stdout: log})
		end := background(context.Background(), f, order("hang"))
		log.wait("hanging")
		waiting := background(context.Background(), f, order("echo"))
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
		if _, err := f.Invoke(context.Background(), order("echo")); !errors.Is(err, errClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := f.Warm(context.Background()); !errors.Is(err, errClosed) {
			t.Errorf("Warm after Close: %v", err)
		}
		if d := f.InvokeAsync(context.Background(), order("echo")); !errors.Is(d.Err, errClosed) || d.Attempts != 1 {
			t.Errorf("InvokeAsync after Close: %+v", d)
		}
	})
}

func TestCloseKillsTheDeaf(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newWatch()
		f := start(t, Config{Platform: p, Env: []string{"AT_START=deaf"}, Grace: time.Millisecond, Stdout: log})
		end := background(context.Background(), f, order("hang"))
		log.wait("hanging")
		f.Close()
		if e := <-end; e.err != nil || !e.answer.Crashed || !strings.Contains(e.answer.ErrorMessage, "signal: killed") {
			t.Errorf("in flight: %+v, %v", e.answer, e.err)
		}
	})
}

// A function that finishes its work at SIGTERM has its answer taken.
func TestCloseTakesLastAnswer(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		log := newWatch()
		f := start(t, Config{Platform: p, Grace: time.Minute, Stdout: log})
		end := background(context.Background(), f, order("until SIGTERM"))
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

// The SDK of Lambda is told of the end over the extensions API; it warns in its log if that fails.
func TestLambdaExtension(t *testing.T) {
	t.Parallel()
	log := newWatch()
	var errorLog buffer
	f := start(t, Config{
		Platform: Lambda, Env: []string{"AT_START=ask for SIGTERM"}, Grace: time.Minute, Stdout: log, Stderr: &errorLog,
	})
	do(t, f, "echo")
	go f.Close()
	log.wait("told to end")
	f.Kill()
	f.Close()
	if strings.Contains(errorLog.String(), "WARNING") {
		t.Errorf("log: %s", errorLog.String())
	}
}
