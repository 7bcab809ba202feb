package snapshot

import (
	"context"
	"errors"
	"time"
)

// job is a piece of work that goes on in steps. A step never sleeps: it says how long it wants to wait, and the other
// jobs of the run use the time.
type job interface {
	// step does one attempt. done ends the job; else it is called again, not before wait has passed.
	step(ctx context.Context) (wait time.Duration, done bool)
	// expire ends the job because its next step would be too late.
	expire()
}

// follower is a job that waits for the result of another job, maybe of another run.
type follower interface {
	job
	// following is closed when the result is there; nil: the job follows nobody.
	following() <-chan struct{}
}

// state does one step of a job and returns the next; nil is the end. With an error the step (or next, if there is
// one) is done again when and if the error allows it.
type state func(context.Context) (next state, err error)

// errFollow says that the next state must wait for another job's result.
var errFollow = errors.New("another job is taking this order")

// machine is a job that is written as states.
type machine struct {
	state    state
	attempts attempts
}

// advance goes from state to state until one must wait, fails for good or ends.
func (m *machine) advance(ctx context.Context, r *run) (wait time.Duration, done bool, failed *Error) {
	for m.state != nil {
		var next state
		err := r.attempt(&m.attempts, func() (err error) {
			next, err = m.state(ctx)
			return err
		})
		if err == nil {
			m.state = next
			continue
		}
		if next != nil {
			m.state = next
		}
		if errors.Is(err, errFollow) {
			return 0, false, nil
		}
		wait, again := r.again(&m.attempts, err)
		if !again {
			return 0, true, m.attempts.last
		}
		return wait, false, nil
	}
	return 0, true, nil
}

// outOfTime is the error of a job that must stop before it is done.
func (m *machine) outOfTime() *Error {
	if m.attempts.last == nil {
		what := "any call"
		if m.attempts.late != "" {
			what = string(m.attempts.late)
		}
		return &Error{Code: CodeNoTime, Kind: KindTimeout, Retryable: true,
			Message: "no time is left before the deadline for " + what + ": repeat the same order; if that does not help, give the function a longer timeout, or set the machine's clock"}
	}
	deferred := *m.attempts.last
	deferred.Retryable = true
	return &deferred
}

type waiting struct {
	job
	notBefore time.Time
}

// schedule runs jobs until all are done or time is out. Followers come last, when this run leads nothing that
// another run could wait for: so no two runs wait for each other.
func (r *run) schedule(ctx context.Context, jobs []job) {
	queue := make([]waiting, len(jobs))
	for i, j := range jobs {
		queue[i] = waiting{job: j}
	}
	var followers []follower
	for len(queue) > 0 || len(followers) > 0 {
		if len(queue) > 0 {
			next := earliest(queue)
			w := queue[next]
			queue = append(queue[:next], queue[next+1:]...)
			if !r.wait(ctx, w.notBefore) {
				w.expire()
			} else if wait, done := w.step(ctx); done {
				// nothing is left of it
			} else if f, ok := w.job.(follower); ok && f.following() != nil {
				followers = append(followers, f)
			} else {
				queue = append(queue, waiting{w.job, r.now().Add(wait)})
			}
		} else {
			f := followers[0]
			followers = followers[1:]
			if !r.await(ctx, f.following()) {
				f.expire()
			} else {
				f.step(ctx)
			}
		}
		for _, j := range r.spawned {
			queue = append(queue, waiting{job: j})
		}
		r.spawned = nil
	}
}

// earliest returns the index of the job that may go on first; of equal ones, the one that waited longest.
func earliest(queue []waiting) int {
	best := 0
	for i := range queue {
		if queue[i].notBefore.Before(queue[best].notBefore) {
			best = i
		}
	}
	return best
}

// wait sleeps until at. It reports false, without sleeping, if at is beyond the deadline of the run.
func (r *run) wait(ctx context.Context, at time.Time) bool {
	now := r.now()
	if ctx.Err() != nil || !now.Before(r.deadline) || !at.Before(r.deadline) {
		return false
	}
	if d := at.Sub(now); d > 0 {
		if r.Stats != nil {
			r.Stats.Waited.Add(int64(d))
		}
		return r.clock().Sleep(ctx, d) == nil
	}
	return true
}

// await waits for the end of another job, but no longer than the deadline of the run allows.
func (r *run) await(ctx context.Context, end <-chan struct{}) bool {
	select {
	case <-end:
		return true
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-end:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = r.clock().Sleep(ctx, r.deadline.Sub(r.now()))
	select {
	case <-end:
		return true
	default:
		return false
	}
}
