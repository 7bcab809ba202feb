package platform

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// life counts the invocations that run in this process. SIGTERM ends their contexts, so that they make no further call
// but finish a deletion that they began, and report what they left; then the process ends. Without this the signal
// would end it in the middle of a call.
type life struct {
	stop context.CancelFunc // of all invocations
	exit func(code int)

	mu      sync.Mutex
	started int // invocations so far
	running int
	ending  bool
}

// answerTime is how long the SDK may take to post the last answer.
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

// end ends the invocations that run, and the process at once if there are none.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = true
	l.stop()
	if l.running == 0 {
		l.exit(0)
	}
}

// within returns h as a part of this life. After SIGTERM the process ends once no invocation has run for answerTime.
func (l *life) within(h Handler) Handler {
	return func(ctx context.Context, invocation Invocation, event []byte) ([]byte, error) {
		l.mu.Lock()
		l.started++
		l.running++
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.running--; l.running == 0 && l.ending {
				last := l.started
				time.AfterFunc(answerTime, func() { l.exitAfter(last) })
			}
		}()
		return h(ctx, invocation, event)
	}
}

// exitAfter ends the process unless another invocation has started since the last one.
func (l *life) exitAfter(last int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started == last {
		l.exit(0)
	}
}
