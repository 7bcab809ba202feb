package platform

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// An invocation that starts after SIGTERM, while the process still waits for the last answer to be posted, gets the
// same time for its own answer.
func TestInvocationAfterSIGTERM(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second time.Duration // when a second invocation starts, after the end of the first; 0: there is none
		length time.Duration // of the second invocation
		want   time.Duration // until the process ends, after the end of the first
	}{
		"None":     {0, 0, answerTime},
		"Short":    {answerTime / 2, answerTime / 10, answerTime*6/10 + answerTime},
		"Long":     {answerTime / 2, 3 * answerTime, answerTime*7/2 + answerTime},
		"Too late": {2 * answerTime, answerTime, answerTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exited := make(chan time.Time, 2)
				l := &life{stop: func() {}, exit: func(int) { exited <- time.Now() }}
				work := l.within(func(_ context.Context, _ Invocation, event []byte) ([]byte, error) {
					if string(event) == "first" {
						l.end()
					} else {
						time.Sleep(c.length)
					}
					return event, nil
				})
				_, _ = work(t.Context(), Invocation{}, []byte("first"))
				start := time.Now()
				if c.second > 0 {
					time.Sleep(c.second)
					_, _ = work(t.Context(), Invocation{}, []byte("second"))
				}
				if got := (<-exited).Sub(start); got != c.want {
					t.Errorf("the process ends %s after the first answer, want %s", got, c.want)
				}
				synctest.Wait()
			})
		})
	}
}
