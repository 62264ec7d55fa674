package directory

import (
	"slices"
	"time"
)

// cluster is what a key is to the cluster: what the registrar was told of it here, and what it told
// of it elsewhere.
type cluster struct {
	told      told
	known     uint64    // the highest epoch that was granted anywhere, 0 if that is not known
	elsewhere []Place   // with the static ones, if there are others
	outdated  *Outdated // the latest, nil if there was none
}

// told is what the registrar has been told; zero is that the key is not here.
type told struct {
	epoch            uint64
	here, publishing bool
}

// here tells the registrar what this node carries of a key, if it has not been told. While the
// publisher of the next epoch is on his way, nothing being here is no news.
func (m *machine) here(e *entry) {
	now := told{}
	if e.current != nil {
		now = told{e.carried, true, e.publishing}
	}
	if m.Registrar == nil || e.told == now {
		return
	}
	m.out.Send(m.Registrar, e.said(now))
	e.told = now
}

// unkept tells that a key is here no more if the publisher it was granted to has not come.
func (m *machine) unkept(key string, now time.Time) {
	if e := m.entries[key]; e != nil && !now.Before(e.promised) {
		m.here(e)
	}
}

// locate has the registrar tell where else a key is, unlocate ends that.
func (m *machine) locate(e *entry) {
	if !e.private() {
		m.out.Send(m.Registrar, &Locate{Key: e.key})
	}
}

func (m *machine) unlocate(e *entry) {
	e.elsewhere = nil
	if !e.private() {
		m.out.Send(m.Registrar, &Forget{Key: e.key})
	}
}

// placed notes where else a key is, and tells who follows it.
func (m *machine) placed(p *Places, now time.Time) {
	e := m.entries[p.Key]
	if e == nil || len(e.followers) == 0 { // the answer to a question that is over
		return
	}
	e.touched = now
	e.known = max(e.known, p.Epoch)
	all := p.Places
	if len(all) > 0 && len(m.Static) > 0 {
		all = slices.Concat(m.Static, all)
	}
	same := func(a, b Place) bool {
		return a.Node == b.Node && a.Link.Equal(b.Link) && a.Static == b.Static
	}
	if !slices.EqualFunc(e.elsewhere, all, same) {
		e.elsewhere = all
		l := m.located(e)
		l.Elsewhere = true
		m.tellThem(e, l)
	}
}

// places are all places of a key on other nodes. Nobody changes them.
func (m *machine) places(e *entry) []Place {
	switch {
	case e.elsewhere != nil:
		return e.elsewhere
	case e.private():
		return nil
	}
	return m.Static
}

// ends has a broadcast end here that another node was granted a later epoch of.
func (m *machine) ends(o *Outdated, now time.Time) {
	e := m.entry(o.Key, now)
	if e.outdated == nil || o.Epoch > e.outdated.Epoch {
		e.outdated = o
	}
	e.epoch = max(e.epoch, o.Epoch)
	if e.current != nil && e.carried < o.Epoch {
		m.out.Send(e.current, &Supersede{Epoch: o.Epoch, Node: o.Node})
	}
}

// node is who was granted an epoch, if it was another.
func (e *entry) node(epoch uint64) string {
	if e.outdated != nil && e.outdated.Epoch == epoch {
		return e.outdated.Node
	}
	return ""
}

// rebound tells a registrar that was restarted what it has to know. What it was asked to reserve is
// not asked for again: that may have been done, and is refused after its time if it was not.
func (m *machine) rebound() {
	for _, e := range m.entries {
		e.told = told{}
		m.here(e)
		if len(e.followers) > 0 {
			m.locate(e)
		}
	}
}
