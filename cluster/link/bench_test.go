package link

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/sys/unix"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// window is how many units a closed loop has on their way.
const window = 256

// loop is a closed loop: whoever sends waits for whoever receives.
type loop struct {
	received atomic.Int64
	moved    chan struct{}
}

func newLoop() *loop { return &loop{moved: make(chan struct{}, 1)} }

func (l *loop) got() {
	if l.received.Add(1)%(window/4) == 0 {
		select {
		case l.moved <- struct{}{}:
		default:
		}
	}
}

func (l *loop) await(count int64) {
	for l.received.Load() < count {
		select {
		case <-l.moved:
		case <-time.After(time.Millisecond): // the last few are not told of
		}
	}
}

// loopback is both ends of a TCP connection.
func loopback(tb testing.TB) (near, far net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	return near, far
}

func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLink compares what a link costs, both ends together and the ring with them, with a plain
// copy of the same packets over TCP: a length, and a packet that is read into memory of its own.
func BenchmarkLink(b *testing.B) {
	for _, size := range []int{300, 1500, 8000, 20_000, 100_000} {
		for name, run := range map[string]func(*testing.B, []byte){"plain": plain, "link": linked} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				run(b, make([]byte, size))
			})
		}
	}
}

// charge reports the processor time of a benchmark.
func charge(b *testing.B, size int, began time.Duration) {
	b.Helper()
	gigabytes := float64(size) * float64(b.N) / 1e9
	b.ReportMetric((cpu()-began).Seconds()/gigabytes, "cpu-s/GB")
}

func plain(b *testing.B, packet []byte) {
	near, far := loopback(b)
	defer near.Close()
	l := newLoop()
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) { panic(p) })
	defer group.Stop(time.Second)
	group.Go("read", func(context.Context) {
		defer far.Close()
		in := bufio.NewReaderSize(far, readBuffer)
		var head [4]byte
		for {
			if _, err := io.ReadFull(in, head[:]); err != nil {
				return
			}
			body := make([]byte, binary.BigEndian.Uint32(head[:]))
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
			l.got()
		}
	})
	head := binary.BigEndian.AppendUint32(nil, uint32(len(packet)))
	pieces, rest := make([][]byte, 2), &net.Buffers{}
	b.ResetTimer()
	began := cpu()
	for i := range b.N {
		l.await(int64(i - window))
		pieces[0], pieces[1] = head, packet
		*rest = pieces
		if _, err := rest.WriteTo(near); err != nil {
			b.Fatal(err)
		}
	}
	l.await(int64(b.N))
	b.StopTimer()
	charge(b, len(packet), began)
	near.Close()
}

// bench is a link over loopback.
type bench struct {
	*source
	outlet *outlet
	table  *table
	group  *own.Group
}

func newBench(tb testing.TB, send sendFunc) *bench {
	tb.Helper()
	near, far := loopback(tb)
	prepare(far)
	metrics := metricsOf(tb)
	o := newOrigin()
	x := &bench{source: o.begin("a", 1, topic.DefaultLimits()), table: newTable()}
	x.group = own.NewGroup(&own.Counts{}, func(p *own.Panic) { panic(p) })
	s := serve(newWire(far, -1, &metrics.origin), time.Minute, &metrics.origin,
		func(ord order) { o.order(ord) })
	o.outlet, x.outlet = s.outlet, s.outlet
	e := follow(newWire(near, 1<<20, &metrics.edge), x.table, &metrics.edge, send)
	x.group.Go("origin", func(ctx context.Context) {
		_, _ = s.run(ctx, x.group)
		s.outlet.close()
	})
	x.group.Go("edge", func(ctx context.Context) { _, _ = e.run(ctx, x.group) })
	tb.Cleanup(func() { x.group.Stop(5 * time.Second) })
	return x
}

// packet publishes a keyframe with a body that others have too.
func (x *bench) packet(body, tail []byte) *topic.Unit {
	x.seq++
	x.dts += media.Millisecond
	u := topic.NewUnit(1, x.seq, media.AccessUnit{
		Kind: media.Video, Role: media.Keyframe, Codec: media.MP3, DTS: x.dts, Body: body, Tail: tail,
	})
	if _, err := x.machine.Push(u); err != nil {
		panic(err)
	}
	x.tap.ring.Tell()
	return u
}

func linked(b *testing.B, packet []byte) {
	l := newLoop()
	x := newBench(b, func(_ *actor.PID, msg any) {
		switch msg := msg.(type) {
		case *topic.Unit:
			l.got()
		case *topic.Snapshot:
			for range msg.Units {
				l.got()
			}
		}
	})
	x.table.subscribe("a", "", pidOf("a"))
	body, tail := topic.NewBody(len(packet))
	x.packet(body, tail)
	l.await(1)
	b.ResetTimer()
	began := cpu()
	for i := range b.N {
		l.await(int64(1 + i - window))
		x.packet(body, tail)
	}
	l.await(int64(b.N + 1))
	b.StopTimer()
	charge(b, len(packet), began)
}

// BenchmarkDelay has thirty broadcasts' worth of units, 2000 a second of 8 kB, pass a link one by
// one. An operation is one of them.
func BenchmarkDelay(b *testing.B) {
	arrived := make(chan time.Time, 1<<16)
	x := newBench(b, func(_ *actor.PID, msg any) {
		n := 1
		if s, ok := msg.(*topic.Snapshot); ok {
			n = len(s.Units)
		}
		for range n {
			arrived <- time.Now()
		}
	})
	x.table.subscribe("a", "", pidOf("a"))
	body, tail := topic.NewBody(8000)
	x.packet(body, tail)
	<-arrived
	pace := time.NewTicker(500 * time.Microsecond)
	defer pace.Stop()
	delays := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for range b.N {
		<-pace.C
		began := time.Now()
		x.packet(body, tail)
		delays = append(delays, (<-arrived).Sub(began))
	}
	b.StopTimer()
	slices.Sort(delays)
	at := func(q float64) float64 {
		return float64(delays[int(q*float64(len(delays)-1))].Microseconds())
	}
	b.ReportMetric(at(0.5), "p50-us")
	b.ReportMetric(at(0.99), "p99-us")
}

// BenchmarkIdleSubscriptions measures what a subscription costs, both ends together, to a broadcast
// that is not there and to one that is and says nothing.
func BenchmarkIdleSubscriptions(b *testing.B) {
	for _, there := range []bool{false, true} {
		b.Run(fmt.Sprintf("there=%v", there), func(b *testing.B) {
			const topics = 1000
			for range b.N {
				o := newOrigin()
				x := newBench(b, func(*actor.PID, any) {})
				var taps []*tap
				for range topics {
					ring := topic.NewRing(topic.DefaultLimits())
					taps = append(taps, &tap{ring, 1})
				}
				before := heap()
				for i := range topics {
					x.table.subscribe(fmt.Sprint("live/", i), "", pidOf(fmt.Sprint("live/", i)))
				}
				for x.outlet.count() < topics {
					runtime.Gosched()
				}
				for i := range topics {
					if there {
						x.outlet.attach(fmt.Sprint("live/", i), "", taps[i])
					}
				}
				for _, t := range taps {
					for there && t.ring.Watchers() == 0 {
						runtime.Gosched()
					}
				}
				b.ReportMetric(float64(heap()-before)/topics, "bytes/subscription")
				runtime.KeepAlive(o)
				runtime.KeepAlive(taps)
				x.group.Stop(time.Second)
			}
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func (o *outlet) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.feeds)
}

// TestNothingIsAllocatedOnTheWayOut has units written to a socket as the link's writer does it.
func TestNothingIsAllocatedOnTheWayOut(t *testing.T) {
	near, far := loopback(t)
	defer near.Close()
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) { panic(p) })
	group.Go("drain", func(context.Context) {
		defer far.Close()
		buf := make([]byte, 1<<20)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
		}
	})
	o := newOutlet(newControl(), media.Second)
	ring := topic.NewRing(topic.Limits{Bytes: 64 << 10, Time: media.Second})
	x := &bench{source: &source{machine: topic.NewMachine(ring), tap: &tap{ring, 1}}}
	o.subscribe(1, "a", "", place{})
	o.attach("a", "", x.tap)
	batch := newBatch()
	body, tail := topic.NewBody(2000)
	step := func(out bool) {
		u := x.packet(body, tail)
		if batch.reset(); out {
			o.gather(batch)
			batch.flush()
			if len(batch.units) == 0 || batch.units[len(batch.units)-1] != u {
				t.Fatal("the unit is not in the batch")
			}
			if err := send(near, batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 200 {
		step(true)
	}
	with := testing.AllocsPerRun(500, func() { step(true) })
	o.unsubscribe(1)
	o.gather(batch)
	without := testing.AllocsPerRun(500, func() { step(false) })
	if with > without {
		t.Errorf("%v allocations a unit with its way out, %v without", with, without)
	}
	near.Close()
	group.Stop(time.Second)
}
