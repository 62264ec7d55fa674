package topic

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// stream makes units of one broadcast without allocating but for the units themselves: 30 pictures
// a second of 8 KiB in GOPs of two seconds.
type stream struct {
	machine *Machine
	body    []byte
	tail    []byte
	header  *Unit
	seq     uint64
	units   []*Unit
}

func newStream() *stream {
	s := &stream{machine: NewMachine(NewRing(DefaultLimits()))}
	s.body, s.tail = flv.NewBody(8 << 10)
	s.header = s.make(media.SequenceHeader)
	return s
}

func (s *stream) make(role media.Role) *Unit {
	s.seq++
	u := NewUnit(1, s.seq, media.AccessUnit{
		Kind: media.Video, Codec: media.AVC, Role: role, DTS: media.Time(s.seq) * 33 * ms,
		Body: s.body, Tail: s.tail,
	})
	u.Header = s.header
	return u
}

// prepare makes n units to be pushed.
func (s *stream) prepare(n int) {
	s.units = s.units[:0]
	for range n {
		role := media.Frame
		if s.seq%60 == 1 {
			role = media.Keyframe
		}
		s.units = append(s.units, s.make(role))
	}
}

func (s *stream) push(u *Unit) {
	if _, err := s.machine.Push(u); err != nil {
		panic(err)
	}
	s.machine.ring.Publish()
}

// In the steady state a unit costs the ring a turn and an entry now and then, and its readers
// nothing.
func TestAllocations(t *testing.T) {
	s := newStream()
	s.push(s.header)
	reader := NewReader(s.machine.ring, 8*media.Second)
	batch := make([]*Unit, 0, 64)
	const warm, runs = 2000, 6000
	s.prepare(warm + runs + 1)
	for _, u := range s.units[:warm] {
		s.push(u)
	}
	reader.Next(batch, 1<<20)
	next := warm
	turn := func() {
		before := s.machine.ring.Turn()
		s.push(s.units[next])
		<-before
		next++
	}
	writes := testing.AllocsPerRun(runs/2-1, func() {
		turn()
		clear(reader.Next(batch, 1<<20))
	})
	if writes > 2.05 { // its turn, and an Entry for each keyframe
		t.Errorf("a unit costs %.3f allocations, want 2 and one for each of 60", writes)
	}
	reads := testing.AllocsPerRun(100, func() {
		r := *reader
		r.pos -= 20
		if got := len(r.Next(batch, 1<<20)); got != 20 {
			t.Fatalf("read %d units, want 20", got)
		}
	})
	if reads != 0 {
		t.Errorf("reading costs %.3f allocations", reads)
	}
}

// What a reader returns is the memory that came in: no byte of payload is copied.
func TestPayloadIsShared(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	var bodies []*byte
	for i, letter := range []byte("VAKfaf") {
		u := unit(1, uint64(i+1), letter, media.Time(i%2)*ms) // some of them move
		bodies = append(bodies, unsafe.SliceData(u.Body))
		if _, err := m.Push(u); err != nil {
			t.Fatal(err)
		}
	}
	m.ring.Publish()
	for i, u := range all(NewReader(m.ring, 0)) {
		_, tag := u.FLV()
		_, message := u.RTMP()
		for _, b := range [][]byte{u.Body, u.Tail, tag, message} {
			if unsafe.SliceData(b) != bodies[i] {
				t.Errorf("unit %d is a copy", i)
			}
		}
	}
}

// sink keeps the compiler from leaving out what is measured.
var sink int

// BenchmarkFanOut pushes one unit to the ring and lets every reader gather what it would write,
// without a socket.
func BenchmarkFanOut(b *testing.B) {
	for _, readers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("readers=%d", readers), func(b *testing.B) {
			s := newStream()
			s.push(s.header)
			var crowd []*Reader
			for range readers {
				crowd = append(crowd, NewReader(s.machine.ring, 8*media.Second))
			}
			batch := make([]*Unit, 0, 64)
			var bytes int
			const block = 512
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%block == 0 {
					b.StopTimer()
					s.prepare(block)
					b.StartTimer()
				}
				s.push(s.units[i%block])
				for _, r := range crowd {
					for _, u := range r.Next(batch, 1<<20) {
						header, rest := u.FLV()
						bytes += len(header) + len(rest)
					}
				}
			}
			sink = bytes
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*readers), "ns/unit-reader")
		})
	}
}

// BenchmarkRefused is what a topic with two upstreams does with every second unit: it has it
// already.
func BenchmarkRefused(b *testing.B) {
	metrics, err := NewMetrics(prometheus.NewRegistry(), "edge")
	if err != nil {
		b.Fatal(err)
	}
	s := newStream()
	t := &topic{Options: &Options{Ring: s.machine.ring, Metrics: metrics}, machine: s.machine}
	s.push(s.header)
	b.ReportAllocs()
	for b.Loop() {
		t.push(nil, s.header, t.machine.Push)
	}
}
