package link

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/topic"
)

// What one snapshot message to a subscriber holds at the most. Units to catch up with come in a
// burst; together they take little room in mailboxes, and are not dropped there.
const (
	snapshotUnits = 128
	snapshotBytes = 4 << 20
)

// inlet is one subscription at the edge: it makes the units of another node this node's.
type inlet struct {
	id             uint32
	key, rendition string
	subscriber     *actor.PID

	last    place         // of the latest unit
	heard   time.Time     // when that came
	headers topic.Headers // of its epoch
	caught  []*topic.Unit // to be passed on as a snapshot
	bytes   int           // of those
	behind  bool          // what comes is to catch up
}

// unit makes a unit of a frame and returns what the subscriber gets, nil for nothing yet.
func (in *inlet) unit(f *frame) any {
	if f.place.epoch != in.last.epoch {
		in.headers = topic.Headers{}
	}
	in.last = f.place
	u := topic.NewUnit(f.place.epoch, f.place.seq, f.unit)
	in.heard = time.Now()
	u.Arrived = in.heard.UnixNano()
	if h := in.headers[u.Kind]; h != nil && h.Seq == f.header {
		u.Header = h
	}
	if u.Role == roleHeader {
		in.headers[u.Kind] = u
	}
	if !in.behind {
		return u
	}
	in.caught = append(in.caught, u)
	in.bytes += u.Size()
	if len(in.caught) < snapshotUnits && in.bytes < snapshotBytes {
		return nil
	}
	return in.take()
}

// take returns what has been caught up with so far, as one message.
func (in *inlet) take() any {
	if len(in.caught) == 0 {
		return nil
	}
	s := &topic.Snapshot{Epoch: in.last.epoch, Units: in.caught}
	in.caught, in.bytes = nil, 0
	return s
}

// lost has the subscription go on where it was when there is a connection again.
func (in *inlet) lost() any {
	in.behind = false
	return in.take()
}
