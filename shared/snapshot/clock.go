package snapshot

import (
	"context"
	"time"
)

// Clock is the time that the core sees. Tests inject their own, so that a year passes in seconds.
type Clock interface {
	// Now returns the present time.
	Now() time.Time
	// Sleep waits for d, or until ctx ends, and then returns the error of ctx.
	Sleep(ctx context.Context, d time.Duration) error
}

// wallClock is the machine's clock.
type wallClock struct{}

// Now returns the present time.
func (wallClock) Now() time.Time { return time.Now() }

// Sleep waits for d, or until ctx ends, and then returns the error of ctx.
func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
