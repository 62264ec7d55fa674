package link

import "github.com/headwater-live/headwater/actors/topic"

// What one vectored write takes at the most, and what of it one subscription does at a time: what
// has been given to a write, or to the kernel, is too late to be skipped.
const (
	batchUnits = 128
	batchBytes = 128 << 10
	quantum    = 64 << 10
)

// batch is the memory of one write: pieces of what is shared, and between them what is made here.
// It is used again and again, and allocates nothing once it has its size.
type batch struct {
	units []*topic.Unit // whose bodies are among the pieces
	heads [batchUnits][unitHead]byte
	small []byte // frames that are no units
	from  int    // of small, what is no piece yet
	size  int
	skips int

	pieces [][]byte
	rest   vector // what of pieces is still to be written
	joined []byte // what is to be written in one piece
}

func newBatch() *batch {
	return &batch{
		units:  make([]*topic.Unit, 0, batchUnits),
		pieces: make([][]byte, 0, 4*batchUnits),
		small:  make([]byte, 0, 4<<10),
	}
}

// reset empties the batch, and lets go of what it held.
func (b *batch) reset() {
	clear(b.units)
	clear(b.pieces)
	b.units, b.pieces, b.small = b.units[:0], b.pieces[:0], b.small[:0]
	b.from, b.size, b.skips, b.rest = 0, 0, 0, nil
}

// full reports whether no further subscription can have a turn. One without units may add a few
// small frames, of which there is one piece at the most.
func (b *batch) full() bool {
	return cap(b.units)-len(b.units) < topic.MinBatch || b.size >= batchBytes ||
		cap(b.pieces)-len(b.pieces) < 2*batchUnits
}

// add appends units that stand behind the others in b.units' memory, or a copy of them.
func (b *batch) add(id uint32, units []*topic.Unit) {
	b.flush()
	for _, u := range units {
		head := &b.heads[len(b.units)]
		putUnit(head, id, u)
		b.units = append(b.units, u)
		b.piece(head[:])
		b.piece(u.Body)
	}
}

func (b *batch) piece(p []byte) {
	if len(p) > 0 {
		b.pieces = append(b.pieces, p)
		b.size += len(p)
	}
}

// flush makes a piece of the small frames so far.
func (b *batch) flush() {
	b.piece(b.small[b.from:])
	b.from = len(b.small)
}

func (b *batch) id(typ frameType, id uint32)      { b.small = appendID(b.small, typ, id) }
func (b *batch) begin(id uint32, epoch uint64)    { b.small = appendBegin(b.small, id, epoch) }
func (b *batch) seal(id uint32, s *topic.Seal)    { b.small = appendSeal(b.small, id, s) }
func (b *batch) stamp(typ frameType, stamp int64) { b.small = appendStamp(b.small, typ, stamp) }
