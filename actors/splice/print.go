package splice

import (
	"cmp"
	"slices"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// What is kept of either side to compare it with the other: six seconds of a common encoder.
const (
	mostSeen  = 512
	mostBytes = 8 << 20
)

// mostApart is how much later than the other a side may bring the same unit: both are live. It
// keeps a broadcast that repeats itself from being taken for its own past.
const mostApart = 4 * time.Second

// unsteady is how far the difference between two timelines may be from itself: each is of whole
// milliseconds, rounded by others before us.
const unsteady = 2 * media.Millisecond

// print is what is known of a unit that one side brought.
type print struct {
	seq  uint64
	hash uint64 // of its body
	dts  media.Time
	at   time.Time // when it came
	kind media.Kind
	role media.Role
	unit *topic.Unit // of the own side, to be given yet
}

// is reports whether two sides' prints are of the same unit, but for its time.
func (p *print) is(q *print) bool {
	return p.hash == q.hash && p.kind == q.kind && p.role == q.role
}

// timed reports whether the time of a unit is the encoder's: headers and data are put where there
// is room.
func (p *print) timed() bool {
	return p.kind != media.Data && p.role != media.SequenceHeader
}

// window is what was seen of one side most recently, in sequence.
type window struct {
	all   []print
	bytes int // of the units that it holds
}

func (w *window) clear() { *w = window{} }

func (w *window) last() *print {
	if len(w.all) == 0 {
		return nil
	}
	return &w.all[len(w.all)-1]
}

// add enters a print, and returns nil for one that is there already or too old.
func (w *window) add(p print) *print {
	i, found := w.search(p.seq)
	if found || i == 0 && len(w.all) > 0 {
		return nil
	}
	w.all = slices.Insert(w.all, i, p)
	if p.unit != nil {
		w.bytes += p.unit.Size()
	}
	for len(w.all) > mostSeen || w.bytes > mostBytes && len(w.all) > 1 {
		if u := w.all[0].unit; u != nil {
			w.bytes -= u.Size()
		}
		w.all[0] = print{}
		w.all = w.all[1:]
		i--
	}
	return &w.all[max(i, 0)]
}

func (w *window) search(seq uint64) (int, bool) {
	if n := len(w.all); n == 0 || seq > w.all[n-1].seq {
		return n, false // in order, as nearly always
	}
	return slices.BinarySearchFunc(w.all, seq, func(p print, s uint64) int {
		return cmp.Compare(p.seq, s)
	})
}

func (w *window) find(seq uint64) *print {
	i, ok := w.search(seq)
	if !ok {
		return nil
	}
	return &w.all[i]
}

// only are the prints of timed units of one kind.
func (w *window) only(kind media.Kind) (out []print) {
	for _, p := range w.all {
		if p.kind == kind && p.timed() {
			p.seq = uint64(len(out)) // there is no hole in them that matters
			out = append(out, p)
		}
	}
	return out
}
