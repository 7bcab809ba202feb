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

// notifications collects the notifications of an invocation, so that sending them delays no API call.
type notifications struct {
	mu  sync.Mutex
	all []snapshot.Notification
}

func (f *notifications) add(_ context.Context, fact snapshot.Notification) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fact.Key == "" || !slices.ContainsFunc(f.all, func(other snapshot.Notification) bool { return other.Key == fact.Key }) {
		f.all = append(f.all, fact) // told twice at once, the second would count as told while the first fails
	}
}

// answerTime is how much of the time to the platform's deadline stays for the answer: people may go without a message,
// but the outcome of an order must get out.
const answerTime = 500 * time.Millisecond

// send sends all of them at once, for at most patience, and returns when they arrived or could not be sent.
func (f *notifications) send(ctx context.Context, to *notify.Notifier, patience time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if to == nil || len(f.all) == 0 {
		return
	}
	end := time.Now().Add(patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerTime).Before(end) {
		end = deadline.Add(-answerTime)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	var all sync.WaitGroup
	for _, n := range f.all {
		all.Go(func() { to.Send(ctx, n) })
	}
	all.Wait()
}

// notifier returns the notifier of the policy's rules; nil if there are none.
func notifier(rules []policy.Notify, log *slog.Logger) *notify.Notifier {
	if len(rules) == 0 {
		return nil
	}
	return notify.New(rules, nil, nil, log)
}
