package loudness

import (
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// Event tells the gate what players may show: a unit of data, onLoudness, at the decoding time of
// the audio that it tells of.
type Event struct{ Unit media.AccessUnit }

// Droppable lets a full mailbox drop it: the next one comes in 200 ms.
func (*Event) Droppable() {}

// Describe asks how loud the broadcast is; the answer is a *Report.
type Describe struct{}

// Report is how loud a broadcast is.
type Report struct {
	Key   string
	Epoch uint64
	// Unavailable says why nothing is measured; it is empty while something is. The rest holds what
	// was measured before.
	Unavailable string
	Reading
	// Since and At are the decoding times of the first and the latest frame that was measured: the
	// measurement begins anew when its actor is restarted.
	Since, At media.Time
	// Frames were measured, Errors could not be decoded or were no audio, Dropped were not looked at
	// because the measurement was behind.
	Frames, Errors, Dropped uint64
}

// eventName is the event's name, as a player's script knows it.
const eventName = "onLoudness"

// newEvent makes the event of a reading; level is that since the event before.
func newEvent(dts media.Time, r *Reading, level Level) *Event {
	const most = 256 // bytes; the event has 152
	b := make([]byte, 0, most)
	b = rtmp.AppendString(b, eventName)
	b = rtmp.AppendValue(b, rtmp.Value{Kind: rtmp.ECMAArray, Pairs: []rtmp.Pair{
		{Key: "momentary", Value: rtmp.Num(r.Momentary)},
		{Key: "shortTerm", Value: rtmp.Num(r.ShortTerm)},
		{Key: "integrated", Value: rtmp.Num(r.Integrated)},
		{Key: "rms", Value: rtmp.Num(level.RMS)},
		{Key: "peak", Value: rtmp.Num(level.Peak)},
		{Key: "silent", Value: rtmp.Bool(r.Silent)},
		{Key: "clipped", Value: rtmp.Bool(r.Clipping)},
	}})
	body, tail := flv.NewBody(len(b))
	copy(body, b)
	return &Event{Unit: media.AccessUnit{
		Kind: media.Data, Role: media.Frame, DTS: dts, Body: body, Tail: tail,
	}}
}
