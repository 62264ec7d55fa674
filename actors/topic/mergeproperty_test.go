package topic

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// entry is a unit of the source, and what somebody who begins with it needs.
type entry struct {
	unit    *Unit
	headers Headers // before the newest keyframe
	key     int     // where that is, or less than 0
}

// pace is how often the source has a unit.
const pace = 13 * time.Millisecond

// ledgerOf is all that the source ever had, unit i at i times pace.
func ledgerOf(rng *rand.Rand, units int) (all []entry) {
	e := encoder{}
	e.restart(0)
	now := entry{key: -1}
	for i := range units {
		if i > 0 && rng.IntN(units/2) == 0 {
			e.restart(media.Time(rng.IntN(50)) * 10 * ms)
			now = entry{key: -1}
		}
		if rng.IntN(30) == 0 {
			e.picture = claim{}
		}
		kind := []media.Kind{media.Video, media.Audio, media.Audio}[rng.IntN(3)]
		headers := e.headers
		now.unit = e.next(kind, rng.IntN(100) == 0)
		if now.unit.Role == media.Keyframe && kind == media.Video {
			now.headers, now.key = headers, i
		}
		all = append(all, now)
	}
	return all
}

// snapshotAt is what a follower gets who begins with unit i.
func snapshotAt(all []entry, i int) []*Unit {
	if all[i].key < 0 {
		return nil
	}
	units := inSequence(all[i].headers)
	for _, e := range all[all[i].key : i+1] {
		units = append(units, e.unit)
	}
	return units
}

// delivery is what one upstream brings at a time.
type delivery struct {
	at    time.Duration
	units []*Unit
	live  bool
}

// upstream is one way from the source to the edge, with faults.
type upstream struct {
	rng   *rand.Rand
	all   []entry
	delay time.Duration
	clock time.Duration // of the latest delivery: what it brings is in order
	out   []delivery
}

func (u *upstream) bring(i int, live bool, units ...*Unit) {
	jitter := time.Duration(u.rng.IntN(10)) * time.Millisecond
	if u.rng.IntN(100) == 0 {
		jitter = time.Duration(u.rng.IntN(500)) * time.Millisecond
	}
	u.clock = max(u.clock, time.Duration(i)*pace+u.delay+jitter)
	if len(units) > 0 {
		u.out = append(u.out, delivery{u.clock, units, live})
	}
}

// run brings the source's units, but for what faults cost.
func (u *upstream) run() []delivery {
	known := false // of the present epoch
	for i := 0; i < len(u.all); i++ {
		unit := u.all[i].unit
		if i > 0 && unit.Epoch != u.all[i-1].unit.Epoch {
			known = unit.Seq == 1
		}
		fault := u.rng.IntN(150)
		switch {
		case !known:
			if s := snapshotAt(u.all, i); s != nil {
				u.bring(i, false, s...)
				known = true
			}
		case fault == 0: // lost in a mailbox
			i += u.rng.IntN(20)
		case fault == 1: // too slow: it begins anew further on
			i += u.rng.IntN(40)
			known = false
		case fault == 2: // dead for a while, and then it goes on where it was
			i = u.resume(i, min(i+u.rng.IntN(150), len(u.all)-1))
		case fault == 3:
			i += u.rng.IntN(150)
			known = false
		default:
			u.bring(i, true, unit)
		}
		if i < len(u.all) && u.all[i].unit.Epoch != unit.Epoch {
			known = false
		}
	}
	return u.out
}

// resume brings units from i on, late, as far as they are of one epoch, and returns the last.
func (u *upstream) resume(i, last int) int {
	var units []*Unit
	at := i
	for ; at <= last && u.all[at].unit.Epoch == u.all[i].unit.Epoch; at++ {
		units = append(units, u.all[at].unit)
	}
	for part := range slices.Chunk(units, 50) {
		u.bring(at, false, part...)
	}
	return at - 1
}

// oracle says what is to enter, by the rule alone: all that comes within the time from when
// something beyond it came, before there is a later epoch, as far as it decodes.
func oracle(deliveries []delivery, patience time.Duration) []*Unit {
	first := map[place]time.Duration{}
	begin := map[uint64]place{} // what is before it came too late to be a beginning
	units := map[place]*Unit{}
	var present uint64
	for _, a := range deliveries {
		for _, u := range a.units {
			at := placeOf(u)
			if _, twice := first[at]; twice || u.Epoch < present {
				continue
			}
			present = u.Epoch
			first[at], units[at] = a.at, u
		}
		last := placeOf(a.units[len(a.units)-1])
		if _, begun := begin[last.epoch]; !begun && last.epoch == present {
			begin[last.epoch] = last
			for _, u := range a.units {
				first[placeOf(u)] = -1
			}
		}
	}
	places := make([]place, 0, len(units))
	for at := range units {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int { return b.compare(a) })
	var out []*Unit
	var epoch uint64
	var beyond time.Duration // the earliest delivery of what is after it
	for _, at := range places {
		if at.epoch != epoch {
			epoch, beyond = at.epoch, 1<<60
		}
		came := first[at]
		early := at.compare(begin[epoch]) < 0
		if came < 0 || !early && came < beyond+patience {
			out = append(out, units[at])
		}
		if came >= 0 {
			beyond = min(beyond, came)
		}
	}
	slices.Reverse(out)
	return decodable(out)
}

func decodable(units []*Unit) (out []*Unit) {
	m := NewMachine(NewRing(DefaultLimits()))
	for _, u := range units {
		if entered, err := m.Push(u); err == nil {
			out = append(out, entered)
		}
	}
	return out
}

// confluence is one run: upstreams over one source.
func confluence(t *testing.T, seed uint64) fates {
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 11))
	all := ledgerOf(rng, 300+rng.IntN(600))
	var deliveries []delivery
	for range 1 + rng.IntN(4) {
		u := &upstream{rng: rng, all: all, delay: time.Duration(rng.IntN(150)) * time.Millisecond}
		deliveries = append(deliveries, u.run()...)
	}
	slices.SortStableFunc(deliveries, func(a, b delivery) int { return cmp.Compare(a.at, b.at) })
	patience := Patience{Time: 300 * time.Millisecond, Units: 1 << 20, Bytes: 1 << 30}
	f := newFunnel(patience)
	viewer := &decoder{reader: NewReader(f.machine.ring, 0)}
	for _, a := range deliveries {
		f.advance(a.at - f.now.Sub(time.Unix(1e9, 0)))
		if a.live {
			f.take(a.units[0])
		} else {
			f.adopt(a.units)
		}
		for _, u := range viewer.reader.Next(make([]*Unit, 0, 1024), 1<<30) {
			viewer.take(t, u)
		}
	}
	f.advance(time.Second)
	compare(t, f.entered, oracle(deliveries, patience.Time))
	if len(f.held) != 0 || f.bytes != 0 || f.open || f.fates.opened != f.fates.filled+f.fates.givenUp {
		t.Fatalf("in the end %d units and %d bytes are held, holes %+v", len(f.held), f.bytes, f.fates)
	}
	return f.fates
}

func compare(t *testing.T, got, want []*Unit) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("unit %d, %+v, is lost: %d of %d", i, placeOf(want[i]), len(got), len(want))
		case i >= len(want):
			t.Fatalf("unit %d, %+v, is too many", i, placeOf(got[i]))
		case placeOf(got[i]) != placeOf(want[i]) || got[i].DTS != want[i].DTS:
			t.Fatalf("unit %d is %+v at %v, want %+v at %v", i,
				placeOf(got[i]), got[i].DTS, placeOf(want[i]), want[i].DTS)
		}
	}
}

// Whatever upstreams skip, delay or repeat: what enters is all that reached the edge by any of them
// in time, once, in order, and it decodes.
func TestConfluence(t *testing.T) {
	var sum fates
	for seed := range uint64(2000) {
		f := confluence(t, seed)
		sum.filled += f.filled
		sum.givenUp += f.givenUp
	}
	if sum.filled < 1000 || sum.givenUp < 1000 {
		t.Errorf("%+v: the test tests little", sum)
	}
	t.Logf("%d holes filled, %d given up", sum.filled, sum.givenUp)
}

func FuzzConfluence(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { confluence(t, seed) })
}

// Whatever comes in whatever order: what enters rises, and what is held is bounded, for a time.
func FuzzMerge(f *testing.F) {
	f.Add([]byte("\x01\x01\x01\x02\x01\x05\x41\x03\x01\x04\x82\x01\x02\x07\xc0\xff\x01\x09"))
	p := Patience{Time: 300 * time.Millisecond, Units: 5, Bytes: 7 * (20 + overhead)}
	f.Fuzz(func(t *testing.T, script []byte) {
		g := newFunnel(p)
		for ; len(script) >= 2; script = script[2:] {
			letter := "VAKfad"[script[0]>>2&15%6]
			u := unit(uint64(script[0]&3), uint64(script[1])%40, letter, media.Time(script[1])*ms)
			switch script[0] >> 6 {
			case 1:
				g.adopt([]*Unit{u, unit(u.Epoch, u.Seq+2, 'K', u.DTS)})
			case 3:
				g.advance(time.Duration(script[1]) * 2 * time.Millisecond)
			default:
				g.take(u)
			}
			if len(g.held) > p.Units || g.bytes > p.Bytes {
				t.Fatalf("%d units, %d bytes are held", len(g.held), g.bytes)
			}
		}
		g.advance(time.Second)
		if len(g.held) != 0 || g.bytes != 0 || g.open {
			t.Fatalf("in the end %d units and %d bytes are held", len(g.held), g.bytes)
		}
		for i := 1; i < len(g.entered); i++ {
			if placeOf(g.entered[i-1]).compare(placeOf(g.entered[i])) >= 0 {
				t.Fatalf("%+v enters behind %+v", placeOf(g.entered[i]), placeOf(g.entered[i-1]))
			}
		}
	})
}
