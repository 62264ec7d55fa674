package membership

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/headwater-live/headwater/actors/own"
)

// TTL is how long a node's records outlive it.
const TTL = 3 * time.Second

// SessionOptions make a Session.
type SessionOptions struct {
	Client *Client
	// Changed is told whenever the lease was lost, or a new one is held, on a goroutine of the
	// session's.
	Changed func(held bool)
	Log     *slog.Logger
}

// Session is this node's presence in the cluster. What is registered with it is there while it
// holds, and again whenever it holds anew.
type Session struct {
	SessionOptions
	wake   chan struct{} // the writer has something to do
	revoke atomic.Bool
	said   string // why there is no connection, as it was last said: the granting goroutine's

	mu      sync.Mutex
	lease   lease
	want    map[string][]byte  // what is to be registered
	written map[string]written // what is, or may be
}

// written is what etcd has of a key.
type written struct {
	value []byte
	lease int64
}

// NewSession returns a session that has not begun.
func NewSession(o SessionOptions) *Session {
	return &Session{
		SessionOptions: o, wake: make(chan struct{}, 1),
		lease: lease{ttl: TTL, backoff: backoff{
			min: 100 * time.Millisecond, max: time.Second, jitter: rand.Float64,
		}},
		want: map[string][]byte{}, written: map[string]written{},
	}
}

// Run begins it on two goroutines: one keeps the lease, which must not wait for anything, and one
// writes.
func (s *Session) Run(g *own.Group) {
	g.Go("lease", s.keep)
	g.Go("register", s.write)
}

// Lease returns the lease that holds now, by this node's clock, or 0.
func (s *Session) Lease() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lease.held(time.Now())
}

// Register has a key be there as long as the session is. The value is not copied.
func (s *Session) Register(key string, value []byte) {
	s.mu.Lock()
	s.want[key] = value
	s.mu.Unlock()
	s.rouse()
}

// Unregister takes a key out.
func (s *Session) Unregister(key string) {
	s.mu.Lock()
	delete(s.want, key)
	s.mu.Unlock()
	s.rouse()
}

// Rewrite has a key that is registered be written again: somebody else has changed it.
func (s *Session) Rewrite(key string) {
	s.mu.Lock()
	if _, ok := s.written[key]; ok {
		s.written[key] = written{}
	}
	s.mu.Unlock()
	s.rouse()
}

func (s *Session) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
}

// Revoke ends the lease, and with it all that is registered, at once.
func (s *Session) Revoke(ctx context.Context) error {
	s.mu.Lock()
	id := s.lease.id
	s.lease.id = 0
	s.mu.Unlock()
	if id == 0 {
		return nil
	}
	return s.Client.call(ctx, Revoke, CallTime, func(ctx context.Context) error {
		_, err := s.Client.etcd.Revoke(ctx, clientv3.LeaseID(id))
		return err
	})
}

// RevokeAtEnd has the lease revoked when the session's goroutines are stopped: the node goes, and
// does not come back with what it has registered.
func (s *Session) RevokeAtEnd() { s.revoke.Store(true) }

// endTime bounds the last word to etcd.
const endTime = time.Second

func (s *Session) end() {
	s.Client.metrics.held.Set(0)
	if !s.revoke.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if err := s.Revoke(ctx); err != nil {
		s.Log.Debug("the lease is left to run out", slog.Any("error", err))
	}
}

// keep takes a lease and keeps it, for as long as ctx goes.
func (s *Session) keep(ctx context.Context) {
	defer s.end()
	for ctx.Err() == nil {
		s.mu.Lock()
		do, pause := s.lease.step(time.Now())
		id, until := s.lease.id, s.lease.until
		s.mu.Unlock()
		switch do {
		case wait:
			rest(ctx, pause, nil)
		case mourn:
			s.lost()
		case take:
			s.take(ctx)
		case keep:
			s.renew(ctx, id, until)
		}
	}
}

func (s *Session) lost() {
	s.Client.metrics.held.Set(0)
	s.Client.metrics.lost.Inc()
	s.Log.Warn("the lease is lost; what is on the air goes on, new broadcasts are refused")
	s.Changed(false)
}

func (s *Session) take(ctx context.Context) {
	sent := time.Now()
	var id, ttl int64
	err := s.Client.call(ctx, Grant, CallTime, func(ctx context.Context) error {
		resp, err := s.Client.etcd.Grant(ctx, int64(s.lease.ttl/time.Second))
		if err == nil {
			id, ttl = int64(resp.ID), resp.TTL
		}
		return err
	})
	s.mu.Lock()
	now := time.Now()
	if err == nil {
		s.lease.acknowledged(id, time.Duration(ttl)*time.Second, sent)
		err = s.tooLate(now)
	}
	if err != nil {
		first := s.lease.backoff.n == 0
		s.lease.unanswered(now)
		s.mu.Unlock()
		why := s.Client.connection()
		// Whose certificate is not taken hears of it by some of his attempts only.
		news := why != s.said && strings.Contains(why, "tls: ")
		if (first || news) && ctx.Err() == nil {
			s.said = why
			s.Log.Warn("no lease: etcd cannot be reached; trying on", slog.Any("error", err),
				slog.String("connection", why))
		}
		return
	}
	s.mu.Unlock()
	s.Client.metrics.held.Set(1)
	s.Log.Info("the lease is held", slog.Int64("lease", id))
	s.Changed(true)
	s.rouse()
}

// tooLate refuses a lease that was over before it was heard of: this process was stopped.
func (s *Session) tooLate(now time.Time) error {
	if s.lease.held(now) != 0 {
		return nil
	}
	s.lease.id = 0
	return ErrUnreachable
}

// renew keeps the lease, if etcd answers while it may still hold.
func (s *Session) renew(ctx context.Context, id int64, until time.Time) {
	sent := time.Now()
	limit := min(s.lease.ttl/3, until.Sub(sent))
	var ttl int64
	err := s.Client.call(ctx, Keep, limit, func(ctx context.Context) (err error) {
		ttl, err = s.Client.keepAlive(ctx, id)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.lease.id != id: // it was revoked
	case err != nil:
		s.lease.unanswered(time.Now())
	case ttl <= 0:
		s.lease.revoked(time.Now())
	default:
		s.lease.acknowledged(id, time.Duration(ttl)*time.Second, sent)
	}
}

// keepAlive asks once. The client of etcd would ask again and again, without a pause, while it is
// not there, and does not say when what was answered had been sent.
func (c *Client) keepAlive(ctx context.Context, id int64) (ttl int64, err error) {
	stream, err := etcdserverpb.NewLeaseClient(c.etcd.ActiveConnection()).LeaseKeepAlive(ctx)
	if err != nil {
		return 0, err
	}
	if err := stream.Send(&etcdserverpb.LeaseKeepAliveRequest{ID: id}); err != nil {
		return 0, err
	}
	resp, err := stream.Recv()
	if err != nil {
		return 0, err
	}
	_ = stream.CloseSend()
	return resp.TTL, nil
}

// batch is how many keys are written at once; etcd takes no more than 128.
const batch = 64

// write registers and unregisters whenever there is something to do and a lease to do it under.
func (s *Session) write(ctx context.Context) {
	pause := backoff{min: 50 * time.Millisecond, max: time.Second, jitter: rand.Float64}
	const idle = time.Minute
	for rested := true; rested; {
		id, ops, done := s.due()
		if len(ops) == 0 {
			rested = rest(ctx, idle, s.wake)
			continue
		}
		_, err := s.Client.Txn(ctx, Write, nil, ops, nil)
		if err == nil {
			s.note(done, id)
			pause.reset()
			continue
		}
		if leaseGone(err) {
			s.mu.Lock()
			if s.lease.id == id {
				s.lease.revoked(time.Now())
			}
			s.mu.Unlock()
		}
		s.Log.Debug("cannot register yet", slog.Any("error", err))
		rested = rest(ctx, pause.next(), nil)
	}
}

// due is what has to be written next, and under which lease.
func (s *Session) due() (id int64, ops []clientv3.Op, done map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id = s.lease.held(time.Now()); id == 0 {
		return 0, nil, nil
	}
	done = map[string][]byte{}
	for _, key := range slices.Sorted(maps.Keys(s.written)) {
		if _, ok := s.want[key]; !ok && len(ops) < batch {
			ops, done[key] = append(ops, clientv3.OpDelete(key)), nil
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.want)) {
		value := s.want[key]
		is, ok := s.written[key]
		if len(ops) == batch || ok && is.lease == id && bytes.Equal(is.value, value) {
			continue
		}
		ops = append(ops, clientv3.OpPut(key, string(value), clientv3.WithLease(clientv3.LeaseID(id))))
		done[key] = value
		if !ok { // from here on it may be there
			s.written[key] = written{}
		}
	}
	return id, ops, done
}

func (s *Session) note(done map[string][]byte, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, value := range done {
		if value == nil {
			delete(s.written, key)
		} else {
			s.written[key] = written{value, id}
		}
	}
}
