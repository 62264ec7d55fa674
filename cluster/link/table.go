package link

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

const roleHeader = media.SequenceHeader

// sendFunc sends a message to an actor, from any goroutine.
type sendFunc func(to *actor.PID, msg any)

// table is who follows what of one origin. It outlives the actors and the connections: what was
// subscribed stays so, and goes on where it was.
type table struct {
	mu     sync.Mutex
	subs   map[uint32]*inlet
	byPID  map[string]*inlet
	latest uint32
	out    *control // of the present connection, nil if there is none
}

func newTable() *table {
	return &table{subs: map[uint32]*inlet{}, byPID: map[string]*inlet{}}
}

// subscribe enters a subscription; the subscriber's former one, if there was one, is over.
func (t *table) subscribe(key, rendition string, who *actor.PID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(who)
	t.latest++
	in := &inlet{id: t.latest, key: key, rendition: rendition, subscriber: who}
	t.subs[in.id], t.byPID[who.Id] = in, in
	t.ask(in)
}

func (t *table) ask(in *inlet) {
	if t.out != nil {
		t.out.add(func(dst []byte) []byte {
			return appendSubscribe(dst, in.id, in.key, in.rendition, in.last)
		})
	}
}

func (t *table) unsubscribe(who *actor.PID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(who)
}

func (t *table) remove(who *actor.PID) {
	in := t.byPID[who.Id]
	if in == nil {
		return
	}
	delete(t.byPID, who.Id)
	delete(t.subs, in.id)
	if t.out != nil {
		t.out.add(func(dst []byte) []byte { return appendID(dst, typeUnsubscribe, in.id) })
	}
}

// subscribers are all who have subscribed.
func (t *table) subscribers() []*actor.PID {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*actor.PID
	for _, in := range t.subs {
		all = append(all, in.subscriber)
	}
	return all
}

// heard is when the latest unit of a key came, zero if none has.
func (t *table) heard(key string) (at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, in := range t.subs {
		if in.key == key && in.heard.After(at) {
			at = in.heard
		}
	}
	return at
}

// connect has all subscriptions asked for on a new connection.
func (t *table) connect(out *control) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = out
	for _, in := range t.subs {
		t.ask(in)
	}
}

// disconnect notes that a connection is over.
func (t *table) disconnect(out *control, send sendFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out != out {
		return
	}
	t.out = nil
	for _, in := range t.subs {
		if msg := in.lost(); msg != nil {
			send(in.subscriber, msg)
		}
		send(in.subscriber, &gate.Gone{Key: in.key})
	}
}

// take carries out what the origin says. What belongs to no subscription was on its way when that
// ended.
func (t *table) take(f *frame, send sendFunc) {
	t.mu.Lock()
	in := t.subs[f.id]
	if in == nil {
		t.mu.Unlock()
		return
	}
	var first, msg any
	switch f.typ {
	case typeUnit:
		msg = in.unit(f)
	case typeBegin:
		msg, in.behind = in.take(), true
	case typeEnd:
		msg, in.behind = in.take(), false
	case typeSeal:
		first, msg = in.take(), &topic.Seal{Epoch: f.place.epoch, Seq: f.place.seq}
	case typeGone:
		first, msg, in.behind = in.take(), &gate.Gone{Key: in.key}, false
	}
	to := in.subscriber
	t.mu.Unlock()
	if first != nil {
		send(to, first)
	}
	if msg != nil {
		send(to, msg)
	}
}
