package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// Claims of one key are served one at a time, in the order in which they came, each in two steps.
//
// First an epoch is reserved, where there is a registrar. That fails while the cluster's memory is
// away, and then the claim is refused and nothing else has happened: the broadcast that is on the
// air is not ended for a newcomer who cannot have its key. Only then the broadcast that is here is
// superseded, and says how far it came, so that the newcomer's timeline begins there. A broadcast
// that ends by itself in the first step leaves that to its end; one that begins meanwhile, of a
// grant before, is superseded like any other, as its epoch is lower.
//
// An epoch that was reserved and is not used after all is lost, and does no harm: epochs only have
// to rise. Claims that wait do not reserve ahead: theirs would be lower than what they come after.
// A claimant who has waited for so long that nobody awaits the answer any more is refused, before
// it costs another its broadcast.

// stage is where the first claim of a key stands.
type stage uint8

const (
	idle        stage = iota // there is none
	reserving                // the registrar has been asked for an epoch
	superseding              // the present epoch has to say how far it came
)

const (
	// promise is how long a granted key counts as published before its publisher is attached.
	promise = time.Second
	// patience is how long a claimant waits for the former epoch to say how far it came.
	patience = time.Second
	// reserveTime is how long it waits for the registrar.
	reserveTime = 3 * time.Second
	// queueTime is how long it waits for its turn.
	queueTime = 5 * time.Second
)

// Patience is what a claim can take in all: who claims awaits the answer for longer.
const Patience = queueTime + reserveTime + patience

// The reasons to refuse, for publishers to read.
const (
	published = "the stream key is being published already"
	crowded   = "too many publishers want the stream key at once"
	unheard   = "the cluster does not answer; try again"
	moved     = "the stream key has been taken over on another node meanwhile"
)

type claim struct {
	from   *actor.PID
	policy Policy
	at     time.Time
}

// silence is the end of the time that is waited for an answer.
type silence struct {
	key  string
	turn int
}

// unkept is the end of the time in which the publisher of a granted epoch has to come.
type unkept struct{ key string }

// claim enters a publisher's claim, and serves it if it is its turn.
func (m *machine) claim(c *Claim, from *actor.PID, now time.Time) {
	e := m.entry(c.Key, now)
	e.epoch = max(e.epoch, c.Floor)
	if c.Policy == Reject && (e.publishing || len(e.claims) > 0 || now.Before(e.promised)) {
		m.out.Send(from, &Refused{Reason: published})
		return
	}
	e.claims = append(e.claims, claim{from, c.Policy, now})
	if len(e.claims) == 1 {
		m.serve(e, now)
	}
}

// serve begins with the first claim, if there is one.
func (m *machine) serve(e *entry, now time.Time) {
	e.stage, e.reserved = idle, 0
	for len(e.claims) > 0 && now.Sub(e.claims[0].at) > queueTime {
		m.pop(e, &Refused{Reason: crowded})
	}
	switch {
	case len(e.claims) == 0:
	case m.Registrar == nil || e.private():
		m.supersede(e, now)
	default:
		m.await(e, reserving, reserveTime)
		m.out.Send(m.Registrar, &Reserve{
			Key: e.key, Policy: e.claims[0].policy, Floor: max(e.epoch, e.known, m.floor),
			Turn: e.turn,
		})
	}
}

// await enters a stage, which ends with an answer or after a while.
func (m *machine) await(e *entry, s stage, d time.Duration) {
	m.memory.turn++
	e.stage, e.turn = s, m.memory.turn
	m.alarms = append(m.alarms, alarm{d, &silence{e.key, e.turn}})
}

// pop answers the first claim.
func (m *machine) pop(e *entry, answer any) {
	m.out.Send(e.claims[0].from, answer)
	e.claims = e.claims[1:]
}

// refuse answers the first claim with a reason and goes on with the next.
func (m *machine) refuse(e *entry, reason string, now time.Time) {
	m.pop(e, &Refused{Reason: reason})
	m.serve(e, now)
}

// answered returns the entry whose first claim waits for that answer of the registrar, or nil.
func (m *machine) answered(key string, turn int) *entry {
	if e := m.entries[key]; e != nil && e.stage == reserving && e.turn == turn {
		return e
	}
	return nil
}

func (m *machine) reservedFor(r *Reserved, now time.Time) {
	e := m.answered(r.Key, r.Turn)
	if e == nil {
		return
	}
	e.touched = now
	e.progress(r.Last, r.HasLast, r.LastTime)
	if e.reserved = r.Epoch; !m.above(e) {
		m.refuse(e, moved, now)
		return
	}
	m.supersede(e, now)
}

func (m *machine) unreserved(u *Unreserved, now time.Time) {
	if e := m.answered(u.Key, u.Turn); e != nil {
		m.refuse(e, u.Reason, now)
	}
}

// above reports whether the epoch that was reserved is above all that are known by now.
func (m *machine) above(e *entry) bool {
	return e.reserved > max(e.epoch, m.floor) && e.reserved >= e.known
}

// supersede has the present epoch end, if there is one, for the sake of the first claim.
func (m *machine) supersede(e *entry, now time.Time) {
	if e.current == nil {
		m.grant(e, now)
		return
	}
	m.await(e, superseding, patience)
	m.out.Send(e.current, &Supersede{Epoch: e.next()})
}

// next is an epoch that the first claim's will not be below.
func (e *entry) next() uint64 { return max(e.reserved, e.epoch+1) }

// grant gives the next epoch to the first claim: a higher one than any that was granted to the key,
// by a former machine too.
func (m *machine) grant(e *entry, now time.Time) {
	if e.reserved == 0 {
		e.reserved = max(e.epoch, m.floor) + 1
		if m.ByClock {
			e.reserved = max(e.reserved, uint64(max(0, now.UnixMilli())))
		}
	}
	if !m.above(e) {
		m.refuse(e, moved, now)
		return
	}
	e.epoch = e.reserved
	m.memory.granted = max(m.memory.granted, e.epoch)
	granted := &Granted{Epoch: e.epoch}
	if e.hasLast {
		granted.Start, granted.HasStart = e.last+media.Time(now.Sub(e.lastAt)), true
	}
	e.promised = now.Add(promise)
	e.current, e.gate, e.publishing = nil, nil, false
	if e.told.here { // what was here is not said to be gone if the next comes at once
		m.alarms = append(m.alarms, alarm{promise, &unkept{e.key}})
	}
	m.pop(e, granted)
	m.serve(e, now)
}

// superseded notes how far the former epoch came, and lets the claimant go on from there.
func (m *machine) superseded(s *Superseded, now time.Time) {
	e := m.entry(s.Key, now)
	e.progress(s.Last, s.HasLast, s.LastTime)
	if e.stage == superseding && s.Epoch == e.carried {
		m.grant(e, now)
	}
}

// silent lets a claimant go on without an answer from the former epoch, and refuses one for whom
// the cluster has none.
func (m *machine) silent(key string, turn int, now time.Time) {
	e := m.entries[key]
	switch {
	case e == nil || e.turn != turn:
	case e.stage == reserving:
		m.refuse(e, unheard, now)
	case e.stage == superseding:
		m.grant(e, now)
	}
}
