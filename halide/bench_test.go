package halide

import (
	"math"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// threadTime is this thread's processor time in nanoseconds: unlike wall time it leaves out the
// turns of the neighbours on a shared machine.
func threadTime() int64 {
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(
		syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

// measure reports the least processor time of f over slices of 0.2 ms.
func measure(b *testing.B, name string, bytes int, f func()) {
	b.Run(name, func(b *testing.B) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		b.ReportAllocs()
		f()
		best := math.Inf(1)
		for b.Loop() {
			n, start := 0, threadTime()
			now := start
			for ; now-start < 200_000 || n == 0; now = threadTime() {
				for range 1 + n/4 {
					f()
					n++
				}
			}
			best = min(best, float64(now-start)/float64(n))
		}
		b.ReportMetric(best/1000, "us")
		b.ReportMetric(float64(bytes)/best, "GB/s")
	})
}

// both measures a kernel and its plain Go version.
func both(b *testing.B, name string, bytes int, kernel func() error, plain func()) {
	measure(b, name+"/halide", bytes, func() {
		if err := kernel(); err != nil { // not must: testing.T.Helper costs 0.2 us
			b.Fatal(err)
		}
	})
	measure(b, name+"/go", bytes, plain)
}

const benchWidth, benchHeight = 720, 1280

func benchFrame(seed uint64) Frame { return frame(random(seed), benchWidth, benchHeight, 0) }

func BenchmarkCrossing(b *testing.B) { measure(b, "noop", 0, kernels.Noop) }

func BenchmarkAudio(b *testing.B) {
	p, f := make([]int16, 2048), make([]float32, 2048)
	for i := range p {
		p[i] = int16(8000 * math.Sin(float64(i)/7))
		f[i] = float32(p[i]) / 32768
	}
	var m [2]Meter
	s, inter, fs := Stereo(p[:1024], p[1024:]), Interleaved(p), Stereo(f[:1024], f[1024:])
	both(b, "level_s16", 4096, func() (err error) { m, err = LevelS16(s); return err }, func() {
		m[0], m[1] = reference.LevelS16(p[:1024], 1024, 1), reference.LevelS16(p[1024:], 1024, 1)
	})
	both(b, "level_s16_interleaved", 4096,
		func() (err error) { m, err = LevelS16(inter); return err },
		func() {
			m[0], m[1] = reference.LevelS16(p, 1024, 2), reference.LevelS16(p[1:], 1024, 2)
		})
	both(b, "level_f32", 8192, func() (err error) { m, err = LevelF32(fs); return err }, func() {
		m[0], m[1] = reference.LevelF32(f[:1024], 1024, 1), reference.LevelF32(f[1024:], 1024, 1)
	})
	k, err := NewKWeighted(48000)
	must(b, err)
	filter := reference.NewKFilter(48000)
	var st [2]reference.KState
	both(b, "k_weighted", 8192, func() error { _, err := k.F32(fs); return err }, func() {
		m[0].Peak = reference.KWeightedF32(&filter, f[:1024], 1024, 1, &st[0])
		m[1].Peak = reference.KWeightedF32(&filter, f[1024:], 1024, 1, &st[1])
	})
}

func BenchmarkRegion(b *testing.B) {
	src, dst := benchFrame(1), benchFrame(2)
	for _, c := range []struct {
		name   string
		region Region
	}{
		{"box16", Region{Effect: Box, Size: 16}},
		{"gaussian12", Region{Effect: Gaussian, Size: 12}},
		{"pixelate16", Region{Effect: Pixelate, Size: 16}},
		{"solid", Region{Effect: Solid}},
	} {
		c.region.Rect = Rect{Y: 40, W: 720, H: 160}
		regions := []Region{c.region}
		both(b, c.name, 720*160*3/2, func() error { return BlurRegions(&dst, &src, regions, false) },
			func() { reference.Blur(&dst, &src, regions, false, gaussians) })
	}
	whole := []Region{{Rect: Rect{W: benchWidth, H: benchHeight}, Effect: Box, Size: 12}}
	both(b, "frame_box12", benchWidth*benchHeight*3/2,
		func() error { return BlurRegions(&dst, &src, whole, false) },
		func() { reference.Blur(&dst, &src, whole, false, gaussians) })
	measure(b, "copy/halide", benchWidth*benchHeight*3/2,
		func() { must(b, BlurRegions(&dst, &src, nil, true)) })
}

func BenchmarkScale(b *testing.B) {
	src := benchFrame(3)
	for _, c := range []struct {
		name string
		w, h int
	}{
		{"2to1", 360, 640},
		{"3to2", 480, 854},
		{"4to3", 540, 960},
		{"3to1", 240, 426},
		{"general", 500, 888},
		{"general_area", 200, 356},
	} {
		s, err := NewScaler(benchWidth, benchHeight, c.w, c.h)
		must(b, err)
		dst := NewFrame(c.w, c.h)
		both(b, c.name, benchWidth*benchHeight*3/2, func() error { return s.Scale(&dst, &src) },
			func() { kernels.PlainScale(&s.scaling, &dst, &src) })
	}
}

func BenchmarkDetect(b *testing.B) {
	x, y := benchFrame(4), benchFrame(5)
	const n = benchWidth * benchHeight
	thumb, other := NewPlane(90, 160), NewPlane(90, 160)
	both(b, "thumbnail8", n, func() error { return Thumbnail(&thumb, &x.Y, 8) },
		func() { reference.Thumbnail(&thumb, &x.Y, 8) })
	must(b, Thumbnail(&other, &y.Y, 8))
	rows, columns := make([]uint32, benchHeight), make([]uint32, benchWidth)
	both(b, "diff", 2*n, func() error { _, err := Diff(&x.Y, &y.Y, rows, columns); return err },
		func() { reference.Diff(&x.Y, &y.Y, rows, columns) })
	both(b, "diff_thumbnails", 2*90*160,
		func() error { _, err := Diff(&thumb, &other, rows[:160], columns[:90]); return err },
		func() { reference.Diff(&thumb, &other, rows[:160], columns[:90]) })
	both(b, "edges", n, func() error { return Edges(&x.Y, rows, columns) },
		func() { reference.Edges(&x.Y, rows, columns) })
	both(b, "squared_error", 2*n, func() error { _, err := SquaredError(&x.Y, &y.Y); return err },
		func() { reference.SquaredError(&x.Y, &y.Y) })
	from := x.Y.Crop(3, 3, 96, 18)
	t, err := NewTemplate(&from, nil)
	must(b, err)
	places := make([]float32, 192)
	both(b, "match192", 96*18*192,
		func() error { _, err := t.Match(places, &x.Y, 0, 0, 8, 24); return err },
		func() { w := x.Y.Crop(0, 0, 103, 41); reference.Match(places, &w, t.t, 8, 24) })
}

// BenchmarkWorkers blurs frames of different streams on one and on two workers. times-one is how
// much more two do in the same time; times-one-cpu leaves out what the machine did meanwhile: twice
// the processor time of a frame alone, by that of a frame beside another.
func BenchmarkWorkers(b *testing.B) {
	const each, rounds = 20, 100
	regions := []Region{{Rect: Rect{W: benchWidth, H: benchHeight}, Effect: Box, Size: 12}}
	work := func(src, dst *Frame) int64 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		start := threadTime()
		for range each {
			if err := BlurRegions(dst, src, regions, false); err != nil {
				b.Error(err)
			}
		}
		return threadTime() - start
	}
	var frames [2][2]Frame
	for i := range frames {
		frames[i] = [2]Frame{benchFrame(uint64(i)), benchFrame(uint64(i + 9))}
	}
	wall, cpu := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(1), math.Inf(1)}
	for b.Loop() {
		for round := range 2 * rounds {
			workers := 1 + round%2
			var spent [2]int64
			start := time.Now()
			var wg sync.WaitGroup
			for i := range workers {
				wg.Go(func() { spent[i] = work(&frames[i][0], &frames[i][1]) })
			}
			wg.Wait()
			wall[workers-1] = min(wall[workers-1], float64(time.Since(start)))
			cpu[workers-1] = min(cpu[workers-1], float64(spent[0]+spent[1])/float64(workers))
		}
	}
	b.ReportMetric(2*wall[0]/wall[1], "times-one")
	b.ReportMetric(2*cpu[0]/cpu[1], "times-one-cpu")
}
