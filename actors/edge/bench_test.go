package edge

import (
	"io"
	"testing"
	"unsafe"

	"github.com/headwater-live/headwater/actors/topic"
)

// steady is a viewer in the middle of a broadcast, whose connection is read as fast as it is
// written.
func steady(t testing.TB, p Protocol) (*source, *writer) {
	t.Helper()
	s := newSource(t)
	tcp, peer := connect(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, peer)
	}()
	t.Cleanup(func() {
		_, _ = tcp.Close(), peer.Close()
		<-done
	})
	w := viewerOn(t, s, p, tcp, bounds)
	if err := w.Socket.begin(); err != nil {
		t.Fatal(err)
	}
	s.push("VAK", 1000)
	if reason, over := w.turn(); over || !w.first {
		t.Fatalf("the first turn: %v %v", reason, over)
	}
	return s, w
}

// prepare makes n units to be pushed one by one, of 8 KiB each.
func prepare(s *source, n int) []*topic.Unit {
	units := make([]*topic.Unit, 0, n)
	template := s.unit('f', 8<<10)
	for i := range n {
		u := topic.NewUnit(1, s.machine.Seq()+uint64(i)+1, template.AccessUnit)
		units = append(units, u)
	}
	return units
}

// In the steady state a viewer's turn allocates nothing, whatever it writes.
func TestViewerTurnAllocatesNothing(t *testing.T) {
	for _, p := range []Protocol{RTMP, HTTPFLV} {
		const runs = 2000
		s, w := steady(t, p)
		s.push("fffffff", 10)
		_, _ = w.turn()
		units := prepare(s, runs+1)
		next := 0
		allocs := testing.AllocsPerRun(runs, func() {
			if _, err := s.machine.Push(units[next]); err != nil {
				t.Fatal(err)
			}
			next++
			before := s.ring.Turn()
			s.ring.Publish()
			<-before
			if reason, over := w.turn(); over {
				t.Fatal(reason)
			}
		})
		if allocs > 2.02 { // the ring's turn; its table grows, the collector empties the pool
			t.Errorf("%v: a turn costs %.3f allocations, want the ring's 2", p, allocs)
		}
	}
}

// What is handed to the kernel is the memory that came in.
func TestViewerTurnCopiesNothing(t *testing.T) {
	for _, p := range []Protocol{RTMP, HTTPFLV} {
		s, w := steady(t, p)
		var pieces []*byte
		s.push("ffaf", 5000)
		scr := new(scratch)
		scr.used = w.reader.Next(scr.units[:0], batchBytes)
		iov := &scr.iov
		for _, u := range scr.used {
			header, rest := u.FLV()
			if p == RTMP {
				header, rest = u.RTMP()
			}
			pieces = append(pieces, unsafe.SliceData(header), unsafe.SliceData(rest))
		}
		if err := w.write(scr); err != nil {
			t.Fatal(err)
		}
		if len(pieces) != 8 || iov.n != len(pieces) {
			t.Fatalf("%v: %d pieces are written for %d units", p, iov.n, len(scr.used))
		}
		for i, base := range pieces {
			if iov.vec[i].Base != base {
				t.Errorf("%v: piece %d is a copy", p, i)
			}
		}
	}
}

// BenchmarkViewerTurn is what one viewer costs for one access unit of 8 KiB, over the loopback.
func BenchmarkViewerTurn(b *testing.B) {
	for _, p := range []Protocol{RTMP, HTTPFLV} {
		b.Run(p.String(), func(b *testing.B) {
			s, w := steady(b, p)
			const block = 1024
			var units []*topic.Unit
			b.SetBytes(8 << 10)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%block == 0 {
					b.StopTimer()
					units = prepare(s, block)
					b.StartTimer()
				}
				if _, err := s.machine.Push(units[i%block]); err != nil {
					b.Fatal(err)
				}
				s.ring.Publish()
				if reason, over := w.turn(); over {
					b.Fatal(reason)
				}
			}
		})
	}
}
