package wiring

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// facts collects what people should know, so that telling them delays no API call.
type facts struct {
	mu  sync.Mutex
	all []snapshot.Notification
}

func (f *facts) add(_ context.Context, fact snapshot.Notification) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fact.Key == "" || !slices.ContainsFunc(f.all, func(other snapshot.Notification) bool { return other.Key == fact.Key }) {
		f.all = append(f.all, fact) // told twice at once, the second would count as told while the first fails
	}
}

// answerTime is how much of the time to the platform's deadline stays for the answer: people may go without a message,
// but the outcome of an order must get out.
const answerTime = 500 * time.Millisecond

// send tells all facts at once, for at most patience, and returns when they are told or could not be: those that somebody
// has.
func (f *facts) send(ctx context.Context, to *notify.Notifier, patience time.Duration) []snapshot.Notification {
	f.mu.Lock()
	defer f.mu.Unlock()
	if to == nil || len(f.all) == 0 {
		return nil
	}
	end := time.Now().Add(patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerTime).Before(end) {
		end = deadline.Add(-answerTime)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	arrived := make([]bool, len(f.all))
	var all sync.WaitGroup
	for i, fact := range f.all {
		all.Go(func() { arrived[i] = to.Tell(ctx, fact) })
	}
	all.Wait()
	var told []snapshot.Notification
	for i, fact := range f.all {
		if arrived[i] {
			told = append(told, fact)
		}
	}
	return told
}

// notifier returns who tells people by the policy's rules; nil if there are none.
func notifier(rules []policy.Notify, log *slog.Logger) *notify.Notifier {
	if len(rules) == 0 {
		return nil
	}
	to := make([]notify.Rule, len(rules))
	for i, rule := range rules {
		to[i] = notify.Rule(rule)
	}
	return notify.New(to, nil, nil, log)
}
