package edge

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// iovecs is what one vectored write takes: two pieces a unit, and the prologue.
type iovecs struct {
	vec   [2*batchUnits + 1]unix.Iovec
	first int // what is before it has been written
	n     int
}

func (v *iovecs) add(b []byte) {
	if len(b) == 0 {
		return
	}
	v.vec[v.n].Base = &b[0]
	v.vec[v.n].SetLen(len(b))
	v.n++
}

// left is how many pieces are not written yet.
func (v *iovecs) left() int { return v.n - v.first }

// advance takes n written bytes off the front.
func (v *iovecs) advance(n int) {
	for n > 0 {
		piece := &v.vec[v.first]
		if size := int(piece.Len); n < size {
			b := bytesOf(piece)[n:]
			piece.Base = &b[0]
			piece.SetLen(len(b))
			return
		}
		n -= int(piece.Len)
		v.first++
	}
}

// join returns all pieces in one, newly allocated.
func (v *iovecs) join() []byte {
	size := 0
	for i := v.first; i < v.n; i++ {
		size += int(v.vec[i].Len)
	}
	out := make([]byte, 0, size)
	for i := v.first; i < v.n; i++ {
		out = append(out, bytesOf(&v.vec[i])...)
	}
	return out
}

func (v *iovecs) reset() {
	clear(v.vec[:v.n])
	v.first, v.n = 0, 0
}

// bytesOf is the memory of one piece.
func bytesOf(v *unix.Iovec) []byte {
	return unsafe.Slice(v.Base, int(v.Len)) //nolint:gosec // add made it of such a slice
}
