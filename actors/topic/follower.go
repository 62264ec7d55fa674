package topic

import "github.com/headwater-live/headwater/codec/media"

// NewFollower returns a reader that does not wait for the end of the merge window: it follows the
// ring for others, who have a window of their own.
func NewFollower(ring *Ring, maxBehind media.Time) *Reader {
	return &Reader{ring: ring, maxBehind: maxBehind, eager: true}
}

// Resume has a reader that has not begun go on behind a unit that was read before, and reports
// whether the ring still holds it.
func (r *Reader) Resume(epoch, seq uint64) bool {
	if r.joined || seq == 0 {
		return false
	}
	head := r.ring.head.Load()
	for pos := head; pos > r.ring.tail.Load(); pos-- {
		u := r.ring.at(pos - 1)
		if u == nil || u.Epoch < epoch {
			return false
		}
		if u.Epoch == epoch && u.Seq == seq {
			r.pos, r.seen, r.joined = pos, head, true
			return true
		}
	}
	return false
}

// Bound changes how far behind the reader may be before it skips.
func (r *Reader) Bound(maxBehind media.Time) { r.maxBehind = maxBehind }

// Place is the position that the reader has come to, and the one that it had to come to at its last
// Next to have all that there was.
func (r *Reader) Place() (pos, seen uint64) { return r.pos, r.seen }

// look is what the ring has for the reader.
func (r *Reader) look() uint64 {
	if r.eager {
		return r.ring.head.Load()
	}
	return r.ring.visible.Load()
}

func (r *Reader) entry() *Entry {
	if r.eager {
		return r.ring.Entry()
	}
	return r.ring.visibleEntry()
}

// Waiting is how much the ring holds from a position on, in bytes, and in time. Anybody may ask.
func (r *Ring) Waiting(pos uint64) (size int, span media.Time) {
	newest := media.Time(r.newest.Load())
	for at := max(pos, r.tail.Load()); at < r.head.Load(); at++ {
		if u := r.at(at); u != nil {
			size += u.Size()
			span = max(span, newest-u.DTS)
		}
	}
	return size, span
}
