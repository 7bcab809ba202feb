package platform

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// life is that of this process. SIGTERM ends the contexts of the running invocations, so that they make no further call
// but finish a deletion that they began, and say what they left; then the process ends. Without this the signal would
// end it in the middle of a call.
type life struct {
	stop context.CancelFunc // of what runs
	exit func(code int)

	mu      sync.Mutex
	running int
	ending  bool
}

// answerTime is what the SDK has to post the last answer.
const answerTime = time.Second

// untilSIGTERM returns the life of this process and the context of all that runs in it. before, if any, is called in
// the background first.
func untilSIGTERM(before func()) (*life, context.Context) {
	base, stop := context.WithCancel(context.Background())
	l := &life{stop: stop, exit: os.Exit}
	signaled := make(chan os.Signal, 1)
	signal.Notify(signaled, syscall.SIGTERM)
	go func() {
		if before != nil {
			before()
		}
		<-signaled
		l.end()
	}()
	return l, base
}

// end ends what runs, and the process at once if nothing does.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = true
	l.stop()
	if l.running == 0 {
		l.exit(0)
	}
}

// within runs h as a part of this life.
func (l *life) within(h Handler) Handler {
	return func(ctx context.Context, invocation Invocation, event []byte) ([]byte, error) {
		l.mu.Lock()
		l.running++
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.running--; l.running == 0 && l.ending {
				time.AfterFunc(answerTime, func() { l.exit(0) })
			}
		}()
		return h(ctx, invocation, event)
	}
}
