package settings

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// patience is how long a follower has to carry a command out. What it withholds until then is its
// own affair: it fails closed.
const patience = 5 * time.Second

// machine knows what was commanded. What happens goes in with the time it happens at, and messages
// come out.
type machine struct {
	entries map[string]*entry
	keys    map[string]string // what is followed, by the follower's PID
	initial Settings          // of a key that nothing was commanded of
	out     supervise.Outbox
}

// entry is what is known of one key.
type entry struct {
	settings *Settings
	follower *actor.PID
	epoch    uint64 // the follower's
	seen     []*seen
	touched  time.Time
}

// seen is a command that was accepted.
type seen struct {
	id      string
	version uint64
	answer  *Answer // nil while the follower carries it out
	askers  []*actor.PID
	until   time.Time
}

func newMachine(initial Settings) *machine {
	return &machine{entries: map[string]*entry{}, keys: map[string]string{}, initial: initial}
}

// entry returns what is known of a key, nil if there is no room for one more.
func (m *machine) entry(key string, now time.Time) *entry {
	e := m.entries[key]
	if e == nil {
		if len(m.entries) >= MaxKeys {
			return nil
		}
		initial := m.initial
		e = &entry{settings: &initial}
		m.entries[key] = e
	}
	e.touched = now
	return e
}

// command takes a command, or refuses it.
func (m *machine) command(c *Command, from *actor.PID, now time.Time) {
	if c.ID == "" || len(c.ID) > maxID {
		m.out.Send(from, refusedf("id of %d bytes: want 1 to %d", len(c.ID), maxID))
		return
	}
	e := m.entry(c.Key, now)
	if e == nil {
		m.out.Send(from, refusedf("settings of %d keys are kept already", MaxKeys))
		return
	}
	if s := e.find(c.ID); s != nil {
		if s.answer != nil {
			m.out.Send(from, s.answer)
		} else {
			s.askers = append(s.askers, from)
		}
		return
	}
	next := *e.settings
	if err := c.Change.apply(&next); err != nil {
		m.out.Send(from, err)
		return
	}
	next.Version++
	e.settings = &next
	s := &seen{id: c.ID, version: next.Version, askers: []*actor.PID{from}, until: now.Add(patience)}
	e.remember(s)
	if e.follower == nil {
		m.answer(s, &Answer{Key: c.Key, Version: next.Version, State: Stored})
		return
	}
	m.out.Send(e.follower, &Current{Key: c.Key, Settings: e.settings})
}

func (e *entry) find(id string) *seen {
	for _, s := range e.seen {
		if s.id == id {
			return s
		}
	}
	return nil
}

// remember keeps the command, and forgets the oldest that has been answered.
func (e *entry) remember(s *seen) {
	if len(e.seen) >= maxSeen {
		if i := slices.IndexFunc(e.seen, func(o *seen) bool { return o.answer != nil }); i >= 0 {
			e.seen = slices.Delete(e.seen, i, i+1)
		}
	}
	e.seen = append(e.seen, s)
}

func (m *machine) answer(s *seen, a *Answer) {
	a.ID = s.id
	s.answer = a
	for _, to := range s.askers {
		m.out.Send(to, a)
	}
	s.askers = nil
}

// follow notes who carries the settings of a key out. Whoever follows for a later epoch takes over.
func (m *machine) follow(f *Follow, now time.Time) {
	e := m.entry(f.Key, now)
	if e == nil { // what was commanded of it is nothing
		initial := m.initial
		m.out.Send(f.Follower, &Current{Key: f.Key, Settings: &initial})
		return
	}
	if f.Epoch < e.epoch {
		return
	}
	e.follower, e.epoch = f.Follower, f.Epoch
	m.keys[f.Follower.Id] = f.Key
	m.out.Send(f.Follower, &Current{Key: f.Key, Settings: e.settings})
}

// gone notes that a follower has ended: what it did not carry out is stored for the next.
func (m *machine) gone(who *actor.PID) {
	key := m.keys[who.Id]
	delete(m.keys, who.Id)
	e := m.entries[key]
	if e == nil || e.follower == nil || !e.follower.Equal(who) {
		return
	}
	e.follower = nil
	m.settle(e, func(s *seen) *Answer {
		return &Answer{Key: key, Version: s.version, State: Stored, Note: "the broadcast has ended"}
	}, func(*seen) bool { return true })
}

// held answers the commands that the follower has carried out.
func (m *machine) held(h *Held) {
	e := m.entries[h.Key]
	if e == nil || h.Epoch != e.epoch {
		return
	}
	m.settle(e, func(s *seen) *Answer {
		return &Answer{
			Key: h.Key, Version: s.version, Epoch: h.Epoch, State: h.State, PTS: h.PTS, Note: h.Note,
		}
	}, func(s *seen) bool { return s.version <= h.Version })
}

// settle answers the commands that nobody has answered yet and that are due.
func (m *machine) settle(e *entry, with func(*seen) *Answer, due func(*seen) bool) {
	for _, s := range e.seen {
		if s.answer == nil && due(s) {
			m.answer(s, with(s))
		}
	}
}

// overdue answers the commands whose follower is silent.
func (m *machine) overdue(now time.Time) {
	for key, e := range m.entries {
		m.settle(e, func(s *seen) *Answer {
			return &Answer{
				Key: key, Version: s.version, State: Stored,
				Note: "the broadcast does not answer; it holds once it does",
			}
		}, func(s *seen) bool { return !now.Before(s.until) })
	}
}

// pending tells whether a command waits for its follower.
func (m *machine) pending() bool {
	for _, e := range m.entries {
		if slices.ContainsFunc(e.seen, func(s *seen) bool { return s.answer == nil }) {
			return true
		}
	}
	return false
}

// forget drops the keys that nobody has cared for in a long time.
func (m *machine) forget(now time.Time) {
	for key, e := range m.entries {
		if e.follower == nil && now.Sub(e.touched) > Memory {
			delete(m.entries, key)
		}
	}
}

// restart notes that the actor is another one: who followed is asked to follow again by the tree.
func (m *machine) restart() {
	for _, e := range m.entries {
		e.follower = nil
	}
}
