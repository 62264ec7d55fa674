package splice

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// sequel is what is given after the active's death, and what there was before.
type sequel struct {
	*drama
	died   time.Time // when the mirror brought its last
	last   *topic.Unit
	pts    media.Time
	sounds int // the last content of sound that the mirror brought
}

// unlucky is a broadcast whose backup has other pictures than the active, which dies.
func unlucky(t *testing.T, seed uint64) {
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 5))
	d := &sequel{drama: &drama{t: t, rng: rng, nature: natureOf(rng)}, sounds: -1}
	d.nature.audioOnly, d.nature.noAudio = false, rng.IntN(4) == 0
	d.all = encode(rng, d.nature, media.Time(20+rng.IntN(20))*media.Second)
	n := len(d.all)
	d.active = publish(t, d.nature, d.all, 0, n, activeEpoch, media.Time(rng.IntN(5000))*ms, 1)
	dies := n/3 + rng.IntN(n/3)
	d.mirror(time.Duration(rng.IntN(80))*time.Millisecond, dies, 60, 0)
	d.publish(keyAt(d.all, rng.IntN(n/6)), n, time.Duration(rng.IntN(80))*time.Millisecond, 2)
	d.run()
	d.before()
	d.after()
}

// before notes what the mirror brought.
func (d *sequel) before() {
	for _, e := range d.events {
		for _, u := range e.mirror {
			d.died, d.last = e.at, u
			if u.Kind == media.Video {
				d.pts = max(d.pts, u.PTS())
			}
			if u.Kind == media.Audio {
				d.sounds = d.active.of[u.Seq-1]
			}
		}
	}
}

// slowest is how late an own unit may be.
const slowest = 500 * time.Millisecond

// after expects that the own stream goes on where the active's ended.
func (d *sequel) after() {
	d.t.Helper()
	if len(d.given) == 0 || d.at[0].Before(d.died) {
		d.t.Fatalf("%d units are given, the first at %v; the active died at %v",
			len(d.given), d.at[:min(1, len(d.at))], d.died)
	}
	if late := d.at[0].Sub(d.died); !d.nature.noAudio && late > silence+slowest {
		d.t.Fatalf("the first unit is given %v after the last", late)
	}
	d.decodes()
	d.complete()
}

// decodes has a topic take all: the active's units and those in their place.
func (d *sequel) decodes() {
	d.t.Helper()
	m := topic.NewMachine(topic.NewRing(topic.DefaultLimits()))
	for _, e := range d.events {
		for _, u := range e.mirror {
			_, _ = m.Push(u)
		}
	}
	seq, pictures := d.last.Seq+leap-1, 0
	for i, u := range d.given {
		entered, err := m.Push(u)
		switch {
		case err != nil:
			d.t.Fatalf("unit %d of those given: %v", i, err)
		case entered != u:
			d.t.Fatalf("unit %d of those given falls from %v to %v", i, entered.DTS, u.DTS)
		case u.Seq != seq+1:
			d.t.Fatalf("unit %d of those given has the number %d, not %d", i, u.Seq, seq+1)
		}
		seq = u.Seq
		if u.Kind != media.Video || u.Role == media.SequenceHeader {
			continue
		}
		if pictures++; pictures == 1 && (u.Role != media.Keyframe || u.PTS() <= d.pts) {
			d.t.Fatalf("the first picture is a %v at %v, behind %v", u.Role, u.PTS(), d.pts)
		}
	}
}

// complete expects all own pictures from the first one on, and all sound from where it ended.
func (d *sequel) complete() {
	d.t.Helper()
	own := d.own[0]
	next := map[media.Kind]int{media.Video: -1, media.Audio: -1}
	for _, u := range d.given {
		if u.Role == media.SequenceHeader || u.Kind == media.Data {
			continue
		}
		i := next[u.Kind]
		if i < 0 {
			i = d.first(u)
		}
		for own.units[i].Kind != u.Kind || own.units[i].Role == media.SequenceHeader {
			i++
		}
		if !bytes.Equal(own.units[i].Body, u.Body) {
			d.t.Fatalf("own unit %d is not the next %v", i, u.Kind)
		}
		next[u.Kind] = i + 1
		if want := d.active.placed[own.of[i]].DTS; !d.nature.noAudio && u.DTS != want {
			d.t.Fatalf("own unit %d is given at %v, not %v", i, u.DTS, want)
		}
	}
	for kind, i := range next {
		for ; i >= 0 && i < len(own.units); i++ {
			if own.units[i].Kind == kind {
				d.t.Fatalf("own unit %d of %d is not given", i, len(own.units))
			}
		}
	}
}

// first is where among the own units the first one given of a kind should be, or may be.
func (d *sequel) first(u *topic.Unit) int {
	own := d.own[0]
	for i, o := range own.units {
		if u.Kind == media.Audio && own.of[i] > d.sounds && o.Kind == media.Audio ||
			u.Kind == media.Video && bytes.Equal(o.Body, u.Body) {
			return i
		}
	}
	d.t.Fatalf("there is no own unit like the first %v that is given", u.Kind)
	return 0
}

// A backup with other pictures goes on at its next IDR picture, with all sound.
func TestOther(t *testing.T) {
	for seed := range uint64(300) {
		unlucky(t, seed)
	}
}

func FuzzOther(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { unlucky(t, seed) })
}

// A backup that was stopped for a while gives nothing of what has come meanwhile, and does not take
// its own absence for the active's.
func TestNoTakeoverByTheWoken(t *testing.T) {
	p := newPair(t, nature{}, 1)
	p.play(0, 300, true, true)
	p.expect("both", true, false)
	p.given = nil
	at := made(&p.all[600])
	for c := 300; c < 600; c++ {
		p.machine.Own(p.mine.units[c], at)
	}
	p.machine.Lost(at)
	p.machine.Tick(at.Add(silence))
	p.take(at)
	p.expect("it wakes up", false, false)
	for c := 300; c < 600; c++ {
		p.machine.Mirror(p.active.units[c], at.Add(time.Second))
	}
	p.take(at)
	if len(p.given) != 0 {
		t.Errorf("%d old units are given", len(p.given))
	}
	p.play(600, 900, true, true)
	p.expect("it is awake", true, false)
}
