package membership

import (
	"context"
	"time"
)

// backoff paces attempts: each pause is twice the one before, to a cap, and half of it is jitter,
// so that nodes that lost etcd together do not come back together.
type backoff struct {
	min, max time.Duration
	jitter   func() float64
	n        int
}

func (b *backoff) reset() { b.n = 0 }

// next is how long to wait before the next attempt.
func (b *backoff) next() time.Duration {
	d := b.min
	for range b.n {
		if d *= 2; d >= b.max {
			d = b.max
			break
		}
	}
	b.n++
	return d/2 + time.Duration(b.jitter()*float64(d/2))
}

// rest waits for d, for a wake-up or for the end of ctx, and reports false at the end.
func rest(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
