package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

func TestMain(m *testing.M) {
	if rate, err := strconv.Atoi(os.Getenv(besideVariable)); err == nil {
		if err := besideMain(rate); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Protoactor counts dead letters for a second after the first of them.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}

func metricsOf(tb testing.TB) *Metrics {
	tb.Helper()
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// origin is a node's broadcasts, without its actors.
type origin struct {
	rings  map[string]*source
	outlet *outlet
}

// source is one broadcast: each picture of it is told from all others.
type source struct {
	machine  *topic.Machine
	tap      *tap
	dts      media.Time
	seq      uint64
	gop      int
	pictures int
	sent     []*topic.Unit
	size     int // of a picture
	headers  topic.Headers
}

func (o *origin) begin(key string, epoch uint64, limits topic.Limits) *source {
	ring := topic.NewRing(limits)
	s := &source{
		machine: topic.NewMachine(ring), tap: &tap{ring, epoch}, gop: 30, size: 1000,
	}
	o.rings[key] = s
	if o.outlet != nil {
		o.outlet.attach(key, "", s.tap)
	}
	return s
}

// unit publishes a unit.
func (s *source) unit(kind media.Kind, role media.Role) *topic.Unit {
	au := media.AccessUnit{Kind: kind, Role: role, DTS: s.dts, Codec: media.AVC}
	if kind == media.Audio {
		au.Codec = media.AAC
	}
	au.Body, au.Tail = topic.NewBody(s.size + int(s.seq%7))
	s.seq++
	binary.BigEndian.PutUint64(au.Body, s.tap.epoch)
	binary.BigEndian.PutUint64(au.Body[8:], s.seq)
	u := topic.NewUnit(s.tap.epoch, s.seq, au)
	if role == media.SequenceHeader {
		s.headers[kind] = u
	} else {
		u.Header = s.headers[kind]
	}
	if _, err := s.machine.Push(u); err != nil {
		panic(err)
	}
	s.sent = append(s.sent, u)
	s.tap.ring.Tell()
	return u
}

// frames publishes n pictures and as many frames of sound, 33 ms apart, in real time if paced.
func (s *source) frames(n int, paced bool) {
	if s.seq == 0 {
		s.unit(media.Video, media.SequenceHeader)
		s.unit(media.Audio, media.SequenceHeader)
	}
	for range n {
		role := media.Frame
		if s.pictures%s.gop == 0 {
			role = media.Keyframe
		}
		s.pictures++
		s.unit(media.Video, role)
		s.unit(media.Audio, media.Keyframe)
		s.dts += 33 * media.Millisecond
		if paced {
			pass(33 * time.Millisecond)
		}
	}
}

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }

// edge is a node's subscriptions, and what comes of them.
type edge struct {
	tb    testing.TB
	table *table
	mu    sync.Mutex
	got   map[string]*received
	seals map[string][]*topic.Seal // made at the origin
}

// received is what a subscriber has got: a topic of its own, as at any edge.
type received struct {
	machine *topic.Machine
	ring    *topic.Ring
	units   []*topic.Unit
	seals   []*topic.Seal
	refused map[error]int
}

func newEdge(tb testing.TB) *edge {
	return &edge{
		tb: tb, table: newTable(), got: map[string]*received{},
		seals: map[string][]*topic.Seal{},
	}
}

func pidOf(key string) *actor.PID { return actor.NewPID("nonhost", key) }

func (e *edge) subscribe(key string) *received {
	ring := topic.NewRing(topic.Limits{Bytes: 1 << 30, Time: 1000 * media.Second})
	r := &received{machine: topic.NewMachine(ring), ring: ring, refused: map[error]int{}}
	e.mu.Lock()
	e.got[key] = r
	e.mu.Unlock()
	e.table.subscribe(key, "", pidOf(key))
	return r
}

// send is what the link sends messages to subscribers by.
func (e *edge) send(to *actor.PID, msg any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.got[to.Id]
	push := func(u *topic.Unit, in func(*topic.Unit) (*topic.Unit, error)) {
		entered, err := in(u)
		if err != nil {
			r.refused[topic.ErrNoKeyframe]++
			return
		}
		r.units = append(r.units, entered)
		e.behindSeal(to.Id, r, u)
	}
	switch msg := msg.(type) {
	case *topic.Unit:
		push(msg, r.machine.Push)
	case *topic.Snapshot:
		for _, u := range msg.Units {
			push(u, r.machine.Adopt)
		}
	case *topic.Seal:
		r.seals = append(r.seals, msg)
		r.machine.Seal(msg)
	case *gate.Gone:
	default:
		e.tb.Errorf("a subscriber gets %T", msg)
	}
}

// behindSeal holds that a unit that was published behind a seal comes behind it.
func (e *edge) behindSeal(key string, r *received, u *topic.Unit) {
	for _, s := range e.seals[key] {
		if s.Epoch != u.Epoch || u.Seq <= s.Seq {
			continue
		}
		if has := r.ring.Sealed(); has == nil || has.Epoch == s.Epoch && has.Seq < s.Seq {
			e.tb.Errorf("%s: %d.%d comes before the seal %v, sealed is %v", key, u.Epoch, u.Seq, s, has)
		}
	}
}

// at is how many units a subscriber has.
func (e *edge) at(r *received) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(r.units)
}

// connection is a link between the two over a pipe.
type connection struct {
	*pipe
	group    *own.Group
	counts   own.Counts
	ended    [2]chan struct{}
	reason   [2]Reason // of origin and edge
	problems chan error
}

// Directions of a connection's pipe.
const (
	toOrigin = 0
	toEdge   = 1
)

// connect links two nodes.
func connect(t *testing.T, o *origin, e *edge, capacity int, behind time.Duration) *connection {
	t.Helper()
	p, near, far := newPipe(capacity)
	c := &connection{pipe: p, problems: make(chan error, 8)}
	c.group = own.NewGroup(&c.counts, func(p *own.Panic) { c.problems <- p })
	metrics := metricsOf(t)
	for i := range c.ended {
		c.ended[i] = make(chan struct{})
	}
	c.group.Go("origin", func(ctx context.Context) {
		defer close(c.ended[0])
		w := newWire(far, -1, &metrics.origin)
		if _, err := answer(far, w.parser, spoken(), "origin"); err != nil {
			c.problems <- err
			return
		}
		s := serve(w, behind, &metrics.origin, func(ord order) { o.order(ord) })
		o.outlet = s.outlet
		c.reason[0], _ = s.run(ctx, c.group)
		s.outlet.close()
	})
	c.group.Go("edge", func(ctx context.Context) {
		defer close(c.ended[1])
		w := newWire(near, 1<<20, &metrics.edge)
		if _, err := greet(near, w.parser, spoken(), "edge"); err != nil {
			c.problems <- err
			return
		}
		s := follow(w, e.table, &metrics.edge, e.send)
		c.reason[1], _ = s.run(ctx, c.group)
		e.table.disconnect(s.control, e.send)
	})
	return c
}

// order does what the origin's actor would.
func (o *origin) order(ord order) {
	if s := o.rings[ord.feed.key]; s != nil && !ord.over {
		o.outlet.attach(ord.feed.key, ord.feed.rendition, s.tap)
	}
}

// down waits until both ends are over, and says why they were.
func (c *connection) down(t *testing.T) [2]Reason {
	t.Helper()
	<-c.ended[0]
	<-c.ended[1]
	if left := c.group.Stop(time.Second); left != 0 {
		t.Errorf("%d goroutines are left", left)
	}
	select {
	case err := <-c.problems:
		t.Error(err)
	default:
	}
	return c.reason
}

// close ends a connection in order.
func (c *connection) close(t *testing.T) {
	t.Helper()
	c.cut()
	c.down(t)
}

// same holds what a subscriber has to what was sent, from a unit on: all of it, byte for byte.
func same(t *testing.T, r *received, sent []*topic.Unit) {
	t.Helper()
	if len(r.units) != len(sent) {
		t.Errorf("%d units of %d arrived", len(r.units), len(sent))
	}
	for i := range min(len(r.units), len(sent)) {
		if err := alike(r.units[i], sent[i]); err != nil {
			t.Errorf("unit %d: %v", i, err)
			return
		}
	}
}

func alike(got, sent *topic.Unit) error {
	switch {
	case got.Epoch != sent.Epoch || got.Seq != sent.Seq:
		return fmt.Errorf("%d.%d in place of %d.%d", got.Epoch, got.Seq, sent.Epoch, sent.Seq)
	case got.Kind != sent.Kind || got.Role != sent.Role || got.Codec != sent.Codec:
		return fmt.Errorf("%v %v %v", got.Kind, got.Role, got.Codec)
	case got.DTS != sent.DTS || got.CTS != sent.CTS:
		return fmt.Errorf("times %v and %v, not %v and %v", got.DTS, got.CTS, sent.DTS, sent.CTS)
	case !bytes.Equal(got.Body, sent.Body) || !bytes.Equal(got.Tail, sent.Tail):
		return fmt.Errorf("%d.%d has other bytes", got.Epoch, got.Seq)
	case (got.Header == nil) != (sent.Header == nil),
		got.Header != nil && got.Header.Seq != sent.Header.Seq:
		return fmt.Errorf("%d.%d is under another header", got.Epoch, got.Seq)
	}
	return nil
}

func newOrigin() *origin { return &origin{rings: map[string]*source{}} }

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }
