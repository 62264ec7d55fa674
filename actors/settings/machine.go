package settings

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// patience is how long a follower has to carry a command out, and the keeper to keep it. What the
// follower withholds until then is its own affair: it fails closed.
const patience = 5 * time.Second

// Options make the actor.
type Options struct {
	// Initial are the settings of a key that nothing was commanded of.
	Initial Settings
	// Node is this node's name, which answers tell.
	Node string
	// Keeper keeps what is commanded beyond this node; nil for a node by itself.
	Keeper *actor.PID
	// Backed reports whether a key's publisher has a backup on another node, which has to hold
	// everything too. It may be nil.
	Backed func(key string) bool
}

// machine knows what was commanded. What happens goes in with the time it happens at, and messages
// come out.
type machine struct {
	Options
	entries map[string]*entry
	keys    map[string]string // what is followed, by the follower's PID
	waiting int               // commands that have no answer yet
	dirty   map[string]*entry // what may have to be stored still
	out     supervise.Outbox
}

// entry is what is known of one key.
type entry struct {
	record
	follower *actor.PID
	epoch    uint64 // the follower's
	seen     []*seen
	touched  time.Time
	holds    *Held    // the latest of the follower
	awaiting []waiter // for the follower to hold something
	keeping
}

// seen is a command that was accepted.
type seen struct {
	id      string
	version uint64
	held    *Answer // from when on it holds; nil while the follower carries it out
	kept    bool    // somewhere beside this node, or there is nowhere
	backup  *Backup // what has become of it there; nil if there is none, or it is not known
	answer  *Answer // what the askers got
	askers  []*actor.PID
	until   time.Time
}

func newMachine(o Options) *machine {
	return &machine{
		Options: o, entries: map[string]*entry{}, keys: map[string]string{},
		dirty: map[string]*entry{},
	}
}

// entry returns what is known of a key, nil if there is no room for one more.
func (m *machine) entry(key string, now time.Time) *entry {
	e := m.entries[key]
	if e == nil {
		if len(m.entries) >= MaxKeys {
			return nil
		}
		e = &entry{record: record{settings: m.Initial}}
		m.entries[key] = e
	}
	e.touched = now
	return e
}

// current is what the follower of a key, or who asks, is told.
func (e *entry) current(key string) *Current {
	settings := e.settings
	return &Current{Key: key, Settings: &settings}
}

// command takes a command, or refuses it.
func (m *machine) command(c *Command, from *actor.PID, now time.Time) {
	if !isID(c.ID) {
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
	if !e.has(c.ID) { // another node may have carried it out before this one took over
		if err := e.apply(pendingChange{id: c.ID, change: c.Change}); err != nil {
			m.out.Send(from, err)
			return
		}
		e.unstored = m.Keeper != nil
	}
	s := &seen{
		id: c.ID, version: e.settings.Version, kept: !e.unstored,
		askers: []*actor.PID{from}, until: now.Add(patience),
	}
	e.remember(s)
	m.waiting++
	m.out.Send(e.follower, e.current(c.Key))
	if e.follower == nil {
		s.held = &Answer{Key: c.Key, Version: s.version, State: Stored}
	}
	m.settle(c.Key, e, s)
	m.store(c.Key, e, now)
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

// settle answers a command that holds and is kept.
func (m *machine) settle(key string, e *entry, s *seen) {
	if s.answer != nil || s.held == nil || !s.kept {
		return
	}
	a := *s.held
	m.answer(s, &a)
}

func (m *machine) answer(s *seen, a *Answer) {
	a.ID, a.Node = s.id, m.Node
	s.backup.weigh(a)
	if a.Version < s.version { // it was done again on top of what others have
		a.Version = s.version
	}
	s.answer = a
	m.waiting--
	for _, to := range s.askers {
		m.out.Send(to, a)
	}
	s.askers = nil
}

// follow notes who carries the settings of a key out. Whoever follows for a later epoch takes over.
func (m *machine) follow(f *Follow, now time.Time) {
	e := m.entry(f.Key, now)
	if e == nil { // what was commanded of it is nothing
		initial := m.Initial
		m.out.Send(f.Follower, &Current{Key: f.Key, Settings: &initial})
		return
	}
	if f.Epoch < e.epoch {
		return
	}
	if !f.Follower.Equal(e.follower) {
		e.holds = nil
	}
	e.follower, e.epoch = f.Follower, f.Epoch
	m.keys[f.Follower.Id] = f.Key
	m.out.Send(f.Follower, e.current(f.Key))
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
	m.heard(key, e)
	for _, s := range e.seen {
		if s.held == nil {
			s.held = &Answer{
				Key: key, Version: s.version, State: Stored, Note: "the broadcast has ended",
			}
			m.settle(key, e, s)
		}
	}
}

// held notes the commands that the follower has carried out.
func (m *machine) held(h *Held) {
	e := m.entries[h.Key]
	if e == nil || h.Epoch != e.epoch {
		return
	}
	e.holds = h
	m.heard(h.Key, e)
	for _, s := range e.seen {
		if s.held == nil && s.version <= h.Version {
			s.held = &Answer{
				Key: h.Key, Version: s.version, Epoch: h.Epoch, State: h.State, PTS: h.PTS, Note: h.Note,
			}
			m.settle(h.Key, e, s)
		}
	}
}

// overdue answers the commands whose follower or keeper is silent.
func (m *machine) overdue(now time.Time) {
	for key, e := range m.entries {
		for _, s := range e.seen {
			if s.answer != nil || now.Before(s.until) {
				continue
			}
			if s.held == nil {
				s.held = &Answer{
					Key: key, Version: s.version, State: Stored,
					Note: "the broadcast does not answer; it holds once it does",
				}
			}
			if s.backup == nil && m.backed(key) {
				s.backup = &Backup{Reason: "there was no answer in time"}
			}
			m.unkept(s, "there was no answer in time")
		}
	}
}

// pending tells whether a command waits for its follower or the keeper, and until when the first
// may wait.
func (m *machine) pending() (until time.Time, some bool) {
	if m.waiting == 0 {
		return until, false
	}
	for _, e := range m.entries {
		for _, s := range e.seen {
			if s.answer == nil && (!some || s.until.Before(until)) {
				until, some = s.until, true
			}
		}
	}
	return until, some
}

// forget drops the keys that nobody has cared for in a long time, and that others keep.
func (m *machine) forget(now time.Time) {
	for key, e := range m.entries {
		if e.follower == nil && !e.unstored && now.Sub(e.touched) > Memory {
			delete(m.entries, key)
		}
	}
}

// restart notes that the actor is another one: who followed is asked to follow again by the tree,
// and what the keeper answered may be lost.
func (m *machine) restart() {
	for _, e := range m.entries {
		e.follower, e.storing, e.getters, e.loading = nil, false, nil, time.Time{}
		e.holds = nil
	}
}
