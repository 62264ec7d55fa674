package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// session is one connection of a publisher.
type session struct {
	world   *world
	key     *key
	id      uint32
	pid     string // its ingest
	began   time.Time
	up      bool // granted
	over    bool
	base    uint32 // timestamp of its beginning
	skew    uint32 // what has been added by jumps
	headers [media.Kinds]uint32
	gop     uint32
	index   uint32
	length  uint32 // of the present GOP
	n       uint32 // the last message's number
	held    []held // made, but not sent yet: the network stalls
	stalled time.Time
	flying  int // packets that the ingest has not handled
}

type held struct {
	msg rtmp.Message
	m   mark
}

// inFlight is how many packets a publisher's reader lets fly, as in package ingest.
const inFlight = 64

// connect has a publisher of the key come.
func (w *world) connect(k *key) {
	if w.over {
		return
	}
	k.tries++
	w.sessionIDs++
	w.counts.sessions++
	s := &session{world: w, key: k, id: w.sessionIDs, base: uint32(w.rng.IntN(5000))}
	switch w.rng.IntN(6) {
	case 0: // close to the end of 32 bits
		s.base = 0xffffffff - uint32(w.rng.IntN(8000))
	case 1: // close to where the extended timestamp begins, at 4 h 39 m
		s.base = 0xfffff0 - uint32(w.rng.IntN(3000))
	}
	w.trace.add(k.name, "connect", fmt.Sprint("session ", s.id, " base ", s.base))
	w.client(contextOf(s), func(ctx context.Context) error {
		return w.node.Publish(ctx, k.name, nil)
	}, s.granted)
}

// starting implements client.
func (s *session) starting(w *world, spec *supervise.Spec) {
	s.pid = "node/broadcasts/" + spec.Name + "/" + ingest.Name
	w.sessions[s.pid] = s
}

// granted begins to publish, or tries again if the tree did not take the publisher.
func (s *session) granted(err error) {
	w := s.world
	s.key.tries--
	if err != nil {
		w.trace.add(s.key.name, "refused", err.Error())
		s.end()
		return
	}
	if s.over { // it is gone already
		return
	}
	s.up, s.began = true, time.Now()
	s.key.session = s
	if w.over {
		w.leave(s, "the show is over")
	}
	s.begin()
	w.in(0, s.tick)
	if s.key.leaves && !w.plan.calm || w.rng.IntN(3) == 0 {
		w.in(time.Second+w.upTo(12*time.Second), s.act)
	}
}

// act is what publishers do beside publishing.
func (s *session) act() {
	w := s.world
	if s.over || w.over || time.Since(w.trace.began) > w.plan.faults {
		return
	}
	switch w.rng.IntN(5) {
	case 0:
		w.leave(s, "the publisher closed the connection")
		return
	case 1: // the same publisher again, whose lost connection is not noticed yet
		w.connect(s.key)
		return
	case 2: // a jump, there or back
		s.skew += uint32(w.rng.IntN(1<<22)) - 1<<21
		w.trace.add(s.key.name, "jump", fmt.Sprint("session ", s.id, " to ", s.timestamp()))
	case 3: // a reset
		s.skew -= s.timestamp()
	case 4:
		s.stalled = time.Now().Add(w.upTo(w.plan.stall()))
	}
	w.in(time.Second+w.upTo(8*time.Second), s.act)
}

// leave has a publisher close its connection.
func (w *world) leave(s *session, why string) {
	if s.over || !s.up {
		return
	}
	w.send(s.pid, &ingest.Lost{Reason: why})
}

// gone is told that the session's ingest stops.
func (s *session) gone() {
	if !s.over {
		s.world.trace.add(s.key.name, "gone", fmt.Sprint("session ", s.id))
		s.end()
	}
}

// end forgets the session; its publisher comes back in a while if nobody else publishes the key.
func (s *session) end() {
	w := s.world
	s.over = true
	if s.key.session == s {
		s.key.session = nil
	}
	pause := 100*time.Millisecond + w.upTo(time.Second)
	if w.faulty() && w.rng.IntN(3) == 0 {
		pause += min(w.upTo(2*w.plan.grace), w.plan.faults-time.Since(w.trace.began))
	}
	w.in(pause, func() {
		if s.key.session == nil && s.key.tries == 0 {
			w.connect(s.key)
		}
	})
}

func (s *session) timestamp() uint32 {
	return s.base + s.skew + uint32(time.Since(s.began).Milliseconds())
}

// begin sends what a publisher begins with.
func (s *session) begin() {
	s.make(media.Data, metadata(), mark{})
	s.length = s.gopLength()
	if s.key.video {
		s.header(media.Video)
	}
	if s.key.audio {
		s.header(media.Audio)
	}
}

func (s *session) gopLength() uint32 { return uint32(3 + s.world.rng.IntN(12)) }

// header sends another sequence header of a track.
func (s *session) header(kind media.Kind) {
	s.headers[kind]++
	if kind == media.Video {
		s.make(kind, videoHeader(s.id, s.headers[kind]), mark{})
	} else {
		s.make(kind, audioHeader(s.id, s.headers[kind]), mark{})
	}
}

// frameTime is the interval of the pictures, and of the audio frames.
const frameTime = 100 * time.Millisecond

// tick makes what one interval brings, and goes on.
func (s *session) tick() {
	if !s.over {
		s.tickOnce()
		s.world.in(frameTime+time.Duration(s.world.rng.IntN(2000)-1000)*time.Microsecond, s.tick)
	}
}

func (s *session) tickOnce() {
	w := s.world
	if s.key.video {
		s.frame()
	}
	if s.key.audio {
		if w.rng.IntN(60) == 0 {
			s.header(media.Audio)
		}
		m := s.next(mark{header: s.headers[media.Audio]})
		s.make(media.Audio, audioFrame(m, w.rng.IntN(200)), m)
	}
	if w.rng.IntN(50) == 0 {
		m := s.next(mark{})
		s.make(media.Data, dataFrame(m), m)
	}
	s.pump()
}

// frame makes the next picture, with all that a new GOP may begin with.
func (s *session) frame() {
	w := s.world
	if s.index == s.length || s.gop == 0 {
		s.gop++
		s.index, s.length = 0, s.gopLength()
		if w.rng.IntN(10) == 0 {
			s.header(media.Video)
		}
	}
	m := s.next(mark{header: s.headers[media.Video], gop: s.gop, index: s.index})
	size := w.rng.IntN(300)
	if s.index == 0 {
		size += w.rng.IntN(2000)
	}
	s.make(media.Video, videoFrame(m, s.index == 0, uint32(w.rng.IntN(80)), size), m)
	s.index++
}

func (s *session) next(m mark) mark {
	s.n++
	m.session, m.n = s.id, s.n
	return m
}

// make puts a message into the line.
func (s *session) make(kind media.Kind, body []byte, m mark) {
	msg := message(kind, s.timestamp(), body)
	if m != (mark{}) {
		s.world.ledger.publish(m, kind, msg.Body)
	}
	s.held = append(s.held, held{msg, m})
}

// pump sends what is in the line, as far as the connection takes it.
func (s *session) pump() {
	if time.Now().Before(s.stalled) {
		return
	}
	for len(s.held) > 0 && s.flying < inFlight && !s.over {
		h := s.held[0]
		s.held = s.held[1:]
		s.flying++
		now := time.Now()
		s.world.send(s.pid, &ingest.Packet{
			Message: h.msg, Arrival: media.Time(now.Sub(s.began)), Arrived: now.UnixNano(),
		})
	}
}

// send sends a message to an actor.
func (w *world) send(pid string, msg any) {
	w.system.Root.Send(w.system.NewLocalPID(pid), msg)
}
