package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

// phone is a stream as a phone sends it, upright, with the grain of a camera.
func phone(b testing.TB, size string, frames int, rate string) []byte {
	b.Helper()
	return ffmpeg(
		b, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s="+size+":r=30,noise=alls=8:allf=t",
		"-frames:v", strconv.Itoa(frames), "-pix_fmt", "yuv420p", "-c:v", "libx264",
		"-preset", "veryfast", "-bf", "0", "-g", "60", "-b:v", rate, "-maxrate", rate,
		"-bufsize", rate, "-f", "flv", "-",
	)
}

func drop(*Output) error { return nil }

// endless pushes the pictures of a stream over and over.
type endless struct {
	units []*Unit
	n     int
}

func (e *endless) next() *Unit {
	u := e.units[e.n%len(e.units)]
	if e.n >= len(e.units) {
		u.DTS += media.Time(len(e.units)) * 34 * ms
	}
	e.n++
	return u
}

func benchPipeline(b *testing.B, o Order, r settings.Rendition) {
	p := NewPipeline(PipelineOptions{Rendition: r})
	defer p.Close()
	p.Order(o)
	source := endless{units: units(b, phone(b, "720x1280", 120, "3000k"))[1:]}
	for range 10 {
		if _, err := p.Push(source.next(), 1, drop); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Push(source.next(), 1, drop); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPipeline is one picture of 720x1280, decoded, blurred over a quarter and encoded. The
// allocations are the output's: its value, its body, its record now and then.
func BenchmarkPipeline(b *testing.B) {
	fixed := settings.Rendition{Bitrate: 3_000_000}
	b.Run("plain", func(b *testing.B) { benchPipeline(b, emitting(1), fixed) })
	for _, mode := range []settings.Mode{settings.Box, settings.Gaussian, settings.Pixelate} {
		b.Run(mode.String(), func(b *testing.B) { benchPipeline(b, blurring(1, mode), fixed) })
	}
	b.Run("480p", func(b *testing.B) {
		benchPipeline(b, blurring(1, settings.Pixelate),
			settings.Rendition{Height: 480, Bitrate: 1_000_000})
	})
	b.Run("warm", func(b *testing.B) { benchPipeline(b, Order{}, fixed) })
}

// BenchmarkFilters is the work on the pixels of a picture alone: a quarter blurred, and scaled.
func BenchmarkFilters(b *testing.B) {
	for _, c := range []struct {
		name   string
		mode   settings.Mode
		height int
	}{
		{"box", settings.Box, 0},
		{"gaussian", settings.Gaussian, 0},
		{"pixelate", settings.Pixelate, 0},
		{"box 480p", settings.Box, 480},
		{"gaussian 480p", settings.Gaussian, 480},
		{"pixelate 360p", settings.Pixelate, 360},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := filters{blur: halide.BlurRegions, shorter: c.height}
			defer f.close()
			pool, err := av.NewPool(720, 1280, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			frame, err := pool.Get()
			if err != nil {
				b.Fatal(err)
			}
			defer frame.Release()
			o := blurring(1, c.mode)
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				begun := cpu()
				out, _, err := f.apply(frame, &o)
				if err != nil {
					b.Fatal(err)
				}
				out.Release()
				took = append(took, cpu()-begun)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-cpu-us")
		})
	}
}

// cpu is the time that this process has had of processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFFmpeg compares the processor time of a whole job with ffmpeg's for the same: decode
// 720x1280, blur a quarter, encode with the same preset and rate. Rounds of both alternate, and the
// least of each counts. What ffmpeg needs to start is taken off.
func BenchmarkFFmpeg(b *testing.B) {
	const frames = 300
	stream := phone(b, "720x1280", frames, "3000k")
	file := filepath.Join(b.TempDir(), "in.flv")
	if err := os.WriteFile(file, stream, 0o600); err != nil {
		b.Fatal(err)
	}
	theirs := func(n int, blur bool) time.Duration {
		args := []string{"-v", "error", "-threads", "1", "-i", file}
		if blur {
			args = append(args, "-filter_complex_threads", "1", "-filter_complex",
				"[0:v]split[a][b];[b]crop=iw/2:ih/2:0:0,boxblur=40:1[c];[a][c]overlay=0:0")
		}
		args = append(args, "-frames:v", strconv.Itoa(n), "-c:v", "libx264", "-threads", "1",
			"-preset", "superfast", "-tune", "zerolatency", "-g", "60", "-b:v", "3000k",
			"-maxrate", "3000k", "-bufsize", "3000k", "-f", "flv", "/dev/null", "-y")
		cmd := exec.CommandContext(b.Context(), "ffmpeg", args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	ours := func(o Order) time.Duration {
		source := units(b, stream)
		begun := cpu()
		p := NewPipeline(PipelineOptions{Rendition: settings.Rendition{Bitrate: 3_000_000}})
		defer p.Close()
		p.Order(o)
		for _, u := range source {
			if _, err := p.Push(u, 1, drop); err != nil {
				b.Fatal(err)
			}
		}
		return cpu() - begun
	}
	for _, c := range []struct {
		name string
		o    Order
	}{{"plain", emitting(1)}, {"blur", blurring(1, settings.Box)}} {
		b.Run(c.name, func(b *testing.B) {
			blur := c.name == "blur"
			start := min(theirs(1, blur), theirs(1, blur))
			least, their := time.Hour, time.Hour
			for b.Loop() {
				least = min(least, ours(c.o))
				their = min(their, theirs(frames, blur)-start)
			}
			b.ReportMetric(float64(least.Microseconds())/frames, "us/picture")
			b.ReportMetric(float64(their.Microseconds())/frames, "ffmpeg-us/picture")
			b.ReportMetric(float64(least)/float64(their), "ratio")
		})
	}
}

// BenchmarkMemory is what a rendition costs in memory: a child process that blurs, and one that
// keeps warm and is full of retained pictures, each less one that has done nothing.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct{ size, rate string }{{"720x1280", "3000k"}, {"1080x1920", "6000k"}} {
		b.Run(c.size, func(b *testing.B) {
			stream := phone(b, c.size, 90, c.rate)
			for b.Loop() {
				idle, busy, warm := grown(b, units(b, stream))
				b.ReportMetric(float64(busy-idle)/1e6, "MB")
				b.ReportMetric(float64(warm-idle)/1e6, "warm-MB")
				b.ReportMetric(float64(idle)/1e6, "idle-MB")
			}
		})
	}
}

// grown runs a rendition in a child and returns its private memory at first, while it puts out
// pictures, and while it keeps warm.
func grown(b *testing.B, source []*Unit) (idle, busy, warm int) {
	b.Helper()
	e, k := spawned(b)
	defer k.close()
	o := blurring(1, settings.Gaussian)
	if _, err := e.order(&o); err != nil {
		b.Fatal(err)
	}
	idle = private(b, k.cmd.Process.Pid)
	for i, u := range source {
		if i == len(source)*2/3 {
			busy = private(b, k.cmd.Process.Pid)
			o.Emit = false
			if _, err := e.order(&o); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := e.push(u, 1, drop); err != nil {
			b.Fatal(err)
		}
	}
	return idle, busy, private(b, k.cmd.Process.Pid)
}

// private is how much anonymous memory of a process is in use, in bytes.
func private(b *testing.B, pid int) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024
		}
	}
	b.Fatal("no RssAnon")
	return 0
}

// BenchmarkIsolation is what a picture costs more in a child process: the way there and back.
func BenchmarkIsolation(b *testing.B) {
	source := endless{units: units(b, phone(b, "720x1280", 120, "3000k"))[1:]}
	e, k := spawned(b)
	defer k.close()
	o := emitting(1)
	if _, err := e.order(&o); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.push(source.next(), 1, drop); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDelay is the time from a picture's being published to its being out, at its own pace,
// with everything between them: the topic, the queue, the actor.
func BenchmarkDelay(b *testing.B) {
	source := units(b, phone(b, "720x1280", 150, "3000k"))
	for b.Loop() {
		o := blurring(1, settings.Box)
		s := newScene(b, Options{Slots: NewSlots(2)}, &o)
		var took []time.Duration
		pace := time.NewTicker(33 * time.Millisecond)
		for i, u := range source {
			begun := time.Now()
			s.feed(u)
			if i > 0 {
				s.untilOutputs(i)
				took = append(took, time.Since(begun))
			}
			<-pace.C
		}
		pace.Stop()
		s.stop()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
}
