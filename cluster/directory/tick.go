package directory

import (
	"time"

	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
)

// renditionsEvery is how often it is looked which renditions a broadcast has.
const renditionsEvery = 5 * time.Second

// doubtTime is how long what a former directory said is believed, until the present one says it.
const doubtTime = 10 * time.Second

// tick does what time alone brings about.
func (m *machine) tick(now time.Time) {
	m.tickLinks(now)
	m.tickTold(now)
	for _, key := range sortedKeys(m.pins) {
		m.pinning(key, now)
		if p := m.pins[key]; p != nil {
			m.retryPins(key, p, now)
		}
	}
	m.tickBackups(now)
	for _, key := range sortedKeys(m.ghosts) {
		m.relocate(key, now)
		m.haunted(key, now)
		m.listen(key, now)
	}
}

// tickLinks ends the links that nothing uses, and asks again for those that do not come up.
func (m *machine) tickLinks(now time.Time) {
	for _, name := range sortedKeys(m.links) {
		link := m.links[name]
		switch {
		case len(link.keys) == 0 && !link.idle.IsZero() && now.Sub(link.idle) > linkIdle:
			m.unlink(name, "nothing is followed by it")
		case !link.up && now.Sub(link.asked) > startAgain:
			link.asked = now
			m.out.Send(m.place.Out, &supervise.StartChild{Spec: link.spec})
		}
	}
}

// tickTold asks which renditions there are, and drops what nobody stands by any more.
func (m *machine) tickTold(now time.Time) {
	for _, key := range sortedKeys(m.here) {
		c := m.here[key]
		if now.Sub(c.asked) > renditionsEvery {
			c.asked = now
			m.askRenditions(key)
		}
		if !c.doubt.IsZero() && now.Sub(c.doubt) > doubtTime {
			m.drop(&local.NotHere{Key: key, Epoch: c.epoch}, now)
		}
	}
	for _, key := range sortedKeys(m.located) {
		if l := m.located[key]; !l.doubt.IsZero() && now.Sub(l.doubt) > doubtTime {
			m.forget(key, now)
		}
	}
}

func (m *machine) tickBackups(now time.Time) {
	m.joinAgain(now)
	for _, key := range sortedKeys(m.here) {
		m.knowBackup(key, now)
	}
	for _, key := range sortedKeys(m.backups) {
		b := m.backups[key]
		if !b.doubt.IsZero() && now.Sub(b.doubt) > doubtTime {
			m.unback(&local.NoBackup{Key: key, Epoch: b.epoch}, now)
			continue
		}
		if now.Sub(b.asked) > renditionsEvery {
			b.asked = now
			m.askRenditions(key)
		}
		m.pinning(key, now)
		m.splicing(key, now)
	}
}

func (m *machine) retryPins(key string, p *pinned, now time.Time) {
	for _, rendition := range sortedKeys(p.renditions) {
		if one := p.renditions[rendition]; !one.up && now.Sub(one.asked) > startAgain {
			m.startPin(key, rendition, now)
		}
	}
}

// Siblings whose restart a registrar is told of.
const (
	linksName = "links"
	pinsName  = "pins"
)

// rebind says what there is to say to a sibling that was restarted, and asks it for what it had.
func (m *machine) rebind(sibling string, now time.Time) {
	switch sibling {
	case local.Name: // it has forgotten all, and hears of what is there still
		for _, c := range m.here {
			c.doubt = now
		}
		for _, b := range m.backups {
			b.doubt = now
		}
		for _, l := range m.located {
			l.doubt, l.told = now, nil
		}
	case linksName:
		for _, name := range sortedKeys(m.links) {
			link := m.links[name]
			link.up, link.asked = false, now
			m.out.Send(m.place.Out, &supervise.StartChild{Spec: link.spec})
			for _, key := range sortedKeys(link.keys) {
				m.relocate(key, now)
			}
		}
	case pinsName:
		for _, key := range sortedKeys(m.pins) {
			for _, rendition := range sortedKeys(m.pins[key].renditions) {
				m.pins[key].renditions[rendition].up = false
				m.startPin(key, rendition, now)
			}
			if b := m.backups[key]; b != nil {
				clear(b.splices)
			}
			m.record(key)
		}
	}
}
