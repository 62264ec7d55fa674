package link

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// tiers is a cluster of nodes in one process, and what its directory would hold.
type tiers struct {
	t      *testing.T
	epochs atomic.Uint64
	end    atomic.Int64 // of the timeline so far, in milliseconds
}

// tierNode is one node.
type tierNode struct {
	*actors.Node
	world   *tiers
	name    string
	address string
	system  *actor.ActorSystem
	at      actors.ClusterPlace
	pid     *actor.PID // the registrar
	census  *supervise.Census

	mu    sync.Mutex
	heard []any
}

// start starts a node.
func (w *tiers) start(name string) *tierNode {
	w.t.Helper()
	socket, err := Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	n := &tierNode{
		world: w, name: name, address: socket.Addr().String(), census: supervise.NewCensus(),
	}
	o := Options{
		Node: name, MaxBehind: 8 * time.Second, MaxUnit: 1 << 20, Metrics: metricsOf(w.t),
	}
	up := make(chan struct{})
	n.Node, err = actors.Start(actors.Options{
		Runtime:  &supervise.Runtime{Census: n.census, Log: slog.New(slog.DiscardHandler)},
		Registry: prometheus.NewRegistry(), Ring: topic.DefaultLimits(), Grace: time.Minute,
		Linger: 50 * time.Millisecond,
		Links: actors.Links{
			Listener: NewListener(o, socket),
			Dial: func(node, address string) (link, dial func(*supervise.Self) actor.Actor) {
				return NewOrigin(o, node, address)
			},
		},
		Cluster: actors.Cluster{
			Registrar: func(at actors.ClusterPlace) func(*supervise.Self) actor.Actor {
				n.at = at
				return func(*supervise.Self) actor.Actor { return &registrar{n: n, up: up} }
			},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	<-up
	eventually(w.t, name+" is up", func() bool { return len(n.census.PIDs("listeners")) == 1 })
	w.t.Cleanup(func() { n.stop() })
	return n
}

func (n *tierNode) stop() {
	if n.system == nil {
		return
	}
	n.system = nil
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.Stop(ctx, "the test is over"); err != nil {
		n.world.t.Error(err)
	}
}

// place has the node's registrar tell that a key is on other nodes.
func (n *tierNode) place(key string, on ...*tierNode) {
	n.system.Root.Send(n.pid, &placing{key, on})
}

type placing struct {
	key string
	on  []*tierNode
}

// registrar does on a node what the cluster's would.
type registrar struct {
	n      *tierNode
	up     chan struct{}
	places map[string][]*tierNode
	links  map[*tierNode]*actor.PID
	ready  map[string]bool // links that are up
	asked  map[string]bool
}

// Receive implements actor.Actor.
func (r *registrar) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		r.places, r.links = map[string][]*tierNode{}, map[*tierNode]*actor.PID{}
		r.ready, r.asked = map[string]bool{}, map[string]bool{}
		if r.n.system == nil {
			r.n.system, r.n.pid = ctx.ActorSystem(), ctx.Self()
			close(r.up)
		}
	case *directory.Reserve:
		next := r.n.world.epochs.Add(1)
		for next <= msg.Floor {
			next = r.n.world.epochs.Add(1)
		}
		ctx.Respond(&directory.Reserved{
			Key: msg.Key, Turn: msg.Turn, Epoch: next,
			Last: media.FromMillis(r.n.world.end.Load()), HasLast: true, LastTime: time.Now(),
		})
	case *directory.Locate:
		r.asked[msg.Key] = true
		r.tell(ctx, msg.Key)
	case *directory.Forget:
		delete(r.asked, msg.Key)
	case *placing:
		r.places[msg.key] = msg.on
		r.connect(ctx, msg.on)
		r.tell(ctx, msg.key)
	case *supervise.ChildStarted:
		for _, link := range r.links {
			if link.Id == msg.PID.Id+"/link" {
				r.ready[link.Id] = true
			}
		}
		for key := range r.places {
			r.tell(ctx, key)
		}
	case *directory.Here, *directory.NotHere, *supervise.Rebind:
		r.n.mu.Lock()
		r.n.heard = append(r.n.heard, msg)
		r.n.mu.Unlock()
	}
}

func (r *registrar) connect(ctx actor.Context, nodes []*tierNode) {
	for _, node := range nodes {
		if r.links[node] == nil {
			spec, link := r.n.at.LinkTo(node.name, node.address, len(r.links)+1)
			r.links[node] = link
			ctx.Request(r.n.at.Out, &supervise.StartChild{Spec: spec})
		}
	}
}

func (r *registrar) tell(ctx actor.Context, key string) {
	msg := &directory.Places{Key: key}
	for _, node := range r.places[key] {
		if link := r.links[node]; r.ready[link.Id] {
			msg.Places = append(msg.Places, directory.Place{Node: node.name, Link: link})
		}
	}
	if r.asked[key] {
		ctx.Send(r.n.at.Directory, msg)
	}
}

// pin keeps a node's edge of a key alive, and collects what comes to it.
func (n *tierNode) pin(key string) *collector {
	n.system.Root.Send(n.at.Pins, &supervise.StartChild{Spec: n.at.Pin(key, "", "test")})
	return n.collect(key, n.system.NewLocalPID(n.at.Pins.Id+"/pin/"+key+"@/test"))
}

func (n *tierNode) unpin(key string) {
	n.system.Root.Send(n.at.Pins, &supervise.StopChild{Name: "pin/" + key + "@/test"})
}

// collect collects what a gate, or a pin, gives out.
func (n *tierNode) collect(key string, at *actor.PID) *collector {
	c := &collector{t: n.world.t, at: at, of: n}
	c.pid = n.system.Root.Spawn(actor.PropsFromFunc(c.Receive))
	eventually(n.world.t, "there is a ring of "+key+" on "+n.name, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.ring != nil
	})
	return c
}

// collector reads the units of a ring, and of the rings after it.
type collector struct {
	t   *testing.T
	of  *tierNode
	at  *actor.PID
	pid *actor.PID

	mu     sync.Mutex
	ring   *topic.Ring
	reader *topic.Reader
	units  []*topic.Unit
}

// Receive implements actor.Actor.
func (c *collector) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started, *again:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.ring == nil { // the gate may not be up
			ctx.Send(c.at, &gate.Tap{Follower: ctx.Self()})
			supervise.After(ctx, 20*time.Millisecond, &again{})
		}
	case *gate.Tapped:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.ring != msg.Ring {
			c.ring, c.reader = msg.Ring, topic.NewFollower(msg.Ring, 0)
			c.ring.Watch(c)
		}
	}
}

// RingMoved implements topic.Watcher: it reads at once, so that it begins with what comes first.
func (c *collector) RingMoved() { c.got() }

type again struct{}

// got returns all that has come so far.
func (c *collector) got() []*topic.Unit {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		units := c.reader.Next(make([]*topic.Unit, 0, 64), 1<<20)
		if c.units = append(c.units, units...); len(units) == 0 {
			return c.units
		}
	}
}

// last is the place of the newest unit.
func (c *collector) last() place {
	units := c.got()
	if len(units) == 0 {
		return place{}
	}
	return place{units[len(units)-1].Epoch, units[len(units)-1].Seq}
}

// catches waits until a collector has what another has last.
func (c *collector) catches(other *collector) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%s has what %s has", c.of.name, other.of.name), func() bool {
		return other.last() != place{} && c.last() == other.last()
	})
}

// The types of RTMP messages.
const (
	typeAudio = 8
	typeVideo = 9
)

// publisher feeds a broadcast of a node.
type publisher struct {
	n     *tierNode
	key   string
	epoch uint64
	to    *actor.PID
	time  uint32
	count uint32
}

func (n *tierNode) publish(key string) *publisher {
	n.world.t.Helper()
	if err := n.Publish(context.Background(), key, nil); err != nil {
		n.world.t.Fatal(err)
	}
	p := &publisher{n: n, key: key, epoch: n.world.epochs.Load()}
	p.to = n.system.NewLocalPID(fmt.Sprintf("node/broadcasts/broadcast/%s.%d/ingest", key, p.epoch))
	p.send(typeVideo, "\x17\x00\x00\x00\x00\x01\x42\x00\x1e\xff\xe1\x00\x04\x67\x42\x00\x1e"+
		"\x01\x00\x02\x68\x01")
	p.send(typeAudio, "\xaf\x00\x12\x10")
	return p
}

// output collects what leaves the broadcast.
func (p *publisher) output() *collector {
	return p.n.collect(p.key, p.n.system.NewLocalPID(
		fmt.Sprintf("node/broadcasts/broadcast/%s.%d/gate", p.key, p.epoch)))
}

func (p *publisher) send(kind uint8, text string) {
	body, tail := topic.NewBody(len(text))
	copy(body, text)
	packet := &ingest.Packet{
		Arrival: media.FromMillis(int64(p.time)), Arrived: time.Now().UnixNano(),
	}
	m := &packet.Message
	m.Type, m.Timestamp, m.StreamID, m.Body, m.Tail = kind, p.time, 1, body, tail
	p.n.system.Root.Send(p.to, packet)
}

// frames publishes n pictures and as much sound, faster than in earnest.
func (p *publisher) frames(n int) {
	for i := range n {
		p.count++
		nal := fmt.Sprintf("%c picture %6d of %6d", 0x41, p.count, p.epoch)
		head := "\x27\x01\x00\x00\x00"
		if i%20 == 0 {
			nal, head = "\x65"+nal[1:], "\x17\x01\x00\x00\x00"
		}
		size := binary.BigEndian.AppendUint32(nil, uint32(len(nal)))
		p.send(typeVideo, head+string(size)+nal)
		p.send(typeAudio, "\xaf\x01 sound"+nal)
		p.time += 33
		p.n.world.end.Add(33)
		pass(2 * time.Millisecond)
	}
}

func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !met() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("still not: %s", what)
		}
	}
}
