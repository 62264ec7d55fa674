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

// promise is how long a granted key counts as published before its publisher is attached.
const promise = time.Second

// machine knows which broadcasts are here. What happens goes in with the time it happens at, and
// messages come out.
type machine struct {
	entries map[string]*entry
	keys    map[string]string // whose end concerns which key, by PID
	out     supervise.Outbox
	granted *uint64 // the highest epoch ever granted, to any key
	floor   uint64  // what that was when this machine began
	byClock bool    // see Options
}

// entry is what is known of one key.
type entry struct {
	key        string
	epoch      uint64 // the highest ever granted or seen
	current    *actor.PID
	gate       *actor.PID // current's
	carried    uint64     // the epoch that current carries
	publishing bool
	promised   time.Time // when the latest grant was given whose publisher has not come yet
	followers  []*actor.PID

	last    media.Time // how far the timeline had come
	hasLast bool
	lastAt  time.Time
	touched time.Time

	claims []claim // waiting for the present epoch to say how far it came; the first is being served
	turn   int     // counts the claims served
}

type claim struct {
	from   *actor.PID
	policy Policy
}

func newMachine(granted *uint64) *machine {
	return &machine{
		entries: map[string]*entry{}, keys: map[string]string{}, granted: granted, floor: *granted,
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

// claim serves a publisher, at once if nobody has to be superseded first. It returns the entry and
// the turn to be timed out when an answer is waited for.
func (m *machine) claim(c *Claim, from *actor.PID, now time.Time) (e *entry, wait bool) {
	e = m.entry(c.Key, now)
	if c.Policy == Reject && (e.publishing || len(e.claims) > 0 || now.Before(e.promised)) {
		m.out.Send(from, &Refused{Reason: "the stream key is being published already"})
		return e, false
	}
	e.claims = append(e.claims, claim{from, c.Policy})
	if len(e.claims) > 1 {
		return e, false
	}
	return e, m.serve(e, now)
}

// serve begins with the first claim and reports whether it waits for the present epoch's answer.
func (m *machine) serve(e *entry, now time.Time) (wait bool) {
	e.turn++
	if e.current == nil {
		m.grant(e, now)
		return false
	}
	m.out.Send(e.current, &Supersede{Epoch: e.epoch + 1})
	return true
}

// grant gives the next epoch to the first claim: a higher one than any that was granted to the key,
// by a former machine too.
func (m *machine) grant(e *entry, now time.Time) {
	e.epoch = max(e.epoch, m.floor) + 1
	if m.byClock {
		e.epoch = max(e.epoch, uint64(max(0, now.UnixMilli())))
	}
	*m.granted = max(*m.granted, e.epoch)
	granted := &Granted{Epoch: e.epoch}
	if e.hasLast {
		granted.Start, granted.HasStart = e.last+media.Time(now.Sub(e.lastAt)), true
	}
	e.promised = now.Add(promise)
	m.out.Send(e.claims[0].from, granted)
	e.claims = e.claims[1:]
	e.current, e.gate, e.publishing = nil, nil, false
	if len(e.claims) > 0 {
		m.serve(e, now)
	}
}

// superseded notes how far the former epoch came, and lets the claimant go on from there.
func (m *machine) superseded(s *Superseded, now time.Time) {
	e := m.entry(s.Key, now)
	e.progress(s.Last, s.HasLast, s.LastTime)
	if len(e.claims) > 0 && s.Epoch == e.carried {
		m.grant(e, now)
	}
}

// silent lets a claimant go on without an answer from the former epoch.
func (m *machine) silent(key string, turn int, now time.Time) {
	if e := m.entries[key]; e != nil && e.turn == turn && len(e.claims) > 0 {
		m.grant(e, now)
	}
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
		m.out.Send(a.Topic, &Supersede{Epoch: e.epoch})
		return
	}
	e.epoch, e.carried = a.Epoch, a.Epoch
	e.current, e.gate, e.publishing = a.Topic, a.Gate, a.Publishing
	if e.publishing {
		e.promised = time.Time{}
	}
	m.keys[a.Topic.Id] = a.Key
	m.tell(e)
	if len(e.claims) > 0 { // it may have failed on what it was told, and would go on for ever
		m.out.Send(a.Topic, &Supersede{Epoch: e.epoch + 1})
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
	e := m.entries[m.keys[who.Id]]
	if e == nil {
		delete(m.keys, who.Id)
		return false
	}
	e.touched = now
	e.followers = without(e.followers, who)
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
	m.tell(e)
	if len(e.claims) > 0 {
		m.grant(e, now)
	}
}

func (m *machine) follow(f *Follow, now time.Time) {
	e := m.entry(f.Key, now)
	e.epoch = max(e.epoch, f.Epoch)
	e.followers = append(without(e.followers, f.Follower), f.Follower)
	m.keys[f.Follower.Id] = f.Key
	m.out.Send(f.Follower, e.located())
}

func (m *machine) unfollow(u *Unfollow, now time.Time) {
	e := m.entry(u.Key, now)
	e.followers = without(e.followers, u.Follower)
}

func without(pids []*actor.PID, who *actor.PID) []*actor.PID {
	return slices.DeleteFunc(pids, func(p *actor.PID) bool { return p.Equal(who) })
}

func (m *machine) tell(e *entry) {
	for _, f := range e.followers {
		m.out.Send(f, e.located())
	}
}

func (e *entry) located() *Located {
	return &Located{
		Key: e.key, Epoch: e.carried, Topic: e.current, Gate: e.gate, Publishing: e.publishing,
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
			l.Broadcasts = append(l.Broadcasts, *e.located())
		}
	}
	slices.SortFunc(l.Broadcasts, func(a, b Located) int { return cmp.Compare(a.Key, b.Key) })
	return l
}
