package directory

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/media"
)

// Memory is how long a key's epoch and timeline are remembered after its last topic and follower
// have gone. A publisher that comes back later starts anew.
const Memory = 10 * time.Minute

// memory is what outlives a machine: an epoch, or a turn, that was given once is not given again.
type memory struct {
	granted uint64 // the highest epoch ever granted, to any key
	turn    int    // counts what was waited for
}

// machine knows which broadcasts are here. What happens goes in with the time it happens at, and
// messages come out.
type machine struct {
	Options
	entries map[string]*entry
	keys    map[string]string // whose end concerns which key, by PID
	many    map[string]bool   // and whose concerns more than that one
	out     supervise.Outbox
	alarms  []alarm
	memory  *memory
	floor   uint64 // what was granted when this machine began
}

// alarm is a message that is to come back to the machine after a while.
type alarm struct {
	after time.Duration
	msg   any
}

// entry is what is known of one key.
type entry struct {
	key       string
	epoch     uint64 // the highest ever granted or seen
	current   *actor.PID
	gate      *actor.PID // current's
	carried   uint64     // the epoch that current carries
	promised  time.Time  // when the latest grant was given whose publisher has not come yet
	followers []*actor.PID

	last    media.Time // how far the timeline had come
	lastAt  time.Time
	touched time.Time

	publishing, hasLast bool
	stage               stage // of the first claim

	claims   []claim // the first is being served
	reserved uint64  // the epoch that it will be granted, 0 if that is this directory's to choose
	turn     int     // of what it waits for

	cluster
}

func newMachine(o Options, mem *memory) *machine {
	return &machine{
		Options: o, entries: map[string]*entry{}, keys: map[string]string{}, many: map[string]bool{},
		memory: mem, floor: mem.granted,
	}
}

func (m *machine) entry(key string, now time.Time) *entry {
	e := m.entries[key]
	if e == nil {
		e = &entry{key: key}
		m.entries[key] = e
	}
	e.touched = now
	return e
}

func (e *entry) progress(last media.Time, has bool, at time.Time) {
	if has && (!e.hasLast || last > e.last) {
		e.last, e.hasLast, e.lastAt = last, true, at
	}
}

// announce enters a topic, unless a later epoch has been granted: then the topic is told so.
func (m *machine) announce(a *Announce, now time.Time) {
	e := m.entry(a.Key, now)
	if a.Epoch < e.epoch {
		m.out.Send(a.Topic, &Supersede{Epoch: e.epoch, Node: e.node(e.epoch)})
		return
	}
	e.epoch, e.carried = a.Epoch, a.Epoch
	e.current, e.gate, e.publishing = a.Topic, a.Gate, a.Publishing
	if e.publishing {
		e.promised = time.Time{}
	}
	m.keys[a.Topic.Id] = a.Key
	m.here(e)
	m.tell(e)
	if e.stage == superseding { // it may have failed on what it was told, and would go on for ever
		m.out.Send(a.Topic, &Supersede{Epoch: e.next()})
	}
}

// withdraw takes a topic out.
func (m *machine) withdraw(w *Withdraw, now time.Time) {
	e := m.entry(w.Key, now)
	e.progress(w.Last, w.HasLast, w.LastTime)
	if e.current != nil && e.carried == w.Epoch {
		m.vanish(e, now)
	}
}

// gone takes out whoever has ended as a follower. It reports whether it was a topic too, which has
// had its word once what it sent before its end is handled: see departed.
func (m *machine) gone(who *actor.PID, now time.Time) (topic bool) {
	if m.many[who.Id] {
		delete(m.many, who.Id)
		for _, e := range m.entries {
			m.lose(e, who)
		}
	}
	e := m.entries[m.keys[who.Id]]
	if e == nil {
		delete(m.keys, who.Id)
		return false
	}
	e.touched = now
	m.lose(e, who)
	if topic = e.current != nil && e.current.Equal(who); !topic {
		delete(m.keys, who.Id)
	}
	return topic
}

// departed takes out a topic that has ended without a word.
func (m *machine) departed(who *actor.PID, now time.Time) {
	e := m.entries[m.keys[who.Id]]
	delete(m.keys, who.Id)
	if e != nil && e.current != nil && e.current.Equal(who) {
		m.vanish(e, now)
	}
}

func (m *machine) vanish(e *entry, now time.Time) {
	e.current, e.gate, e.publishing, e.promised = nil, nil, false, time.Time{}
	m.here(e)
	m.tell(e)
	if e.stage == superseding {
		m.grant(e, now)
	}
}

func (m *machine) follow(f *Follow, now time.Time) {
	e := m.entry(f.Key, now)
	e.epoch = max(e.epoch, f.Epoch)
	if key, has := m.keys[f.Follower.Id]; has && key != f.Key {
		m.many[f.Follower.Id] = true
	}
	m.keys[f.Follower.Id] = f.Key
	if len(e.followers) == 0 {
		m.locate(e)
	}
	e.followers = append(without(e.followers, f.Follower), f.Follower)
	m.out.Send(f.Follower, m.located(e))
}

func (m *machine) unfollow(u *Unfollow, now time.Time) {
	m.lose(m.entry(u.Key, now), u.Follower)
}

// lose takes a follower out.
func (m *machine) lose(e *entry, who *actor.PID) {
	before := len(e.followers)
	if e.followers = without(e.followers, who); before > 0 && len(e.followers) == 0 {
		m.unlocate(e)
	}
}

func without(pids []*actor.PID, who *actor.PID) []*actor.PID {
	return slices.DeleteFunc(pids, func(p *actor.PID) bool { return p.Equal(who) })
}

func (m *machine) tell(e *entry) { m.tellThem(e, m.located(e)) }

func (m *machine) tellThem(e *entry, l *Located) {
	for _, f := range e.followers {
		m.out.Send(f, l)
	}
}

func (m *machine) located(e *entry) *Located {
	return &Located{
		Key: e.key, Epoch: e.carried, Topic: e.current, Gate: e.gate, Publishing: e.publishing,
		Places: m.places(e),
	}
}

// forget drops the keys that nobody has cared for in a long time.
func (m *machine) forget(now time.Time) {
	for key, e := range m.entries {
		idle := e.current == nil && len(e.followers) == 0 && len(e.claims) == 0
		if idle && now.Sub(e.touched) > Memory {
			delete(m.entries, key)
		}
	}
}

func (m *machine) list() *Listing {
	l := &Listing{}
	for _, e := range m.entries {
		if e.current != nil {
			l.Broadcasts = append(l.Broadcasts, *m.located(e))
		}
	}
	slices.SortFunc(l.Broadcasts, func(a, b Located) int { return cmp.Compare(a.Key, b.Key) })
	return l
}
