package directory

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors"
	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/membership"
	"github.com/headwater-live/headwater/codec/media"
)

// machine decides what a registrar does: what is told goes in with the time, and what is to be
// sent, registered and claimed comes out.
type machine struct {
	*memory
	name    string
	node    Node // as it was registered last
	load    Load // as it is
	fanout  int
	grace   time.Duration
	place   actors.ClusterPlace
	keys    Keys
	atlas   *atlas
	ghosts  map[string]map[string]*ghost // by key and node
	metrics *Metrics

	out       supervise.Outbox
	registers []registration
	rewrites  []string // keys that somebody else has taken away
	seen      bool     // this process' record was in the view
	twin      bool     // another process has this node's name, and wrote after this one
	began     time.Time
	wasHeld   bool     // this process has been a member before
	claims    []*claim // to be begun
	joins     []*joining
	early     []*joining // wait for an active
	told      bool       // the view has changed, but for what came from etcd
	written   map[string]string
}

// registration is a key to be registered, or with no value, not any more.
type registration struct {
	key   string
	value []byte
}

// claim is a Reserve that is being served.
type claim struct {
	local.Reserve
	from  *actor.PID
	begin time.Time
	ask   []Node // who may know how far the broadcast came

	highest uint64 // that somebody was active in, as far as is known
}

func newMachine(
	o *Options, place actors.ClusterPlace, m *memory, bad func(string, error),
) *machine {
	machine := &machine{
		memory: m, name: o.Node.Name, node: o.Node, load: o.Node.Load, fanout: o.Fanout,
		grace: o.Grace, place: place, keys: o.Keys, metrics: o.Metrics,
		atlas:  newAtlas(o.Node.Name, bad),
		ghosts: map[string]map[string]*ghost{}, written: map[string]string{},
	}
	machine.node.State = m.state
	return machine
}

// begin registers everything that is known already.
func (m *machine) begin(now time.Time) {
	m.began = now
	m.load.Broadcasts = len(m.here)
	m.node.Load = m.load
	m.register(m.keys.Node(m.name), encode(&m.node))
	for _, key := range sortedKeys(m.here) {
		m.record(key)
	}
	for _, key := range sortedKeys(m.pins) {
		m.record(key)
	}
	for _, b := range m.backups { // who was asked by a former incarnation answers to nobody
		b.asking = false
	}
	m.tick(now)
}

func (m *machine) register(key string, value []byte) {
	was, ok := m.written[key]
	if ok == (value != nil) && was == string(value) {
		return
	}
	if value == nil {
		delete(m.written, key)
	} else {
		m.written[key] = string(value)
	}
	m.registers = append(m.registers, registration{key, value})
}

// record registers what this node carries of a key.
func (m *machine) record(key string) {
	var b *Broadcast
	if c := m.here[key]; c != nil {
		b = &Broadcast{
			Role: Active, Epoch: c.epoch, Publishing: c.publishing, Standby: c.standby,
			Renditions: c.renditions,
		}
	} else if p := m.pins[key]; p != nil && p.up() {
		b = &Broadcast{Role: Standby, Epoch: p.epoch, Renditions: p.names()}
		if own := m.backups[key]; own != nil {
			b.Role, b.Publishing = Backup, own.publishing
		}
	}
	if b == nil {
		m.register(m.keys.Broadcast(key, m.name), nil)
		return
	}
	m.register(m.keys.Broadcast(key, m.name), encode(b))
}

// carry notes what this node is the origin of.
func (m *machine) carry(h *local.Here, now time.Time) {
	c := m.here[h.Key]
	if c == nil {
		c = &carried{}
		m.here[h.Key] = c
	}
	if h.Epoch < c.epoch {
		return
	}
	if h.Epoch > c.epoch {
		c.outdated = 0
	}
	c.epoch, c.publishing, c.doubt = h.Epoch, h.Publishing, time.Time{}
	c.asked = now
	m.askRenditions(h.Key)
	m.yields(h.Key, now)
	m.pinning(h.Key, now)
	m.chooseStandby(h.Key)
	m.knowBackup(h.Key, now)
	m.record(h.Key)
	m.outdate(h.Key)
	m.relocate(h.Key, now)
}

// drop notes that it is the origin of a key no more.
func (m *machine) drop(n *local.NotHere, now time.Time) {
	if c := m.here[n.Key]; c == nil || n.Epoch < c.epoch {
		return
	}
	delete(m.here, n.Key)
	m.knowBackup(n.Key, now)
	m.pinning(n.Key, now)
	m.splicing(n.Key, now)
	m.record(n.Key)
	m.relocate(n.Key, now)
}

// outdate tells the directory if another node has a higher epoch of what is carried here.
func (m *machine) outdate(key string) {
	c := m.here[key]
	if c == nil {
		return
	}
	epoch, node := m.atlas.view.highest(key)
	if epoch > c.epoch && epoch != c.outdated && node != m.name {
		c.outdated = epoch
		m.out.Send(m.place.Directory, &local.Outdated{Key: key, Epoch: epoch, Node: node})
	}
}

// Reasons for a publisher to read.
const (
	reasonUnreachable = "the cluster's directory (etcd) cannot be reached; " +
		"broadcasts on the air go on; try again"
	reasonFailed = "the cluster's directory (etcd) failed; broadcasts on the air go on; try again"
	reasonBusy   = "others claim the stream key at the same time; try again"
)

// firstLease is how long after its start a node may take to become a member: until then who wants
// to publish is not refused but waits.
const firstLease = 2 * time.Second

// reserve begins a claim, or refuses it.
func (m *machine) reserve(r *local.Reserve, from *actor.PID, held bool, now time.Time) {
	c := &claim{Reserve: *r, from: from, begin: now}
	_, mine := m.here[r.Key]
	switch {
	case m.twin:
		m.refuse(c, claimNotHeld, "another node of the cluster has the name "+m.name+
			" too; publish to another, and have its operator give each a name of its own")
	case !held && (m.wasHeld || now.Sub(m.began) > firstLease):
		m.refuse(c, claimNotHeld, reasonUnreachable)
	case !m.node.Has(RoleOrigin):
		m.refuse(c, claimNoOrigin, m.elsewhere(r.Key, "is no origin"))
	case m.state == Draining:
		m.refuse(c, claimDraining, m.elsewhere(r.Key, "is draining"))
	case !mine && m.node.Limit > 0 && len(m.here) >= m.node.Limit:
		m.refuse(c, claimFull, m.elsewhere(r.Key, "is full"))
	default:
		c.ask = m.carriers(r.Key)
		if active := m.atlas.view.Active(r.Key); active != nil {
			c.highest = active.Epoch
		}
		m.claims = append(m.claims, c)
	}
}

// carriers are the other nodes that carry a key, or had its last epoch, and are there; and this
// one, if it mirrors the key.
func (m *machine) carriers(key string) []Node {
	names := map[string]bool{}
	v := &m.atlas.view
	for _, b := range v.Broadcasts[key] {
		names[b.Node] = true
	}
	if e := v.Epochs[key]; e != nil {
		names[e.Node] = true
	}
	mirrored := m.pins[key] != nil && m.pins[key].up()
	var nodes []Node
	for _, name := range sortedKeys(names) {
		if n := v.Nodes[name]; n != nil && (name != m.name || mirrored) {
			nodes = append(nodes, *n)
		}
	}
	return nodes
}

// elsewhere says why this node takes no publisher, and which one would.
func (m *machine) elsewhere(key, why string) string {
	reason := "node " + m.name + " " + why
	better := m.atlas.view.placeOrigin(key, m.name)
	switch {
	case better == nil:
		return reason + ", and there is no other to publish to; try again later"
	case better.RTMP == "":
		return reason + "; publish to node " + better.Name
	}
	return fmt.Sprintf("%s; publish to node %s, rtmp://%s", reason, better.Name, better.RTMP)
}

func (m *machine) refuse(c *claim, outcome claimOutcome, reason string) {
	m.metrics.claims[outcome].Inc()
	m.out.Send(c.from, &local.Unreserved{Key: c.Key, Turn: c.Turn, Reason: reason})
}

// apart is how much later the timeline of an epoch begins while a backup shows the former: what it
// does until then may not reach beyond that beginning, or edges would move the whole epoch, each by
// as much as it has seen.
const apart = 250 * media.Millisecond

// claimed ends a claim.
func (m *machine) claimed(c *claim, epoch uint64, far State, err error, now time.Time) {
	m.metrics.claim.Observe(now.Sub(c.begin).Seconds())
	var published *PublishedError
	switch {
	case err == nil:
		m.metrics.claims[claimGranted].Inc()
		if b := m.atlas.view.Backup(c.Key); b != nil && b.Node != m.name && b.Publishing {
			far.Last += apart
		}
		m.out.Send(c.from, &local.Reserved{
			Key: c.Key, Turn: c.Turn, Epoch: epoch,
			Last: far.Last, HasLast: far.HasLast, LastTime: far.At,
		})
	case errors.As(err, &published):
		m.refuse(c, claimPublished, "the stream key is being published already, on node "+
			published.Node)
	case errors.Is(err, ErrBusy):
		m.refuse(c, claimBusy, reasonBusy)
	case errors.Is(err, ErrNotHeld):
		m.refuse(c, claimNotHeld, reasonUnreachable)
	case errors.Is(err, membership.ErrUnreachable):
		m.refuse(c, claimUnreachable, reasonUnreachable)
	default:
		m.refuse(c, claimFailed, reasonFailed)
	}
}

// setState has the node take new broadcasts, or not.
func (m *machine) setState(s Status) {
	if s != Ready && s != Draining {
		return
	}
	m.state, m.node.State = s, s
	m.node.Load = m.load
	m.register(m.keys.Node(m.name), encode(&m.node))
}

// sampled notes the node's load, and registers it if it has changed noticeably.
func (m *machine) sampled(l Load) {
	l.Broadcasts = len(m.here)
	m.load = l
	if noticeable(m.node.Load, l) && !m.twin {
		m.node.Load = l
		m.register(m.keys.Node(m.name), encode(&m.node))
	}
}

// noticeable tells whether a load differs by more than its breath.
func noticeable(was, is Load) bool {
	far := func(a, b float64) bool { return a-b > 0.05 || b-a > 0.05 }
	grown := func(a, b int64) bool {
		d := max(a-b, b-a)
		return d*10 > max(a, b)
	}
	return far(was.CPU, is.CPU) || far(was.Memory, is.Memory) ||
		was.Broadcasts != is.Broadcasts || grown(int64(was.Viewers), int64(is.Viewers)) ||
		grown(was.Egress, is.Egress)
}
