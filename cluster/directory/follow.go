package directory

import (
	"slices"
	"time"

	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/membership"
)

// ghost is the record of a node that is gone as a whole: dead, or cut off from etcd while its
// broadcast goes on. Those who follow it do so for a while.
type ghost struct {
	id    string // the node's
	epoch uint64
	until time.Time
	asked time.Time // when its link was asked whether anything comes still
	heard time.Time // when the latest unit came
}

const (
	// ghostTime is how long that is, from the latest unit that came.
	ghostTime = time.Minute
	// listenEvery is how often it is looked whether units come.
	listenEvery = 5 * time.Second
	// ghostReturn is how long after its node is back with its records.
	ghostReturn = 5 * time.Second
)

// apply takes in what has changed in etcd.
func (m *machine) apply(changes []membership.Change, synced, held bool, now time.Time) {
	m.haunt(changes, now)
	v := &m.atlas.view
	first := synced && !v.Synced || held && !v.Held
	v.Synced, v.Held = v.Synced || synced, held
	m.wasHeld = m.wasHeld || held
	t := m.atlas.apply(changes)
	m.guard(changes)
	for name := range t.nodes {
		m.lay(name, now)
	}
	if len(t.nodes) > 0 || first { // the order of those that are chosen among has changed
		for key := range m.here {
			t.keys[key] = true
		}
		for key := range m.located {
			t.keys[key] = true
		}
	}
	for _, key := range sortedKeys(t.keys) {
		m.outdate(key)
		m.pinning(key, now)
		m.chooseStandby(key)
		m.knowBackup(key, now)
		m.splicing(key, now)
		m.record(key)
		m.relocate(key, now)
	}
	m.joinAgain(now)
	m.metrics.members.Set(float64(len(v.Nodes)))
	m.metrics.broadcasts.Set(float64(len(v.Broadcasts)))
}

// guard sees to this node's own records: one that is gone although it is registered is written
// again, and one of another process is left to it, as the two would fight for ever. Settings that
// are gone are stored again by whoever has them.
func (m *machine) guard(changes []membership.Change) {
	for _, c := range changes {
		p, ok := parse(c.Key)
		if ok && p.kind == kindSettings && c.Deleted {
			m.out.Send(m.place.Settings, &settings.Vanished{Key: p.key})
		}
		if !ok || p.node != m.name {
			continue
		}
		key := m.keys.Prefix() + c.Key
		if _, registered := m.written[key]; registered && c.Deleted {
			m.rewrites = append(m.rewrites, key)
		}
		if p.kind == kindNodes {
			n := m.atlas.view.Nodes[m.name]
			m.seen = m.seen || n != nil && n.ID == m.node.ID
			m.twin = m.seen && n != nil && n.ID != m.node.ID
		}
	}
}

// haunt notes the records that are about to go together with their nodes.
func (m *machine) haunt(changes []membership.Change, now time.Time) {
	gone := map[string]bool{}
	for _, c := range changes {
		if p, ok := parse(c.Key); ok && c.Deleted && p.kind == kindNodes {
			gone[p.node] = true
		}
	}
	for _, c := range changes {
		p, ok := parse(c.Key)
		if !ok || !c.Deleted || p.kind != kindBroadcasts || !gone[p.node] || p.node == m.name {
			continue
		}
		b, n := m.atlas.view.Of(p.key, p.node), m.atlas.view.Nodes[p.node]
		if b == nil || n == nil {
			continue
		}
		if m.ghosts[p.key] == nil {
			m.ghosts[p.key] = map[string]*ghost{}
		}
		m.ghosts[p.key][p.node] = &ghost{id: n.ID, epoch: b.Epoch, until: now.Add(ghostTime)}
	}
}

// lay ends the ghosts of a node that is back.
func (m *machine) lay(name string, now time.Time) {
	n := m.atlas.view.Nodes[name]
	if n == nil {
		return
	}
	for _, ghosts := range m.ghosts {
		g := ghosts[name]
		switch {
		case g == nil:
		case g.id != n.ID:
			delete(ghosts, name)
		default:
			g.until = now.Add(ghostReturn)
		}
	}
}

// haunted are the nodes that are followed for a key although their records are gone.
func (m *machine) haunted(key string, now time.Time) []string {
	v := &m.atlas.view
	epoch, _ := v.highest(key)
	var names []string
	for _, name := range sortedKeys(m.ghosts[key]) {
		g := m.ghosts[key][name]
		if !v.Held { // nobody can say that it is gone, this node included
			g.until = now.Add(ghostTime)
		}
		if v.Of(key, name) != nil || g.epoch < epoch || !now.Before(g.until) {
			delete(m.ghosts[key], name)
			continue
		}
		if m.links[name] != nil {
			names = append(names, name)
		}
	}
	if len(m.ghosts[key]) == 0 {
		delete(m.ghosts, key)
	}
	return names
}

// listen asks the links to the nodes that are followed for a key although their records are gone,
// when the latest unit came. One that cannot reach etcd gives out its broadcast for as long as that
// lasts.
func (m *machine) listen(key string, now time.Time) {
	for _, name := range sortedKeys(m.ghosts[key]) {
		g, link := m.ghosts[key][name], m.links[name]
		if link != nil && link.up && now.Sub(g.asked) >= listenEvery {
			g.asked = now
			m.out.Send(link.link, &local.Heard{Key: key})
		}
	}
}

// heard notes it. A node that is back says by itself what it has.
func (m *machine) heard(h *local.HeardAt) {
	g := m.ghosts[h.Key][h.Node]
	if g == nil || h.At.IsZero() || m.atlas.view.Nodes[h.Node] != nil {
		return
	}
	g.heard = h.At
	if until := h.At.Add(ghostTime); until.After(g.until) {
		g.until = until
	}
}

// haunting reports whether units of a key come from a node whose record is gone.
func (m *machine) haunting(key string, now time.Time) bool {
	for _, g := range m.ghosts[key] {
		if now.Sub(g.heard) < 2*listenEvery {
			return true
		}
	}
	return false
}

// locate begins to tell where a key is.
func (m *machine) locate(key string, now time.Time) {
	if m.located[key] == nil {
		m.located[key] = &located{}
	}
	m.located[key].told, m.located[key].doubt = nil, time.Time{}
	m.relocate(key, now)
}

// forget ends it.
func (m *machine) forget(key string, now time.Time) {
	l := m.located[key]
	if l == nil {
		return
	}
	delete(m.located, key)
	for _, name := range l.nodes {
		m.leave(name, key, now)
	}
}

// relocate tells where a key is, if that has changed.
func (m *machine) relocate(key string, now time.Time) {
	l := m.located[key]
	if l == nil {
		return
	}
	v := &m.atlas.view
	var names []string
	if m.here[key] == nil {
		names = Upstreams(v, m.name, key, m.fanout)
		if followsOrigins(v, m.name, key, m.fanout) {
			names = append(names, m.haunted(key, now)...)
		}
	}
	places := &local.Places{Key: key}
	epoch, _ := v.highest(key)
	l.epoch = max(l.epoch, epoch) // whoever had it is gone, it stays the highest that there was
	places.Epoch = l.epoch
	var used []string
	for _, name := range names {
		link := m.link(name, now)
		if link == nil || slices.Contains(used, name) {
			continue
		}
		used = append(used, name)
		link.keys[key] = true
		link.idle = time.Time{}
		if link.up {
			places.Places = append(places.Places, local.Place{Node: name, Link: link.link})
		}
	}
	for _, name := range l.nodes {
		if !slices.Contains(used, name) {
			m.leave(name, key, now)
		}
	}
	l.nodes = used
	if l.told == nil || !samePlaces(l.told, places) {
		l.told = places
		m.out.Send(m.place.Directory, places)
	}
}

func samePlaces(a, b *local.Places) bool {
	return a.Epoch == b.Epoch && slices.EqualFunc(a.Places, b.Places,
		func(x, y local.Place) bool { return x.Node == y.Node && x.Link.Equal(y.Link) })
}

// leave notes that a key uses a node's link no more.
func (m *machine) leave(name, key string, now time.Time) {
	link := m.links[name]
	if link == nil {
		return
	}
	delete(link.keys, key)
	if len(link.keys) == 0 && link.idle.IsZero() {
		link.idle = now
	}
}

const (
	// linkIdle is how long a link is kept that nothing uses.
	linkIdle = 30 * time.Second
	// startAgain is when the start of a child is asked for again.
	startAgain = 3 * time.Second
)

// link is that to a node, which is made if need be and anew for another process of that name. It is
// nil if the node cannot be reached.
func (m *machine) link(name string, now time.Time) *outLink {
	n, link := m.atlas.view.Nodes[name], m.links[name]
	switch {
	case n == nil || n.Link == "" || m.place.LinkTo == nil:
		return link // of a ghost
	case link != nil && link.id == n.ID && link.address == n.Link:
		return link
	}
	keys := map[string]bool{}
	if link != nil {
		m.unlink(name, "the node is another one")
		keys = link.keys
	}
	m.started++
	link = &outLink{id: n.ID, address: n.Link, keys: keys, idle: now, asked: now}
	link.spec, link.link = m.place.LinkTo(name, n.Link, m.started)
	m.links[name] = link
	m.out.Send(m.place.Out, &supervise.StartChild{Spec: link.spec})
	m.metrics.links.Set(float64(len(m.links)))
	return link
}

func (m *machine) unlink(name, why string) {
	m.out.Send(m.place.Out, &supervise.StopChild{Name: m.links[name].spec.Name, Reason: why})
	delete(m.links, name)
	m.metrics.links.Set(float64(len(m.links)))
}

// askRenditions asks which renditions a broadcast has, beside the public one.
func (m *machine) askRenditions(key string) {
	m.out.Send(m.place.Settings, &settings.Get{Key: key})
}

// renditions notes which they are.
func (m *machine) renditions(s *settings.Current) {
	if s.Settings == nil {
		return
	}
	var names []string
	for _, r := range s.Settings.Renditions {
		names = append(names, r.Name)
	}
	if b := m.backups[s.Key]; b != nil {
		b.renditions = names
	}
	c := m.here[s.Key]
	if c == nil {
		return
	}
	if !slices.Equal(names, c.renditions) {
		c.renditions = names
		m.record(s.Key)
	}
}

// followsOrigins tells whether a node follows the origins of a key themselves.
func followsOrigins(v *View, self, key string, fanout int) bool {
	if fanout <= 0 || v.Of(key, self) != nil {
		return true
	}
	return slices.Index(v.edges(self, key), self) < fanout
}
