package membership

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/headwater-live/headwater/actors/own"
)

// Change is what became of a key: its value, or that it is gone.
type Change struct {
	// Key is below the mirror's prefix.
	Key      string
	Value    []byte
	Deleted  bool
	Revision int64
}

// MirrorOptions make a Mirror.
type MirrorOptions struct {
	Client *Client
	// Prefix is what it shows of etcd.
	Prefix string
	// Changed is told, on the mirror's goroutine, that there is something to Take. It is not told
	// again before that was done.
	Changed func()
	Log     *slog.Logger
}

// Mirror follows everything below a prefix. What it has to tell waits to be taken, and of each key
// only the last, so that whoever is slow costs no more than there are keys. While etcd cannot be
// reached nothing changes.
type Mirror struct {
	MirrorOptions
	refresh chan struct{}

	known map[string]int64 // revisions, by key; of the goroutine alone

	mu      sync.Mutex
	pending map[string]Change
	told    bool
	synced  bool
}

// NewMirror returns a mirror that shows nothing yet.
func NewMirror(o MirrorOptions) *Mirror {
	return &Mirror{
		MirrorOptions: o, refresh: make(chan struct{}, 1),
		known: map[string]int64{}, pending: map[string]Change{},
	}
}

// Run follows on a goroutine of the group.
func (m *Mirror) Run(g *own.Group) { g.Go("mirror", m.run) }

// Refresh has it read everything again: after a time without etcd nobody knows which data it has.
func (m *Mirror) Refresh() {
	select {
	case m.refresh <- struct{}{}:
	default:
	}
}

// Take returns what has changed since the last Take, in the order of revisions, and whether the
// mirror has seen everything once.
func (m *Mirror) Take() (changes []Change, synced bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = false
	changes = slices.SortedFunc(maps.Values(m.pending), func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), strings.Compare(a.Key, b.Key))
	})
	clear(m.pending)
	return changes, m.synced
}

func (m *Mirror) run(ctx context.Context) {
	pause := backoff{min: 100 * time.Millisecond, max: time.Second, jitter: rand.Float64}
	for {
		revision, err := m.list(ctx)
		if err == nil {
			pause.reset()
			err = m.watch(ctx, revision+1)
		}
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errRefresh) {
			continue
		}
		m.Log.Debug("the mirror begins again", slog.Any("error", err))
		if !rest(ctx, pause.next(), nil) {
			return
		}
	}
}

// page is how many keys are read at a time.
const page = 1000

// list reads everything, and tells what differs from what was known. It returns the revision at
// which that was so.
func (m *Mirror) list(ctx context.Context) (revision int64, err error) {
	seen := map[string]bool{}
	var changes []Change
	from, end := m.Prefix, clientv3.GetPrefixRangeEnd(m.Prefix)
	for more := true; more; {
		opts := []clientv3.OpOption{
			clientv3.WithRange(end), clientv3.WithLimit(page),
			clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend),
		}
		if revision != 0 {
			opts = append(opts, clientv3.WithRev(revision))
		}
		resp, err := m.Client.Get(ctx, List, from, opts...)
		if err != nil {
			return 0, err
		}
		if revision == 0 {
			revision = resp.Header.Revision
		}
		for _, kv := range resp.Kvs {
			key := string(kv.Key)
			seen[key] = true
			if m.known[key] != kv.ModRevision {
				m.known[key] = kv.ModRevision
				changes = append(changes, Change{
					Key: key[len(m.Prefix):], Value: kv.Value, Revision: kv.ModRevision,
				})
			}
			from = key + "\x00"
		}
		more = resp.More
	}
	for key := range m.known {
		if !seen[key] {
			delete(m.known, key)
			changes = append(changes, Change{
				Key: key[len(m.Prefix):], Deleted: true, Revision: revision,
			})
		}
	}
	m.tell(changes, true)
	return revision, nil
}

// errRefresh ends a watch on request.
var errRefresh = errors.New("everything is to be read again")

// watch tells of every change from a revision on, until it cannot. etcd's client goes on by itself
// after a lost connection; it cannot when etcd has forgotten what happened meanwhile.
func (m *Mirror) watch(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := m.Client.etcd.Watch(clientv3.WithRequireLeader(ctx), m.Prefix,
		clientv3.WithPrefix(), clientv3.WithRev(revision))
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.refresh:
			return errRefresh
		case resp, ok := <-events:
			if !ok {
				return ErrUnreachable
			}
			if err := resp.Err(); err != nil {
				return err
			}
			m.take(resp.Events)
		}
	}
}

func (m *Mirror) take(events []*clientv3.Event) {
	changes := make([]Change, 0, len(events))
	for _, e := range events {
		key := string(e.Kv.Key)
		c := Change{Key: key[len(m.Prefix):], Revision: e.Kv.ModRevision}
		if e.Type == clientv3.EventTypeDelete {
			delete(m.known, key)
			c.Deleted = true
		} else {
			m.known[key] = e.Kv.ModRevision
			c.Value = e.Kv.Value
		}
		changes = append(changes, c)
	}
	m.tell(changes, false)
}

func (m *Mirror) tell(changes []Change, synced bool) {
	m.mu.Lock()
	news := len(changes) > 0 || synced && !m.synced
	m.synced = m.synced || synced
	for _, c := range changes {
		m.pending[c.Key] = c
	}
	tell := news && !m.told
	m.told = m.told || tell
	m.mu.Unlock()
	if tell {
		m.Changed()
	}
}
