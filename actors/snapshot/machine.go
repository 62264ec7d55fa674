package snapshot

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Bounds of what the actor keeps and does.
const (
	// interval is how often a picture of one rendition is made, at most.
	interval = time.Second
	// maxShelf is how many renditions have a snapshot at hand, and unasked how long they keep it.
	maxShelf = 64
	unasked  = 10 * time.Second
	// maxQueue is how many renditions may wait for theirs.
	maxQueue = 64
)

// name is what there is one snapshot of.
type name struct{ key, rendition string }

// entry is what is known of one rendition.
type entry struct {
	picture *Picture // the latest, nil if it failed
	failure error    // why it failed
	unit    place    // what it was, or failed to be, made of
	at      time.Time
	asked   time.Time
	job     *job // nil while none is waiting or being done
}

// place says which unit of a rendition something is of.
type place struct{ epoch, seq uint64 }

// job is a picture to be made.
type job struct {
	name   name
	take   *Take
	askers []*actor.PID
}

// machine decides which pictures are made. What happens goes in, with the time it happens at, and
// messages and jobs come out.
type machine struct {
	entries map[name]*entry
	queue   []*job
	doing   *job
	out     supervise.Outbox
}

func newMachine() *machine { return &machine{entries: map[name]*entry{}} }

// take answers at once with what is at hand, or has a picture made.
func (m *machine) take(t *Take, from *actor.PID, now time.Time) {
	n := name{t.Key, t.Rendition}
	e := m.entries[n]
	if e == nil {
		m.forget(now)
		if len(m.entries) >= maxShelf {
			m.out.Send(from, &Refused{"snapshots of as many broadcasts as there may be are asked for"})
			return
		}
		e = &entry{}
		m.entries[n] = e
	}
	e.asked = now
	same := e.unit == place{t.Unit.Epoch, t.Unit.Seq}
	switch {
	case e.picture != nil && e.picture.version >= t.Floor && (same || now.Sub(e.at) < interval):
		m.out.Send(from, e.picture)
	case e.failure != nil && (same || now.Sub(e.at) < interval):
		m.out.Send(from, &Refused{e.failure.Error()})
	case e.job != nil && e.job.take.Version >= t.Floor:
		e.job.askers = append(e.job.askers, from)
	case len(m.queue) >= maxQueue:
		m.out.Send(from, &Refused{"too many snapshots are asked for at once"})
	default:
		e.job = &job{name: n, take: t, askers: []*actor.PID{from}}
		m.queue = append(m.queue, e.job)
	}
}

// next returns the job to be done now, if there is one and none is being done.
func (m *machine) next() *job {
	if m.doing != nil || len(m.queue) == 0 {
		return nil
	}
	m.doing, m.queue = m.queue[0], m.queue[1:]
	return m.doing
}

// made takes the outcome of the job that was being done.
func (m *machine) made(o *made, now time.Time) {
	j := o.of
	if j != m.doing {
		return
	}
	m.doing = nil
	var answer any = o.picture
	if o.err != nil {
		answer = &Refused{o.err.Error()}
	}
	for _, to := range j.askers {
		m.out.Send(to, answer)
	}
	e := m.entries[j.name]
	if e == nil || e.job != j { // another one is on its way, as this one may not be shown any more
		return
	}
	e.job = nil
	e.picture, e.failure, e.at = o.picture, o.err, now
	e.unit = place{j.take.Unit.Epoch, j.take.Unit.Seq}
	if o.picture != nil {
		o.picture.version = j.take.Version
	}
}

// restart gives up the job that an earlier incarnation of the actor failed on.
func (m *machine) restart(now time.Time) {
	if m.doing != nil {
		m.made(&made{of: m.doing, err: &Refused{"the snapshot could not be made"}}, now)
	}
}

// forget drops what nobody has asked for in a while.
func (m *machine) forget(now time.Time) {
	for n, e := range m.entries {
		if e.job == nil && now.Sub(e.asked) > unasked {
			delete(m.entries, n)
		}
	}
}
