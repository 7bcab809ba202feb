package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/snapshot"
)

// notifications collects the notifications of an invocation, so that sending them delays no API call.
type notifications struct {
	mu  sync.Mutex
	all []snapshot.Notification
}

// add keeps a notification. Of two with one key the second is dropped: sent at the same time, it would count as sent
// even if the first fails.
func (n *notifications) add(_ context.Context, one snapshot.Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	same := func(other snapshot.Notification) bool { return other.Key == one.Key }
	if one.Key == "" || !slices.ContainsFunc(n.all, same) {
		n.all = append(n.all, one)
	}
}

// answerTime is how much of the time to the platform's deadline is kept for the answer, which is worth more than a
// notification.
const answerTime = 500 * time.Millisecond

// notifyMax returns how long sending notifications may take: the answer leaves the process after that, and a caller
// over HTTP waits for it.
func (r *record) notifyMax() time.Duration {
	switch {
	case r.http == nil:
		return notify.Tries * notify.TryTimeout
	case r.answerBy.IsZero():
		return time.Second
	}
	return min(time.Second, time.Until(r.answerBy))
}

// send sends all notifications at once, for at most limit, and returns when they arrived or could not be sent.
func (n *notifications) send(ctx context.Context, to *notify.Notifier, limit time.Duration) {
	n.mu.Lock()
	all := slices.Clone(n.all) // work that a caller could not wait for may still add to them
	n.mu.Unlock()
	if to == nil || len(all) == 0 {
		return
	}
	end := time.Now().Add(limit)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-answerTime).Before(end) {
		end = deadline.Add(-answerTime)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	var sending sync.WaitGroup
	for _, one := range all {
		sending.Go(func() { to.Send(ctx, one) })
	}
	sending.Wait()
}
