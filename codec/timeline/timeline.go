package timeline

import "github.com/headwater-live/headwater/codec/media"

// Options are the thresholds of a Timeline. A field that is zero or negative takes its default.
type Options struct {
	// JumpForward is how far ahead of what the arrival times explain a timestamp may be before it
	// counts as a jump. Default 3 s, at most an hour.
	JumpForward media.Time
	// JumpBack is how far behind the highest timestamp of its track a timestamp may be before it
	// counts as a jump. Default 1 s, at most an hour.
	JumpBack media.Time
	// MaxGap is the longest hole that a jump or a reconnect leaves in the timeline. Default 10 s.
	MaxGap media.Time
	// MaxLead is how far DTS may run ahead of the arrival times, counted from the first unit: room
	// for a publisher that begins with a burst. Default 30 s.
	MaxLead media.Time
}

// Defaults of Options.
const (
	DefaultJumpForward = 3 * media.Second
	DefaultJumpBack    = 1 * media.Second
	DefaultMaxGap      = 10 * media.Second
	DefaultMaxLead     = 30 * media.Second

	maxThreshold = 3600 * media.Second
)

// Start says where a timeline begins.
type Start struct {
	// DTS is the highest DTS that viewers were given before, by the former publisher or origin,
	// and Has whether there was one. Every DTS of the timeline is greater. Without, it begins at 0.
	DTS media.Time
	Has bool
}

// Stats count what a Timeline had to repair.
type Stats struct {
	Jumps  uint64 // times that a new offset was taken, reconnects included
	Clamps uint64 // units whose DTS was moved up so that it rises
	Capped uint64 // units whose DTS was moved down to MaxLead
}

// headroom is how much later than the beginning a first unit with a high timestamp is put, so that
// a track which starts with slightly lower timestamps has room. In milliseconds.
const headroom = 250

// maxStep bounds what counts as the interval between the units of a track, in milliseconds.
const maxStep = 500

// domain is one mapping from raw timestamps to the timeline: dts = raw + offset. Raw timestamps are
// unwrapped around high. All in milliseconds.
type domain struct {
	live   bool
	born   uint64 // order of creation
	offset int64
	high   int64 // highest raw timestamp
	usedAt int64 // the latest arrival
	// fastest is the least arrival-raw of any unit: arrival-fastest is the raw timestamp that the
	// publisher's clock would have reached, had no unit been late.
	fastest int64
}

// track is the state of audio or video.
type track struct {
	domain  int // index, or none
	last    int64
	high    int64 // highest raw timestamp, in the track's domain
	arrival int64
	step    int64 // the latest interval between two units
}

const none = -1

// Timeline maps a publisher's timestamps. It is not safe for concurrent use.
type Timeline struct {
	forward, back, maxGap, maxLead int64

	domains [2]domain
	tracks  [media.Kinds]track
	born    uint64
	stats   Stats

	begun   bool  // the first audio or video unit was mapped
	lead    int64 // arrival + lead is the DTS that a unit mapped in real time would have
	base    int64 // no DTS is lower
	now     int64 // the highest arrival
	highest int64 // the highest DTS given, or base-1
	heard   int64 // arrival of the latest audio or video unit
}

// New returns a Timeline that has mapped nothing yet.
func New(o Options, start Start) *Timeline {
	t := &Timeline{
		forward: threshold(o.JumpForward, DefaultJumpForward),
		back:    threshold(o.JumpBack, DefaultJumpBack),
		maxGap:  threshold(o.MaxGap, DefaultMaxGap),
		maxLead: threshold(o.MaxLead, DefaultMaxLead),
	}
	if start.Has {
		t.base = start.DTS.Millis() + 1
	}
	t.highest = t.base - 1
	for k := range t.tracks {
		t.tracks[k] = track{domain: none, last: t.base - 1, step: 1}
	}
	return t
}

func threshold(v, def media.Time) int64 {
	if v <= 0 {
		v = def
	}
	return max(1, min(v, maxThreshold).Millis())
}

// Map gives the DTS of a unit with the raw timestamp ts, in milliseconds, that arrived at arrival,
// a reading of any clock that does not go back. The caller adds adjust to the unit's composition
// offset: it is negative where a video unit's DTS was moved up to make it rise, so that its PTS
// stays, and otherwise 0. The DTS is a whole number of milliseconds.
//
// Map is for frames. Sequence headers, whose timestamps many publishers leave at 0, take Here.
func (t *Timeline) Map(kind media.Kind, ts uint32, arrival media.Time) (dts, adjust media.Time) {
	t.now = max(t.now, arrival.Millis())
	if kind != media.Video && kind != media.Audio {
		return media.FromMillis(t.mapData(ts)), 0
	}
	tr := &t.tracks[kind]
	raw := t.enter(tr, ts)
	d := &t.domains[tr.domain]
	mapped := raw + d.offset
	t.heard = t.now

	at := mapped
	if limit := max(t.limit(), tr.last+1); at > limit {
		d.offset -= at - limit
		mapped, at = limit, limit
		t.stats.Capped++
	}
	if at <= tr.last {
		at = tr.last + 1
		t.stats.Clamps++
	}
	t.note(tr, d, raw)
	tr.last = at
	t.highest = max(t.highest, at)
	if kind == media.Video {
		adjust = media.FromMillis(mapped - at)
	}
	return media.FromMillis(at), adjust
}

// note records that a unit was seen.
func (t *Timeline) note(tr *track, d *domain, raw int64) {
	if step := raw - tr.high; step > 0 && step <= maxStep {
		tr.step = step
	}
	tr.high = max(tr.high, raw)
	tr.arrival = t.now
	d.high = max(d.high, raw)
	d.usedAt = t.now
	d.fastest = min(d.fastest, t.now-raw)
}

// limit is the highest DTS that MaxLead allows now.
func (t *Timeline) limit() int64 { return t.now + t.lead + t.maxLead }

// mapData puts script data where the present domain has its timestamp, or beside the latest unit
// when the timestamp means nothing there: publishers send data with a timestamp of 0 at any time.
func (t *Timeline) mapData(ts uint32) int64 {
	tr := &t.tracks[media.Data]
	at := max(t.highest, t.base)
	if d := t.newest(); d != nil {
		raw := d.unwrap(ts)
		if raw >= d.high-t.back && raw <= d.line(t.now)+t.forward {
			at = min(max(raw+d.offset, t.base), max(t.limit(), at))
		}
	}
	tr.last = max(tr.last, at)
	t.highest = max(t.highest, tr.last)
	return tr.last
}

// Reconnect tells that the publisher came back, at arrival: its next timestamps have nothing to do
// with the former ones. The timeline goes on after every DTS given, by the time that passed since
// the latest unit, at most MaxGap.
func (t *Timeline) Reconnect(arrival media.Time) {
	t.now = max(t.now, arrival.Millis())
	t.domains = [2]domain{}
	t.tracks[media.Video].domain = none
	t.tracks[media.Audio].domain = none
}

// Last returns the highest DTS given on any track. Before the first it is the millisecond before
// the timeline's beginning, which is Start.DTS rounded down or -1 ms.
func (t *Timeline) Last() media.Time { return media.FromMillis(t.highest) }

// Here returns the DTS for a unit outside of the flow, such as a sequence header: the latest of its
// track, or the timeline's beginning. A Here between two Maps of a track never falls.
func (t *Timeline) Here(kind media.Kind) media.Time {
	if int(kind) >= len(t.tracks) {
		kind = media.Data
	}
	return media.FromMillis(max(t.tracks[kind].last, t.base))
}

// Stats returns what was repaired so far.
func (t *Timeline) Stats() Stats { return t.stats }
