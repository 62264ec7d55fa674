package directory

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// chooseStandby chooses who mirrors what is active here. Whoever was chosen stays it while it can:
// each change costs a mirror that has everything for one that has nothing yet.
func (m *machine) chooseStandby(key string) {
	c, v := m.here[key], &m.atlas.view
	if c == nil || !v.Held || !v.Synced {
		return
	}
	if b := v.backupFor(key, c.standby); b != nil {
		c.standby = b.Node // it has everything, and more than a mirror
		return
	}
	now := v.Nodes[c.standby]
	usable := now != nil && c.standby != m.name && now.Has(RoleOrigin) && now.Link != ""
	if usable && now.State == Ready {
		return
	}
	chosen := ChooseStandby(v, key, m.name)
	if warm := v.warm(key, m.name); warm != "" && c.standby == "" {
		chosen = warm
	}
	if usable && chosen != "" && v.Nodes[chosen].State != Ready {
		return // that would be no better
	}
	c.standby = chosen
}

// backupFor is the record of a backup that can be the standby, rather the one that is.
func (v *View) backupFor(key, standby string) *Broadcast {
	var found *Broadcast
	for _, b := range v.Broadcasts[key] {
		n := v.Nodes[b.Node]
		if b.Role == Backup && b.Node != v.Self && n != nil && n.Link != "" &&
			(found == nil || b.Node == standby) {
			found = b
		}
	}
	return found
}

// warm is the node that mirrors a key already, for whoever was active before, "" if none can go on
// with that.
func (v *View) warm(key, active string) string {
	for _, b := range v.Broadcasts[key] {
		n := v.Nodes[b.Node]
		if b.Role == Standby && b.Node != active && n != nil && n.Has(RoleOrigin) && n.Link != "" &&
			rank(n) == 0 {
			return b.Node
		}
	}
	return ""
}

// undecided is how long a standby waits for a new active node to say who its standby is: most often
// it stays the same.
const undecided = 2 * time.Second

// pinning mirrors a key, or ends that, as the record of its active node says.
func (m *machine) pinning(key string, now time.Time) {
	p := m.pins[key]
	active := m.atlas.view.Active(key)
	if active != nil && active.Node == m.name {
		active = nil // an old record of this node's
	}
	switch {
	case m.here[key] != nil:
		m.unpin(key, "this node is the active one")
	case m.backups[key] != nil && active == nil:
		m.mirrorAlone(key, now)
	case m.backups[key] != nil:
		m.mirror(key, active, now)
	case active != nil && active.Standby == m.name:
		m.mirror(key, active, now)
	case p == nil:
	case active == nil && m.haunting(key, now): // it is there, etcd cannot hear it
		p.since = time.Time{}
	case !m.atlas.view.Held: // nobody can say whether the active node is gone
		p.since = time.Time{}
	case active != nil && active.Standby != "":
		m.unpin(key, "another node is the standby")
	case active != nil && active.Epoch == p.epoch:
		m.unpin(key, "no standby is wanted")
	case p.since.IsZero():
		p.since = now
	case now.Sub(p.since) > m.grace || active != nil && now.Sub(p.since) > undecided:
		m.unpin(key, "the active node is gone")
	}
}

// who a pin is for.
const who = "standby"

// mirror pins what the active node gives out.
func (m *machine) mirror(key string, active *Broadcast, now time.Time) {
	p := m.pins[key]
	if p == nil {
		p = &pinned{renditions: map[string]*pin{}}
		m.pins[key] = p
	}
	p.epoch, p.since = active.Epoch, time.Time{}
	wanted := append([]string{""}, active.Renditions...)
	for _, rendition := range wanted {
		if p.renditions[rendition] == nil {
			p.renditions[rendition] = &pin{}
			m.startPin(key, rendition, now)
		}
	}
	for _, rendition := range sortedKeys(p.renditions) {
		if !slices.Contains(wanted, rendition) {
			m.stopPin(p, rendition, "the rendition is gone")
		}
	}
	m.record(key)
	m.metrics.pins.Set(float64(len(m.pins)))
}

func (m *machine) startPin(key, rendition string, now time.Time) {
	spec := m.place.Pin(key, rendition, who)
	one := m.pins[key].renditions[rendition]
	one.child, one.asked = spec.Name, now
	m.out.Send(m.place.Pins, &supervise.StartChild{Spec: spec})
}

func (m *machine) stopPin(p *pinned, rendition, why string) {
	m.out.Send(m.place.Pins, &supervise.StopChild{Name: p.renditions[rendition].child, Reason: why})
	delete(p.renditions, rendition)
}

func (m *machine) unpin(key, why string) {
	p := m.pins[key]
	if p == nil {
		return
	}
	for _, rendition := range sortedKeys(p.renditions) {
		m.stopPin(p, rendition, why)
	}
	delete(m.pins, key)
	m.record(key)
	m.metrics.pins.Set(float64(len(m.pins)))
}

// up tells whether the public rendition is mirrored.
func (p *pinned) up() bool {
	public := p.renditions[""]
	return public != nil && public.up
}

// names are the renditions that are mirrored beside the public one.
func (p *pinned) names() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.renditions)), func(r string) bool {
		return r == "" || !p.renditions[r].up
	})
}

// childUp notes that a link or pin was started.
func (m *machine) childUp(pid *actor.PID, now time.Time) {
	is := func(child string) bool { return strings.HasSuffix(pid.Id, "/"+child) }
	for _, link := range m.links {
		if !link.up && is(link.spec.Name) {
			link.up = true
			for _, key := range sortedKeys(link.keys) {
				m.relocate(key, now)
			}
			return
		}
	}
	for key, p := range m.pins {
		for _, one := range p.renditions {
			if !one.up && is(one.child) {
				one.up = true
				m.record(key)
				m.splicing(key, now)
				return
			}
		}
	}
	for _, b := range m.backups {
		for _, one := range b.splices {
			if !one.up && is(one.child) {
				one.up = true
				return
			}
		}
	}
}
