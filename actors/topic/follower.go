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

// Await has a reader that has not begun go on with what comes next, and reports whether the unit
// that was read before is still to come to the ring, which is behind another then.
func (r *Reader) Await(epoch, seq uint64) bool {
	head := r.ring.head.Load()
	if r.joined || seq == 0 {
		return false
	}
	if head > r.ring.tail.Load() {
		u := r.ring.at(head - 1)
		if u == nil || u.Epoch > epoch || u.Epoch == epoch && u.Seq >= seq {
			return false
		}
	}
	r.pos, r.seen, r.joined = head, head, true
	return true
}

// First has a reader that has not begun go on with an epoch from its first unit, and reports
// whether the ring still holds that, or has nothing yet. It is for who has followed the epoch
// before.
func (r *Reader) First(epoch uint64) bool {
	if r.joined {
		return false
	}
	head, tail := r.ring.head.Load(), r.ring.tail.Load()
	if head > 0 {
		u := r.ring.at(tail)
		if u == nil || u.Epoch != epoch || u.Seq != 1 || r.ring.Sealed().covers(u) {
			return false
		}
	}
	r.pos, r.seen, r.joined = tail, head, true
	return true
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
