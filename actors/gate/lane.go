package gate

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// phase says whose pictures a lane shows.
type phase uint8

const (
	// passing: the publisher's own.
	passing phase = iota
	// warming: still the publisher's, until its worker has caught up with him.
	warming
	// processed: the worker's.
	processed
	// returning: the worker's, until the publisher's next IDR picture.
	returning
)

// tick is the least difference between two times on a timeline that viewers can tell apart.
const tick = media.Millisecond

// mostHeld bounds the units that are held back while a lane returns to the source.
const mostHeld = 256

// lane is one rendition on its way out: it gives units their places in the rendition's topic.
type lane struct {
	name   string
	worker string     // whose pictures it shows
	topic  *actor.PID // nil while the topic is not there
	ring   *topic.Ring
	phase  phase

	epoch   uint64
	seq     uint64        // of the latest unit passed
	headers topic.Headers // as they were passed
	shown   topic.Headers // the source's units that they are copies of
	record  []byte        // the worker's header that was passed last
	pts     media.Time    // the greatest of the pictures passed
	began   bool          // a picture was passed
	mixed   bool          // it has shown pictures of both
	newest  entry

	from     media.Time // the worker's pictures are shown from here on
	required uint64     // pictures from cut on have to be filtered under this version, or a later one
	cut      media.Time
	lastOut  uint64 // the worker's latest output
	needKey  bool   // an output is missing: the next ones refer to it
	refresh  uint64 // counts the IDR pictures asked for

	asked time.Time     // when its topic was asked for
	held  []*topic.Unit // the source's, from an IDR picture on, while the worker catches up with it
}

// made reports whether the pictures are a worker's.
func (l *lane) made() bool { return l.phase == processed || l.phase == returning }

// Pass is a unit for a rendition's topic.
type Pass struct {
	Topic *actor.PID
	Unit  *topic.Unit
}

// next is the earliest time that no picture passed so far has.
func (l *lane) next() media.Time {
	if !l.began {
		return 0
	}
	return l.pts + tick
}

// require has pictures from cut on filtered under version at least. It never asks for less than
// before.
func (l *lane) require(version uint64, cut media.Time) {
	if version == l.required {
		l.cut = min(l.cut, cut)
	}
	if version > l.required {
		l.required, l.cut = version, cut
	}
}

// emit gives an access unit its place, and returns it there.
func (l *lane) emit(m *Machine, u *topic.Unit) *topic.Unit {
	l.seq++
	if u.Role == media.SequenceHeader {
		u = u.Placed(l.epoch, l.seq, nil)
		l.headers[u.Kind] = u
	} else {
		u = u.Placed(l.epoch, l.seq, l.headers[u.Kind])
	}
	if l.topic != nil {
		m.emit(&Pass{Topic: l.topic, Unit: u})
	}
	return u
}

// header passes the source's header of a track on, unless it was the last one.
func (l *lane) header(m *Machine, kind media.Kind) {
	h := m.source.headers[kind]
	if h == nil || l.shown[kind] == h {
		return
	}
	l.shown[kind] = h
	l.record = nil
	l.emit(m, h)
}

// sound passes the source's sound or data on.
func (l *lane) sound(m *Machine, u *topic.Unit) {
	l.header(m, u.Kind)
	if u.Role != media.SequenceHeader {
		l.emit(m, u)
	}
}

// own passes the source's own picture on, with its parameter sets where the stream has had others.
func (l *lane) own(m *Machine, u *topic.Unit) {
	l.header(m, media.Video)
	if u.Role == media.SequenceHeader {
		return
	}
	idr := m.source.isIDR(u)
	if l.mixed && idr {
		v := topic.NewUnit(u.Epoch, u.Seq, m.source.inBand(u))
		v.Arrived = u.Arrived
		u = v
	}
	u = l.emit(m, u)
	if idr {
		l.note(u, 0)
	}
	l.showed(u.PTS())
}

func (l *lane) showed(pts media.Time) {
	l.pts, l.began = max(l.pts, pts), true
}

// refusal says why an output does not pass.
type refusal uint8

const (
	passes     refusal = iota
	unwanted           // the lane does not show it, or shows later ones only
	unfiltered         // it was filtered under older settings than its time demands
	incomplete         // an output before it is missing, and it refers to that
)

// judge decides on an output of the lane's worker.
func (l *lane) judge(o *process.Output) refusal {
	pts := o.Unit.PTS()
	gap := o.Seq != l.lastOut+1
	l.lastOut = o.Seq
	l.needKey = l.needKey || gap
	switch {
	case l.phase != processed && l.phase != returning, pts < l.from:
		l.needKey = true
		return unwanted
	case o.Version < l.required && pts >= l.cut:
		l.needKey = true
		return unfiltered
	case l.needKey && o.Unit.Role != media.Keyframe:
		return incomplete
	}
	l.needKey = false
	return passes
}

// output passes a worker's picture on.
func (l *lane) output(m *Machine, o *process.Output) {
	if !bytes.Equal(l.record, o.Record) {
		l.record = o.Record
		l.shown[media.Video] = nil
		l.emit(m, topic.NewUnit(l.epoch, 0, headerOf(o)))
	}
	u := l.emit(m, topic.NewUnit(l.epoch, 0, o.Unit))
	if u.Role == media.Keyframe {
		l.note(u, o.Version)
	}
	l.showed(o.Unit.PTS())
}

// headerOf makes the sequence header of a worker's pictures (FLV, annex E.4.3.1).
func headerOf(o *process.Output) media.AccessUnit {
	const keyframeAVC, sequenceHeader = 0x17, 0
	body, tail := flv.NewBody(5 + len(o.Record))
	body[0], body[1] = keyframeAVC, sequenceHeader
	copy(body[5:], o.Record)
	return media.AccessUnit{
		Kind: media.Video, Role: media.SequenceHeader, Codec: media.AVC, DTS: o.Unit.DTS,
		Body: body, Tail: tail,
	}
}
