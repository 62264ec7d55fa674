package splice

import "github.com/headwater-live/headwater/codec/media"

// found is a place in one side's prints that is the other side's latest one.
type found struct {
	at    int        // index in the prints that were looked at
	delta media.Time // what their times are more
	timed bool       // delta is known
}

// agreed is align that is asked from both sides: one of them may know too little to see that a unit
// is like many others.
func agreed(one, other []print, need int) (found, bool) {
	f, ok := align(one, other, need)
	if !ok {
		return f, false
	}
	back, ok := align(other[:f.at+1], one, need)
	return f, ok && back.at == len(one)-1
}

// align looks for the newest print of one side among those of the other. It is where the prints
// before it are the same as well, need of them at least, and twice as many as anywhere else: where
// a picture stands still in silence, units are the same everywhere, and that is nowhere.
func align(one, other []print, need int) (best found, ok bool) {
	if len(one) == 0 {
		return best, false
	}
	longest, rival := 0, 0
	newest := &one[len(one)-1]
	for at := range other {
		apart := newest.at.Sub(other[at].at)
		if !newest.is(&other[at]) || max(apart, -apart) > mostApart {
			continue
		}
		run, f := compare(one, other[:at+1], 4*need)
		f.at = at
		if run >= longest { // the later one, of equals: they are rivals in any case
			best, longest, rival = f, run, longest
		} else {
			rival = max(rival, run)
		}
	}
	return best, longest >= need && longest >= 2*rival
}

// compare counts how many of the last prints of two sides are the same, as far as most.
func compare(one, other []print, most int) (run int, f found) {
	for run < min(len(one), len(other), most) {
		i, j := len(one)-1-run, len(other)-1-run
		p, q := &one[i], &other[j]
		if !p.is(q) || run > 0 && (p.seq+1 != one[i+1].seq || q.seq+1 != other[j+1].seq) {
			break
		}
		if p.timed() {
			delta := q.dts - p.dts
			if !f.timed {
				f.delta, f.timed = delta, true
			}
			if !steady(delta, f.delta) {
				break
			}
		}
		run++
	}
	return run, f
}

// steady reports whether two differences between the timelines are the same.
func steady(a, b media.Time) bool { return a-b <= unsteady && b-a <= unsteady }
