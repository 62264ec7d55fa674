package membership

import (
	"context"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// What has to outlive its node, though not for ever, hangs on a lease that nobody keeps alive. A
// node takes one an hour, so that their number is small however much is written.
const (
	retention      = 24 * time.Hour
	retentionRenew = time.Hour
)

// Retention hands out the lease for what outlives its node.
type Retention struct {
	client *Client

	mu    sync.Mutex
	lease clientv3.LeaseID
	since time.Time
}

// NewRetention returns one that has no lease yet.
func NewRetention(c *Client) *Retention { return &Retention{client: c} }

// Lease returns a lease that lasts for 23 hours at least.
func (r *Retention) Lease(ctx context.Context) (clientv3.LeaseID, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lease != 0 && time.Since(r.since) < retentionRenew {
		return r.lease, nil
	}
	err := r.client.call(ctx, Grant, CallTime, func(ctx context.Context) error {
		resp, err := r.client.etcd.Grant(ctx, int64(retention/time.Second))
		if err == nil {
			r.lease, r.since = resp.ID, time.Now()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return r.lease, nil
}

// Forget has the next Lease be another if err says that etcd knows this one no more: its data was
// replaced.
func (r *Retention) Forget(err error) bool {
	if !leaseGone(err) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease = 0
	return true
}
