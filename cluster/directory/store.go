package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/headwater-live/headwater/cluster/membership"
)

// Store is what is read and written with a decision: epochs and settings.
type Store struct {
	client *membership.Client
	keys   Keys
	kept   *membership.Retention
	node   string
}

// NewStore returns the store of a cluster, for the node of that name.
func NewStore(c *membership.Client, keys Keys, node string) *Store {
	return &Store{client: c, keys: keys, kept: membership.NewRetention(c), node: node}
}

// Claiming asks for an epoch.
type Claiming struct {
	Key string
	// Lease is this node's: etcd grants nothing unless it holds there too.
	Lease int64
	// Floor is below the epoch.
	Floor uint64
	// Reject refuses while another node has a publisher.
	Reject bool
	// Now is the time of the epoch.
	Now time.Time
}

// claimTries bounds the attempts of a claim: every attempt that fails is another's success.
const claimTries = 40

// Claim grants the next epoch of a key.
func (s *Store) Claim(ctx context.Context, c Claiming) (uint64, error) {
	last := error(ErrBusy)
	for try := range claimTries {
		epoch, err := s.claim(ctx, c)
		if err == nil || !errors.Is(err, errAgain) {
			return epoch, err
		}
		if last = ErrBusy; errors.Is(err, ErrNotHeld) {
			last = ErrNotHeld
		}
		pause := time.Duration(rand.Int64N(int64(min(try+1, 8) * 4 * int(time.Millisecond))))
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, fmt.Errorf("%w: %w", membership.ErrUnreachable, ctx.Err())
		}
	}
	return 0, last
}

// errAgain says that something changed between the reading and the writing of a claim.
var errAgain = errors.New("changed meanwhile")

func (s *Store) claim(ctx context.Context, c Claiming) (uint64, error) {
	kept, err := s.kept.Lease(ctx)
	if err != nil {
		return 0, err
	}
	is, err := s.client.Txn(ctx, membership.Load, []clientv3.Cmp{s.member(c.Lease)}, []clientv3.Op{
		clientv3.OpGet(s.keys.Epoch(c.Key)),
		clientv3.OpGet(s.keys.carriers(c.Key), clientv3.WithPrefix()),
	}, nil)
	if err != nil {
		return 0, err
	}
	if !is.Succeeded { // the record may be about to be written
		return 0, fmt.Errorf("%w: %w", errAgain, ErrNotHeld)
	}
	floor, revision := c.Floor, int64(0)
	for _, kv := range is.Responses[0].GetResponseRange().Kvs {
		revision = kv.ModRevision
		if e, err := decodeEpoch(kv.Value); err == nil {
			floor = max(floor, e.Epoch)
		}
	}
	for _, kv := range is.Responses[1].GetResponseRange().Kvs {
		b := s.carrier(c.Key, string(kv.Key), kv.Value)
		if b == nil {
			continue
		}
		floor = max(floor, b.Epoch)
		if c.Reject && b.Publishing && b.Role == Active && b.Node != s.node {
			return 0, &PublishedError{c.Key, b.Node}
		}
	}
	epoch := max(floor+1, uint64(max(0, c.Now.UnixMilli())))
	return epoch, s.grant(ctx, c, epoch, revision, kept)
}

// member holds while this node's record hangs on that lease.
func (s *Store) member(lease int64) clientv3.Cmp {
	return clientv3.Compare(clientv3.LeaseValue(s.keys.Node(s.node)), "=", lease)
}

// carrier reads the record of a key on a node, nil if there is none to be read.
func (s *Store) carrier(key, etcdKey string, value []byte) *Broadcast {
	p, ok := parse(etcdKey[len(s.keys.Prefix()):])
	if !ok || p.key != key {
		return nil
	}
	b, err := decodeBroadcast(key, p.node, value)
	if err != nil {
		return nil
	}
	return b
}

// grant writes an epoch, unless another was granted since revision or the lease is over.
func (s *Store) grant(
	ctx context.Context, c Claiming, epoch uint64, revision int64, kept clientv3.LeaseID,
) error {
	key := s.keys.Epoch(c.Key)
	resp, err := s.client.Txn(ctx, membership.Claim, []clientv3.Cmp{
		clientv3.Compare(clientv3.ModRevision(key), "=", revision),
		s.member(c.Lease),
	}, []clientv3.Op{clientv3.OpPut(key, string(encode(Epoch{epoch, s.node})),
		clientv3.WithLease(kept))}, nil)
	switch {
	case err != nil && s.kept.Forget(err):
		return fmt.Errorf("%w: %w", errAgain, err)
	case err != nil:
		return err
	case !resp.Succeeded:
		return errAgain
	}
	return nil
}

// LoadSettings returns what is kept of a key: version 0 if nothing is.
func (s *Store) LoadSettings(
	ctx context.Context, key string,
) (version uint64, data []byte, err error) {
	resp, err := s.client.Get(ctx, membership.Load, s.keys.Settings(key))
	if err != nil || len(resp.Kvs) == 0 {
		return 0, nil, err
	}
	var kept keptSettings
	if err := decode(resp.Kvs[0].Value, SettingsMax+recordMax, &kept); err != nil {
		return 0, nil, fmt.Errorf("settings of %s: %w", key, err)
	}
	return kept.Version, kept.Settings, nil
}

// StoreSettings keeps data, which is JSON, as a version of a key's settings if what is kept is of
// the version base, or nothing is: others may have made theirs from that. It returns what is kept
// then: data itself, or what others have stored meanwhile.
func (s *Store) StoreSettings(
	ctx context.Context, key string, base, version uint64, data []byte,
) (kept uint64, keptData []byte, err error) {
	if len(data) > SettingsMax || !json.Valid(data) {
		return 0, nil, fmt.Errorf("settings of %s: %w: %d bytes", key, ErrRecord, len(data))
	}
	for range claimTries {
		resp, err := s.client.Get(ctx, membership.Load, s.keys.Settings(key))
		if err != nil {
			return 0, nil, err
		}
		revision := int64(0)
		if len(resp.Kvs) > 0 {
			revision = resp.Kvs[0].ModRevision
			var there keptSettings
			err := decode(resp.Kvs[0].Value, SettingsMax+recordMax, &there)
			if err == nil && there.Version == version && sameJSON(there.Settings, data) {
				return version, data, nil // an answer was lost
			}
			if err == nil && there.Version != base {
				return there.Version, there.Settings, nil
			}
		}
		done, err := s.putSettings(ctx, key, keptSettings{version, data}, revision)
		if err != nil || done {
			return version, data, err
		}
	}
	return 0, nil, ErrBusy
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil &&
		bytes.Equal(x.Bytes(), y.Bytes())
}

func (s *Store) putSettings(
	ctx context.Context, key string, record keptSettings, revision int64,
) (done bool, err error) {
	lease, err := s.kept.Lease(ctx)
	if err != nil {
		return false, err
	}
	at := s.keys.Settings(key)
	resp, err := s.client.Txn(ctx, membership.Store,
		[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(at), "=", revision)},
		[]clientv3.Op{clientv3.OpPut(at, string(encode(record)), clientv3.WithLease(lease))}, nil)
	if err != nil && s.kept.Forget(err) {
		return false, nil
	}
	return err == nil && resp.Succeeded, err
}
