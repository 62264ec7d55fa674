package process

import (
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/media"
)

// maxRetained is how many pictures are kept for an order that reaches back: a quarter of a second
// at 30 a second, time enough for the gate to decide, and 11 MB at 720p.
const maxRetained = 8

// retained are the newest pictures, by reference.
type retained struct {
	frames [maxRetained]*av.Frame
	n      int
}

// keep takes a picture over. The oldest makes room, and its PTS is returned.
func (r *retained) keep(f *av.Frame) (gone media.Time, full bool) {
	if r.n == maxRetained {
		oldest := r.take()
		gone, full = oldest.PTS(), true
		oldest.Release()
	}
	r.frames[r.n] = f
	r.n++
	return gone, full
}

// take gives the oldest picture away; nil when there is none.
func (r *retained) take() *av.Frame {
	if r.n == 0 {
		return nil
	}
	f := r.frames[0]
	r.n--
	copy(r.frames[:], r.frames[1:r.n+1])
	r.frames[r.n] = nil
	return f
}

func (r *retained) clear() {
	for f := r.take(); f != nil; f = r.take() {
		f.Release()
	}
}
