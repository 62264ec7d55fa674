package splice

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// event is what reaches the splice at a time.
type event struct {
	at     time.Time
	mirror []*topic.Unit
	own    *topic.Unit
	ended  bool // the own stream has
	gone   bool // the mirror's link is
	of     int  // the content of own
}

// drama is one broadcast that is published twice, and what becomes of either.
type drama struct {
	t      testing.TB
	rng    *rand.Rand
	nature nature
	all    []content
	active *lane
	own    []*lane
	events []event

	machine *Machine
	given   []*topic.Unit
	at      []time.Time // when
}

const activeEpoch = 77

// jitter is how late one unit is on one way: now and then very.
func (d *drama) jitter(spike int) time.Duration {
	if d.rng.IntN(300) == 0 {
		return time.Duration(d.rng.IntN(spike)) * time.Millisecond
	}
	return time.Duration(d.rng.IntN(15)) * time.Millisecond
}

// mirror has the active's units come, until it dies at a content, with skips of the link.
func (d *drama) mirror(delay time.Duration, dies, spike, skips int) {
	clock := start
	for i := 0; i < len(d.active.units); i++ {
		c := d.active.of[i]
		if c >= dies {
			d.events = append(d.events, event{at: clock, gone: d.rng.IntN(2) == 0})
			return
		}
		units := d.active.units[i : i+1]
		if skips > 0 && d.rng.IntN(skips) == 0 { // it goes on further on, at a keyframe
			i = min(i+d.rng.IntN(40), len(d.active.units)-1)
			units = d.snapshot(i)
		}
		clock = maxTime(clock, made(&d.all[d.active.of[i]]).Add(delay+d.jitter(spike)))
		d.events = append(d.events, event{at: clock, mirror: units})
	}
}

// snapshot is what a follower of the active gets that begins at its i-th unit.
func (d *drama) snapshot(i int) []*topic.Unit {
	m := topic.NewMachine(topic.NewRing(topic.DefaultLimits()))
	for _, u := range d.active.units[:i+1] {
		_, _ = m.Push(u)
	}
	return m.Snapshot()
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// publish has the own units come, of one session of the backup publisher.
func (d *drama) publish(from, to int, delay time.Duration, sps byte) {
	epoch := uint64(1000 + len(d.own))
	base := media.Time(d.rng.IntN(100000)) * ms
	l := publish(d.t, d.nature, d.all, from, to, epoch, base, sps)
	d.own = append(d.own, l)
	clock := made(&d.all[from])
	for i, u := range l.units {
		c := &d.all[max(from, l.of[i])]
		clock = maxTime(clock, made(c).Add(delay+d.jitter(400)))
		d.events = append(d.events, event{at: clock, own: u, of: l.of[i]})
	}
	if to < len(d.all) {
		d.events = append(d.events, event{at: clock, ended: true})
	}
}

// run plays it.
func (d *drama) run() {
	slices.SortStableFunc(d.events, func(a, b event) int {
		return cmp.Compare(a.at.UnixNano(), b.at.UnixNano())
	})
	d.machine = NewMachine()
	for _, e := range d.events {
		for {
			at, ok := d.machine.Deadline()
			if !ok || at.After(e.at) {
				break
			}
			d.machine.Tick(at)
			d.take(at)
		}
		for _, u := range e.mirror {
			d.machine.Mirror(u, e.at)
		}
		switch {
		case e.own != nil:
			d.machine.Own(e.own, e.at)
		case e.ended:
			d.machine.OwnEnded()
		case e.gone:
			d.machine.Lost(e.at)
		}
		d.take(e.at)
	}
}

func (d *drama) take(at time.Time) {
	for _, msg := range d.machine.Take() {
		if u, ok := msg.(*topic.Unit); ok {
			d.given, d.at = append(d.given, u), append(d.at, at)
		}
	}
}

// check holds what was given against what the active has, or would have: the same under each
// number. It returns the numbers that were had, from either side.
func (d *drama) check() map[uint64]bool {
	d.t.Helper()
	truth := map[uint64]*topic.Unit{}
	for _, u := range d.active.units {
		truth[u.Seq] = u
	}
	had := map[uint64]bool{}
	for _, e := range d.events {
		for _, u := range e.mirror {
			had[u.Seq] = true
		}
	}
	for i, u := range d.given {
		want := truth[u.Seq]
		switch {
		case want == nil || u.Epoch != activeEpoch:
			d.t.Fatalf("unit %d of epoch %d is given, which the active never has", u.Seq, u.Epoch)
		case !bytes.Equal(u.Body, want.Body):
			d.t.Fatalf("under the number %d another unit is given, the %d-th", u.Seq, i)
		case u.DTS != want.DTS:
			d.t.Fatalf("unit %d is given at %v, not %v", u.Seq, u.DTS, want.DTS)
		case want.Header != nil && (u.Header == nil || !bytes.Equal(u.Header.Body, want.Header.Body)):
			d.t.Fatalf("unit %d is given without its header", u.Seq)
		}
		had[u.Seq] = true
	}
	return had
}

func natureOf(rng *rand.Rand) nature {
	return nature{
		bframes: rng.IntN(2) == 0, audioOnly: rng.IntN(6) == 0, gop: 20 + rng.IntN(60),
	}
}

// lucky is a broadcast whose publishers send the same; it may be that either dies, that the backup
// comes late, and that it comes anew.
func lucky(t *testing.T, seed uint64) (saved int) {
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 3))
	d := &drama{t: t, rng: rng, nature: natureOf(rng)}
	if d.nature.audioOnly {
		d.nature.bframes = false
	}
	length := media.Time(30+rng.IntN(60)) * media.Second
	d.all = encode(rng, d.nature, length)
	base := media.Time(rng.IntN(5000)) * ms
	d.active = publish(t, d.nature, d.all, 0, len(d.all), activeEpoch, base, 1)
	n := len(d.all)
	dies := n
	if rng.IntN(3) > 0 {
		dies = n/2 + rng.IntN(n/2)
	}
	late := 0
	if rng.IntN(2) == 0 {
		late = keyAt(d.all, rng.IntN(n/3))
	}
	d.mirror(time.Duration(rng.IntN(120))*time.Millisecond, dies, 400, 700)
	switch ends := late + n/8 + rng.IntN(n); {
	case ends >= n:
		d.publish(late, n, time.Duration(rng.IntN(120))*time.Millisecond, 1)
	case ends < dies: // and comes again
		d.publish(late, ends, time.Duration(rng.IntN(120))*time.Millisecond, 1)
		if again := keyAt(d.all, ends+rng.IntN(200)); again+400 < dies {
			d.publish(again, n, time.Duration(rng.IntN(120))*time.Millisecond, 1)
		}
	default: // both are lost in the end
		d.publish(late, ends, time.Duration(rng.IntN(120))*time.Millisecond, 1)
	}
	d.run()
	d.whole(d.check())
	return d.saved()
}

// saved counts what was given that the mirror never brought.
func (d *drama) saved() int {
	brought, saved := map[uint64]bool{}, map[uint64]bool{}
	for _, e := range d.events {
		for _, u := range e.mirror {
			brought[u.Seq] = true
		}
	}
	for _, u := range d.given {
		if !brought[u.Seq] {
			saved[u.Seq] = true
		}
	}
	return len(saved)
}

// settled is how many contents may pass before the sides are aligned: those that are compared, and
// those that come while one side is late.
const settled = 250

// whole expects all that reached either side, from when they were aligned on.
func (d *drama) whole(had map[uint64]bool) {
	d.t.Helper()
	for _, l := range d.own {
		for i, c := range l.of {
			u := d.active.placed[c]
			if i > settled && !had[u.Seq] {
				d.t.Fatalf("content %d, unit %d of the active's, reached the backup and is lost", c, u.Seq)
			}
		}
	}
}

// What either publisher's origin got is had under the active's numbers, once, with its time.
func TestSame(t *testing.T) {
	saved, seeds := 0, 0
	for seed := range uint64(400) {
		n := lucky(t, seed)
		saved += n
		if n > 0 {
			seeds++
		}
	}
	if seeds < 200 {
		t.Errorf("in %d of 400 broadcasts the mirror lacked something: the test tests little", seeds)
	}
	t.Logf("%d units that the mirror lacked were given, in %d of 400 broadcasts", saved, seeds)
}

func FuzzSame(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { lucky(t, seed) })
}

// sealed plays a broadcast whose own gate seals now and then, at times before what it seals has
// come; the active's mirror is late, or ends, or the backup's publisher has other pictures.
func sealed(t *testing.T, seed uint64) (seals, given int) {
	rng := rand.New(rand.NewPCG(seed, 8))
	p := newPair(t, nature{gop: 20 + rng.IntN(20)}, byte(1+rng.IntN(2)))
	own := map[string]uint64{}
	for _, u := range p.mine.units {
		own[string(u.Body)] = u.Seq
	}
	lag, dies := rng.IntN(40), 500+rng.IntN(1500)
	limit := uint64(0)
	for i := range 2500 {
		at := made(&p.all[i])
		if deadline, ok := p.machine.Deadline(); ok && !deadline.After(at) {
			p.machine.Tick(at)
		}
		if i >= lag && i-lag < dies {
			p.machine.Mirror(p.active.units[i-lag], at)
		}
		p.machine.Own(p.mine.units[i], at)
		if i == dies+lag && rng.IntN(2) == 0 {
			p.machine.Lost(at)
		}
		for _, msg := range p.machine.Take() {
			u, is := msg.(*topic.Unit)
			if !is || u.Role == media.SequenceHeader {
				continue
			}
			given++
			if seq := own[string(u.Body)]; seq <= limit {
				t.Fatalf("seed %d: own unit %d is given behind the seal of %d", seed, seq, limit)
			}
		}
		if rng.IntN(300) == 0 {
			limit = p.mine.units[i].Seq + uint64(rng.IntN(30))
			p.machine.OwnSealed(&topic.Seal{Epoch: 5, Seq: limit}, at)
			seals++
		}
	}
	return seals, given
}

// What the own gate has sealed is given at no time after that.
func TestNothingSealedIsGiven(t *testing.T) {
	seals, given := 0, 0
	for seed := range uint64(200) {
		s, g := sealed(t, seed)
		seals, given = seals+s, given+g
	}
	t.Logf("%d seals, %d units given", seals, given)
	if seals < 500 || given < 10000 {
		t.Error("the test tests little")
	}
}
