package topic

import "github.com/headwater-live/headwater/codec/media"

// Reader follows a ring with a cursor, for one viewer. What it returns, in order, always decodes:
// it begins with the headers and the newest GOP, and when it has fallen too far behind it goes on
// at the newest keyframe. It is a plain value: no goroutine, no clock, no lock. It is not safe for
// concurrent use; any number of Readers may follow one ring.
type Reader struct {
	ring      *Ring
	maxBehind media.Time
	pos       uint64 // next position to read
	seen      uint64 // what there was at the last Next
	joined    bool
	eager     bool // it reads what is appended, not what is visible
	sent      Headers
	skips     uint64
	skipped   uint64
}

// NewReader returns a reader that has read nothing. A reader more than maxBehind behind the newest
// unit skips; 0 means that it never does while the ring holds what it needs.
func NewReader(ring *Ring, maxBehind media.Time) *Reader {
	return &Reader{ring: ring, maxBehind: maxBehind}
}

// Skips is how often the reader has skipped to a keyframe, and how many units it left out by that.
func (r *Reader) Skips() (times, units uint64) { return r.skips, r.skipped }

// Joined reports whether the reader has begun.
func (r *Reader) Joined() bool { return r.joined }

// Pending reports whether the last Next left something that could be read.
func (r *Reader) Pending() bool { return r.joined && r.pos < r.seen }

// MinBatch is how many units Next has to have room for: the headers of a place to begin, twice if
// it is overtaken meanwhile, and a unit.
const MinBatch = 2*media.Kinds + 1

// Next appends the units to deliver next to dst, at most cap(dst) of them in all, which is MinBatch
// or more, and few enough to stay within maxBytes (but at least one). Nothing more means to wait.
func (r *Reader) Next(dst []*Unit, maxBytes int) []*Unit {
	r.seen = r.look()
	if !r.joined {
		if dst = r.join(dst); !r.joined {
			return dst
		}
	}
	if r.behind() {
		dst = r.skip(dst)
	}
	for size := 0; r.pos < r.seen && len(dst) < cap(dst); r.pos++ {
		u := r.ring.at(r.pos)
		if u == nil { // there is nowhere to skip to yet, or it went just now
			break
		}
		if size += u.Size(); size > maxBytes && len(dst) > 0 {
			break
		}
		if u.Role == media.SequenceHeader {
			if r.sent[u.Kind] == u {
				continue
			}
			r.sent[u.Kind] = u
		}
		dst = append(dst, u)
	}
	return dst
}

// join begins at the newest visible entry, if there is one.
func (r *Reader) join(dst []*Unit) []*Unit {
	e := r.entry()
	if e == nil || e.Pos >= r.seen {
		return dst
	}
	r.joined = true
	r.pos = e.Pos
	return r.headers(dst, e.Headers)
}

// headers appends the headers that the viewer does not have yet.
func (r *Reader) headers(dst []*Unit, headers Headers) []*Unit {
	for kind, u := range headers {
		if u != nil && r.sent[kind] != u {
			r.sent[kind] = u
			dst = append(dst, u)
		}
	}
	return dst
}

// behind reports whether the reader is too far behind, and could begin anew further on.
func (r *Reader) behind() bool {
	if r.pos >= r.seen {
		return false
	}
	u := r.ring.at(r.pos)
	if u == nil {
		return true
	}
	newest := media.Time(r.ring.newest.Load())
	if r.maxBehind <= 0 || newest-u.DTS <= r.maxBehind {
		return false
	}
	e := r.entry()
	return e != nil && e.Pos > r.pos && e.Pos < r.seen
}

// skip goes on at the newest visible entry, if it is further on.
func (r *Reader) skip(dst []*Unit) []*Unit {
	e := r.entry()
	if e == nil || e.Pos <= r.pos || e.Pos >= r.seen {
		return dst
	}
	r.skips++
	r.skipped += e.Pos - r.pos
	r.pos = e.Pos
	return r.headers(dst, e.Headers)
}
