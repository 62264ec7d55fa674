package sim

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// probe is around a worker: it notes what the worker gets, looks at it after each message, and
// makes it fail when it is told to.
type probe struct {
	world *world
	kind  string
	inner actor.Actor
	pid   string
	ring  *topic.Ring
	entry *topic.Entry
	since time.Time
	alone time.Time // a topic without a publisher: since when
	grace time.Duration
}

// arrival is how long at least a topic awaits its publisher after its start, as in package topic.
const arrival = 10 * time.Second

// bomb makes an actor fail at its next message, before or after it has handled it.
type bomb struct{ after bool }

// Receive implements actor.Actor.
func (p *probe) Receive(ctx actor.Context) {
	w := p.world
	p.pid = ctx.Self().Id
	w.system = ctx.ActorSystem()
	w.dispatcher.identify(p.pid)
	msg := ctx.Message()
	w.trace.add(p.pid, fmt.Sprintf("%T", msg), describe(msg))
	fuse, armed := w.bombs[p.pid]
	delete(w.bombs, p.pid)
	if ending(msg) {
		w.bombed = w.bombed || armed
		w.ending(p.pid)
	}
	if armed && !fuse.after {
		panic("drill: before " + fmt.Sprintf("%T", msg))
	}
	if !p.takes(ctx, msg) {
		p.inner.Receive(ctx)
	}
	p.handled(ctx, msg)
	if armed {
		panic("drill: after " + fmt.Sprintf("%T", msg))
	}
}

// ending tells whether an actor that panics at a message does so while it ends.
func ending(msg any) bool {
	switch msg.(type) {
	case *actor.Stopping, *actor.Stopped, *actor.Restarting:
		return true
	}
	return false
}

// ending has those who are outside notice that an actor of theirs ends.
func (w *world) ending(pid string) {
	if s := w.sessions[pid]; s != nil {
		s.gone()
	}
	if v := w.viewers[pid]; v != nil {
		v.ended()
	}
}

// takes handles what is for the probe itself, or sabotaged away.
func (p *probe) takes(ctx actor.Context, msg any) bool {
	switch msg := msg.(type) {
	case *topic.Ring:
		if p.hasRing() {
			p.ring, p.entry = msg, msg.Entry()
			return true
		}
	case *actor.Terminated:
		return p.kind == "topic" && p.world.sabotage == deafTopic
	case *topic.Unit, *topic.Snapshot:
		if p.kind == "relay" && p.world.sabotage == headlessRelay {
			return p.world.restarted("relay")
		}
	}
	return false
}

func (w *world) restarted(kind string) bool {
	for _, k := range w.census.Kinds() {
		if k.Name == kind {
			return k.Restarts.Load() > 0
		}
	}
	return false
}

// hasRing tells whether the worker is a topic.
func (p *probe) hasRing() bool {
	return p.kind == "topic" || p.kind == "rendition" || p.kind == "edge_topic"
}

// handled looks at the worker after a message.
func (p *probe) handled(ctx actor.Context, msg any) {
	w := p.world
	switch msg := msg.(type) {
	case *actor.Started:
		w.probes[p.pid] = p
		p.since = time.Now()
		p.alone, p.grace = p.since, max(w.plan.grace, arrival)
		if p.hasRing() {
			ctx.Request(ctx.Self(), &topic.GetRing{})
		}
	case *topic.Attach:
		p.alone = time.Time{}
	case *actor.Terminated:
		if p.kind == "topic" && p.alone.IsZero() && isIngest(msg.Who) {
			p.alone, p.grace = time.Now(), w.plan.grace
		}
	case *ingest.Packet:
		if s := w.sessions[p.pid]; s != nil {
			s.flying--
			s.pump()
		}
	case *actor.Stopped:
		if w.probes[p.pid] == p {
			delete(w.probes, p.pid)
		}
	}
	if p.ring != nil {
		p.checkRing()
	}
}

func isIngest(pid *actor.PID) bool { return strings.HasSuffix(pid.Id, "/"+ingest.Name) }

// What can be wrong with a topic.
var (
	errBytes = errors.New("bound: the ring keeps more bytes than it may")
	errSpan  = errors.New("bound: the ring keeps more time than it may")
	errGrace = errors.New("grace: a topic outlives its publisher for too long")
	errBox   = errors.New("bound: a mailbox holds more than it may")
)

// checkRing holds the ring to its bounds.
func (p *probe) checkRing() {
	w := p.world
	if n := p.ring.Bytes(); n > int64(w.plan.ringBytes) && p.ring.Len() > 1 {
		w.fail(p.pid, fmt.Errorf("%w: %d of %d", errBytes, n, w.plan.ringBytes))
	}
	e := p.ring.Entry()
	if e == nil || e == p.entry {
		return
	}
	p.entry = e // the last GOP has just begun: all that is older is bounded by time
	bound := media.Time(w.plan.ringTime) + media.Second
	if span := p.ring.Span(); span > bound {
		w.fail(p.pid, fmt.Errorf("%w: %d ms of %d", errSpan, span.Millis(), bound.Millis()))
	}
}

// describe tells of a message what a reader of the trace wants to know.
func describe(msg any) string {
	switch msg := msg.(type) {
	case *topic.Unit:
		return fmt.Sprintf("%d.%d %v %v dts=%d",
			msg.Epoch, msg.Seq, msg.Kind, msg.Role, msg.DTS.Millis())
	case *topic.Snapshot:
		return fmt.Sprintf("epoch=%d units=%d", msg.Epoch, len(msg.Units))
	case *ingest.Packet:
		return fmt.Sprintf("type=%d ts=%d bytes=%d", msg.Message.Type, msg.Message.Timestamp,
			len(msg.Message.Body))
	case *actor.Terminated:
		return short(msg.Who.Id)
	case *supervise.Rebind:
		return msg.Sibling
	}
	if v := reflect.ValueOf(msg); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		return plain(v.Elem())
	}
	return ""
}

// plain shows the fields of a message that are the same in every run of a seed: no addresses.
func plain(v reflect.Value) string {
	var out string
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint64:
			out += fmt.Sprintf("%s=%v ", v.Type().Field(i).Name, f)
		}
	}
	return out
}
