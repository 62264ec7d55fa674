package splice

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// pair is a machine and two lanes of one broadcast, in step.
type pair struct {
	*drama
	mine *lane
}

func newPair(t testing.TB, n nature, sps byte) *pair {
	rng := rand.New(rand.NewPCG(1, 1))
	if n.gop == 0 {
		n.gop = 30
	}
	d := &drama{t: t, rng: rng, nature: n, machine: NewMachine()}
	d.all = encode(rng, n, 60*media.Second)
	d.active = publish(t, n, d.all, 0, len(d.all), activeEpoch, 3*media.Second, 1)
	return &pair{drama: d, mine: publish(t, n, d.all, 0, len(d.all), 5, 0, sps)}
}

// play brings units from one content to another, of either side or both, when they are made.
func (p *pair) play(from, to int, mirror, own bool) time.Time {
	var at time.Time
	for i := from; i < to; i++ {
		at = made(&p.all[i])
		if deadline, ok := p.machine.Deadline(); ok && !deadline.After(at) {
			p.machine.Tick(at)
			p.take(at)
		}
		if mirror {
			p.machine.Mirror(p.active.units[i], at)
		}
		if own {
			p.machine.Own(p.mine.units[i], at)
		}
		p.take(at)
	}
	return at
}

// seqs are the first and the last number given since the last time, and how many there were.
func (p *pair) seqs() (first, last uint64, n int) {
	if n = len(p.given); n > 0 {
		first, last = p.given[0].Seq, p.given[n-1].Seq
	}
	p.given, p.at = nil, nil
	return first, last, n
}

func (p *pair) expect(what string, aligned, tookOver bool) {
	p.t.Helper()
	if p.machine.Aligned() != aligned || p.machine.TookOver() != tookOver {
		p.t.Fatalf("%s: aligned %v, took over %v", what, p.machine.Aligned(), p.machine.TookOver())
	}
}

func TestAligned(t *testing.T) {
	p := newPair(t, nature{}, 1)
	p.play(0, 200, true, true)
	p.expect("both come", true, false)
	p.play(200, 400, true, false)
	p.expect("own is late", true, false)
	p.play(200, 400, false, true)
	if _, _, n := p.seqs(); n != 0 {
		t.Errorf("%d units are given that the mirror has brought", n)
	}
	p.play(400, 1000, false, true)
	if first, last, n := p.seqs(); first != 401 || last != 1000 || n != 600 {
		t.Errorf("%d units are given, from %d to %d; want 401 to 1000", n, first, last)
	}
	p.expect("the active is dead", true, false)
	if _, ok := p.machine.Deadline(); ok {
		t.Error("something is waited for")
	}
}

// A picture that stands still in silence is the same everywhere: it says nothing of numbers.
func TestStillIsNotAligned(t *testing.T) {
	p := newPair(t, nature{still: true, gop: 21}, 1) // 33 frames of sound
	p.play(2, 300, true, false)
	p.play(300, 1000, true, true)
	p.expect("a still", false, false)
	p.play(1000, 1400, false, true)
	p.expect("the active is dead", false, true)
	if first, _, n := p.seqs(); n == 0 || first != 1000+leap {
		t.Errorf("%d units are given from %d on", n, first)
	}
}

// An own unit that is missing makes the numbers behind it doubtful.
func TestOwnGap(t *testing.T) {
	p := newPair(t, nature{}, 1)
	p.play(0, 200, true, true)
	p.play(200, 210, true, false)
	p.play(210, 215, true, true)
	p.expect("a gap", false, false)
	p.play(215, 300, true, true)
	p.expect("both go on", true, false)
}

// What the active adds of its own shifts the numbers behind it. That is noticed at once, and it
// takes longer each time until own units are trusted again.
func TestActiveAdds(t *testing.T) {
	p := newPair(t, nature{}, 1)
	p.play(0, 200, true, true)
	body, tail := flv.NewBody(20)
	added := topic.NewUnit(activeEpoch, 201, media.AccessUnit{
		Kind: media.Data, DTS: p.active.units[200].DTS, Body: body, Tail: tail,
	})
	p.machine.Mirror(added, made(&p.all[200]))
	for i := 200; i < 400; i++ {
		u := p.active.units[i]
		p.machine.Mirror(u.Placed(activeEpoch, u.Seq+1, u.Header), made(&p.all[i]))
		p.machine.Own(p.mine.units[i], made(&p.all[i]))
		if aligned := p.machine.Aligned(); aligned && i < 230 || !aligned && i > 240 {
			t.Fatalf("%d units later: aligned %v", i-200, aligned)
		}
	}
	p.take(start)
	if _, _, n := p.seqs(); n > 0 {
		t.Errorf("%d units are given that the mirror has brought, or under wrong numbers", n)
	}
}

// Once own units are shown in its place, the active does not come back within its epoch, and what
// it brings nevertheless comes between nothing.
func TestActiveComesBack(t *testing.T) {
	p := newPair(t, nature{}, 2)
	p.play(0, 300, true, true)
	p.expect("other pictures", false, false)
	p.play(300, 400, false, true)
	p.expect("the active is silent", false, true)
	p.play(400, 600, true, true)
	p.expect("it is back", false, true)
	first, last, n := p.seqs()
	if first != 300+leap || int(last-first) != n-1 {
		t.Errorf("%d units are given, from %d to %d", n, first, last)
	}
	for i := range 4 * leap { // the active's numbers overtake
		u := p.active.units[600].Placed(activeEpoch, 601+uint64(i), nil)
		p.machine.Mirror(u, made(&p.all[600]))
	}
	p.play(600, 800, false, true)
	first, _, n = p.seqs()
	if first != 600+4*leap+leap || n == 0 {
		t.Errorf("%d units are given from %d on, behind %d", n, first, 600+4*leap)
	}
	p.machine.OwnEnded()
	p.expect("own has ended", false, false)
}

// A new session of the own publisher goes on where the former one ended, though the active is dead.
func TestOwnComesAgain(t *testing.T) {
	p := newPair(t, nature{bframes: true}, 1)
	p.play(0, 300, true, true)
	p.play(300, 500, false, true)
	_, last, _ := p.seqs()
	p.machine.OwnEnded()
	end := p.machine.last
	from := keyAt(p.all, 700)
	p.mine = publish(t, p.nature, p.all, from, len(p.all), 6, 20*media.Second, 1)
	for i, u := range p.mine.units[:300] {
		at := made(&p.all[max(from, p.mine.of[i])])
		p.machine.Tick(at)
		p.machine.Own(u, at)
		p.take(at)
	}
	p.expect("own is back", false, true)
	if len(p.given) < 200 || p.given[0].Seq != last+leap {
		t.Fatalf("%d units are given, behind %d: %d", len(p.given), last, p.given[0].Seq)
	}
	for _, u := range p.given {
		gone := u.DTS - end[u.Kind]
		if u.Kind == media.Video && (u.Role != media.Keyframe || gone < 2*media.Second) {
			t.Errorf("the first picture is a %v, %v behind the last", u.Role, gone)
		}
		if u.Kind == media.Video {
			break
		}
	}
}

// Another epoch of the active begins with nothing known of its numbers.
func TestActiveBeginsAnew(t *testing.T) {
	p := newPair(t, nature{}, 1)
	p.play(0, 300, true, true)
	p.play(300, 500, false, true)
	p.seqs()
	from := keyAt(p.all, 500)
	next := publish(t, p.nature, p.all, from, len(p.all), activeEpoch+1, 0, 1)
	for i, u := range next.units[:200] {
		c := next.of[i]
		if c >= from {
			p.machine.Own(p.mine.units[c], made(&p.all[c]))
		}
		p.machine.Mirror(u, made(&p.all[max(c, from)]))
		p.take(made(&p.all[c]))
	}
	p.expect("a new epoch", true, false)
	p.seqs()
	p.machine.Mirror(p.active.units[510], start.Add(time.Hour)) // a stale one
	c := next.of[200]
	p.machine.Own(p.mine.units[c], made(&p.all[c]))
	p.take(start)
	if len(p.given) != 1 || p.given[0].Epoch != activeEpoch+1 ||
		p.given[0].Seq != next.units[200].Seq {
		t.Errorf("%d units are given: %+v", len(p.given), p.given)
	}
}

// What the own gate has sealed is not given any more, and who joins does not begin with what was.
func TestOwnSeal(t *testing.T) {
	p := newPair(t, nature{}, 1)
	p.play(0, 200, true, true)
	p.play(200, 206, false, true)
	p.expect("the own side is ahead", true, false)
	last := p.given[len(p.given)-1]
	p.given = nil
	at := made(&p.all[206])
	p.machine.OwnSealed(&topic.Seal{Epoch: 5, Seq: p.machine.ownSeq + 3}, at)
	p.machine.OwnSealed(&topic.Seal{Epoch: 5, Seq: p.machine.ownSeq + 3}, at)
	p.machine.OwnSealed(&topic.Seal{Epoch: 4, Seq: p.machine.ownSeq + 9}, at)
	out := p.machine.Take()
	if len(out) != 1 || *out[0].(*topic.Seal) != (topic.Seal{Epoch: activeEpoch, Seq: last.Seq}) {
		t.Errorf("%v is sealed, %d was given", out, last.Seq)
	}
	p.play(206, 210, false, true)
	p.play(200, 210, true, false)
	p.play(210, 250, true, true)
	p.expect("they may differ now", false, false)
	if len(p.given) != 0 {
		t.Errorf("%d units are given behind a seal", len(p.given))
	}
	p.play(250, 350, true, true)
	p.play(350, 360, false, true)
	p.expect("they are the same again", true, false)
	if len(p.given) == 0 {
		t.Error("nothing is given")
	}
}

// Where the own stream has taken over, pictures go on at the next IDR picture behind a seal that
// came before what it covers.
func TestOwnSealOverTaken(t *testing.T) {
	p := newPair(t, nature{gop: 30}, 2)
	p.play(0, 200, true, true)
	p.machine.Lost(made(&p.all[200]))
	p.play(200, 300, false, true)
	p.expect("the active is dead", false, true)
	sealed := topic.Seal{Epoch: 5, Seq: p.machine.ownSeq + 10}
	p.machine.OwnSealed(&sealed, made(&p.all[300]))
	p.machine.Take()
	p.given = nil
	p.play(300, 500, false, true)
	pictures := 0
	for _, u := range p.given {
		if u.Kind != media.Video || u.Role == media.SequenceHeader {
			continue
		}
		if pictures++; pictures == 1 && u.Role != media.Keyframe {
			t.Errorf("pictures go on with %+v", u)
		}
	}
	if pictures == 0 || pictures > 190 {
		t.Errorf("%d pictures are given", pictures)
	}
}

// What is kept of both sides does not grow.
func TestWindowsAreBounded(t *testing.T) {
	p := newPair(t, nature{}, 2)
	p.play(0, len(p.all), true, true)
	for _, w := range []*window{&p.machine.own, &p.machine.mirror} {
		if len(w.all) != mostSeen || cap(w.all) > 4*mostSeen || w.bytes > mostBytes {
			t.Errorf("%d prints of room for %d, %d bytes", len(w.all), cap(w.all), w.bytes)
		}
	}
}

// Where an alignment has ended for want of an own unit, and the active is dead, times go on as they
// were.
func TestTimesOfAFormerAlignment(t *testing.T) {
	p := newPair(t, nature{noAudio: true, bframes: true}, 1)
	p.play(0, 300, true, true)
	p.play(300, 320, false, true)
	p.expect("the active is dead", true, false)
	p.seqs()
	p.play(321, 500, false, true)
	p.expect("a gap", false, true)
	if len(p.given) == 0 {
		t.Fatal("nothing is given")
	}
	for i, u := range p.given {
		if want := p.active.units[500-len(p.given)+i].DTS; u.DTS != want {
			t.Fatalf("unit %d of %d is given at %v, not %v", i, len(p.given), u.DTS, want)
		}
	}
}
