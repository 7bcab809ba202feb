package snapshot

import "time"

// backoff is an exponential wait with jitter: at least floor, plus a random part of an interval that doubles with
// each attempt up to ceiling.
type backoff struct{ floor, base, ceiling time.Duration }

var (
	// retryBackoff has full jitter, as Alibaba's "How to ensure idempotence" asks for a retry with the same token.
	retryBackoff = backoff{base: 500 * time.Millisecond, ceiling: 20 * time.Second}
	// throttleBackoff fits a limit of about 10 calls a minute.
	throttleBackoff = backoff{floor: 2 * time.Second, base: 6 * time.Second, ceiling: 30 * time.Second}
	// busyBackoff fits a disk that another operation holds; a snapshot holds it for 10 to 30 minutes.
	busyBackoff = backoff{floor: 10 * time.Second, base: 20 * time.Second, ceiling: time.Minute}
)

// wait returns how long to wait after the attempt, counted from 0; random is in [0, 1).
func (b backoff) wait(attempt int, random float64) time.Duration {
	interval := b.ceiling
	if attempt < 16 {
		interval = min(b.ceiling, b.base<<attempt)
	}
	return b.floor + time.Duration(random*float64(interval))
}
