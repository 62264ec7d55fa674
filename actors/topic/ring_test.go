package topic

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// fill pushes count units of a letter with a DTS step between them.
func fill(t testing.TB, m *Machine, letter byte, count int, step media.Time) {
	t.Helper()
	for range count {
		last := latest(m)
		if _, err := m.Push(unit(1, m.Seq()+1, letter, last+step)); err != nil {
			t.Fatal(err)
		}
	}
	m.ring.Publish()
}

func TestRingTimeBound(t *testing.T) {
	ring := NewRing(Limits{Bytes: 1 << 20, Time: 100 * ms})
	m := NewMachine(ring)
	feed(t, m, 1, "VK")
	fill(t, m, 'f', 200, 10*ms) // a GOP of two seconds is kept whole
	if ring.Len() < 200 {
		t.Fatalf("%d units of the last GOP are kept, want all", ring.Len())
	}
	feed(t, m, 1, "K")
	if got := ring.Len(); got != 11 { // the 100 ms before it
		t.Errorf("%d units are kept, want 11", got)
	}
	fill(t, m, 'f', 5, 10*ms)
	if got := ring.Len(); got != 11 {
		t.Errorf("%d units are kept 50 ms into a GOP, want 11", got)
	}
	fill(t, m, 'f', 20, 10*ms)
	if got := ring.Len(); got != 26 {
		t.Errorf("%d units are kept 250 ms into a GOP, want those 26", got)
	}
}

func TestRingByteBound(t *testing.T) {
	const limit = 100 * (20 + overhead)
	ring := NewRing(Limits{Bytes: limit, Time: media.Second})
	m := NewMachine(ring)
	feed(t, m, 1, "VAK")
	fill(t, m, 'f', 1000, 10*ms)
	if ring.Len() != 100 || ring.Bytes() != 100*20 {
		t.Errorf("%d units of %d bytes are kept, want 100 of 2000", ring.Len(), ring.Bytes())
	}
	if ring.Entry() != nil {
		t.Error("an entry that is gone is still offered")
	}
	if got := letters(m.Snapshot()); got != "V1 A2" {
		t.Errorf("the snapshot without an entry is %s", got)
	}
	feed(t, m, 1, "K")
	if e := ring.Entry(); e == nil || e.Headers[media.Video] == nil || e.Headers[media.Audio] == nil {
		t.Error("the next keyframe is no entry with its headers")
	}
	ring.limits.Bytes = 1
	feed(t, m, 1, "K")
	if ring.Len() != 1 {
		t.Errorf("of units greater than the bound %d are kept, want the last", ring.Len())
	}
}

// Messages of next to nothing cost memory too.
func TestRingBoundsEmptyUnits(t *testing.T) {
	ring := NewRing(Limits{Bytes: 1 << 20, Time: media.Second})
	m := NewMachine(ring)
	for range 100_000 {
		if _, err := m.Push(unit(1, m.Seq()+1, 'd', 0)); err != nil {
			t.Fatal(err)
		}
	}
	if most := 1 << 20 / overhead; ring.Len() > most {
		t.Errorf("%d units are kept in 1 MiB, want at most %d", ring.Len(), most)
	}
}

func TestRingDescribe(t *testing.T) {
	ring := NewRing(DefaultLimits())
	m := NewMachine(ring)
	if d := ring.describe(); d.BitsPerSecond != 0 || d.Headers != (Headers{}) {
		t.Errorf("an empty ring is described as %+v", d)
	}
	feed(t, m, 1, "VK")
	fill(t, m, 'f', 98, 10*ms) // 100 units of 20 bytes in 990 ms
	d := ring.describe()
	if d.Headers[media.Video] == nil || d.BitsPerSecond < 16000 || d.BitsPerSecond > 16200 {
		t.Errorf("%.0f bit/s, headers %v", d.BitsPerSecond, d.Headers)
	}
}

// A publisher that lags behind another of the same ring does not hide what that one published.
func TestPublishNeverGoesBack(t *testing.T) {
	ring := NewRing(DefaultLimits())
	m := NewMachine(ring)
	feed(t, m, 1, "V")
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !stop.Load() {
				ring.Publish()
			}
		})
	}
	for range 20_000 {
		ring.append(unit(1, 1, 'd', 0), false, Headers{})
		ring.Publish()
		if head, visible := ring.head.Load(), ring.visible.Load(); visible != head {
			t.Errorf("%d units are visible of %d that were published", visible, head)
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

// follower reads a ring on a goroutine of its own, as a viewer's writer does, and checks each unit.
type follower struct {
	reader *Reader
	pace   int
	units  int
	last   uint64
}

func newFollower(ring *Ring, pace int) *follower {
	return &follower{reader: NewReader(ring, 0), pace: pace}
}

// run reads until it has the unit of sequence number end.
func (f *follower) run(t *testing.T, end uint64) {
	batch := make([]*Unit, 0, 2*MinBatch)
	var gop, header uint64
	for f.last < end {
		turn := f.reader.ring.Turn()
		units := f.reader.Next(batch, 1<<20)
		for _, u := range units {
			f.units++
			switch {
			case u.Role == media.SequenceHeader:
				header = u.Seq
			case u.Seq <= f.last:
				t.Errorf("unit %d comes after %d", u.Seq, f.last)
				return
			case u.Role == media.Keyframe:
				gop, f.last = u.Seq, u.Seq
			case gop == 0 || u.Seq != f.last+1:
				t.Errorf("frame %d comes after %d, GOP %d", u.Seq, f.last, gop)
				return
			default:
				f.last = u.Seq
			}
			if header == 0 {
				t.Errorf("unit %d comes without a header", u.Seq)
				return
			}
		}
		if len(units) == 0 {
			<-turn
		}
		for range f.pace {
			runtime.Gosched()
		}
	}
}

// Many readers of every pace follow one writer, whose ring grows, shrinks and overtakes them, and
// none sees a unit that is not the next or waits for one that is there.
func TestRingStress(t *testing.T) {
	const end = 20_000
	ring := NewRing(Limits{Bytes: 400 * (overhead + 20), Time: 2 * media.Second})
	m := NewMachine(ring)
	var wg sync.WaitGroup
	for i := range 24 {
		f := newFollower(ring, i*i/4)
		wg.Go(func() { f.run(t, end) })
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for seq := uint64(1); seq <= end; seq++ {
		letter := byte('f')
		switch {
		case seq == 1:
			letter = 'V'
		case seq == 2, seq == end, rng.IntN(60) == 0:
			letter = 'K'
		}
		if _, err := m.Push(unit(1, seq, letter, media.Time(seq)*10*ms)); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(4) > 0 || seq == end {
			ring.Publish()
		}
		if rng.IntN(8) == 0 {
			ring.WakeAll()
		}
		if rng.IntN(16) == 0 {
			runtime.Gosched()
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("a reader waits for what was published")
	}
}

// Whoever waits when something is published is woken.
func TestTurnLosesNoWakeUp(t *testing.T) {
	ring := NewRing(DefaultLimits())
	const turns, readers = 5_000, 4
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for {
				turn := ring.Turn()
				if ring.visible.Load() == turns {
					return
				}
				<-turn
			}
		})
	}
	for range turns {
		ring.append(unit(1, 1, 'd', 0), false, Headers{})
		ring.Publish()
	}
	wg.Wait()
}

func TestTurnEndsOnce(t *testing.T) {
	ring := NewRing(DefaultLimits())
	m := NewMachine(ring)
	before := ring.Turn()
	if over(before) {
		t.Error("a turn is over though nothing was published")
	}
	feed(t, m, 1, "V")
	if !over(before) || over(ring.Turn()) {
		t.Error("publishing ends the turn, and begins another")
	}
}

// Many nudges wake those who wait, together.
func TestNudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := NewRing(DefaultLimits())
		for range 3 {
			turn := ring.Turn()
			for range 1000 {
				ring.Nudge()
			}
			if over(turn) {
				t.Error("a nudge wakes everyone at once")
			}
			pass(nudgeTime)
			if !over(turn) {
				t.Error("a nudge wakes nobody")
			}
			turn = ring.Turn()
			pass(time.Second)
			if over(turn) {
				t.Error("nudges that came together wake twice")
			}
		}
	})
}

func over(turn <-chan struct{}) bool {
	select {
	case <-turn:
		return true
	default:
		return false
	}
}
