//go:build cgo

package av

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// phone is 250 frames of footage, upright: 720x1280 at 30 frames a second, 2.5 Mbit/s, no B-frames.
func phone(tb testing.TB) *clip {
	tb.Helper()
	return makeClip(tb, "-i "+real+" -vf transpose=1 -r 30 -c:v libx264 -preset veryfast -bf 0 "+
		"-g 60 -b:v 2500k -maxrate 2500k -bufsize 2500k -c:a copy")
}

// likePhone are an encoder's options for the same.
func likePhone() EncoderOptions {
	return EncoderOptions{Width: 720, Height: 1280, FPS: 30, Bitrate: 2_500_000, GOP: 60}
}

func drop(f *Frame) error { f.Release(); return nil }

func BenchmarkCrossing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		noop()
	}
}

func BenchmarkDecode(b *testing.B) {
	record, pictures := phone(b).video()
	d, err := NewDecoder(record, Limits{})
	must(b, err)
	defer d.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		u := &pictures[i%len(pictures)]
		must(b, d.Decode(u.data, u.pts, u.dts, drop))
	}
}

func BenchmarkEncode(b *testing.B) {
	src := frames(b, phone(b), 60)
	e, err := NewEncoder(likePhone())
	must(b, err)
	defer e.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := e.Encode(src[i%len(src)], media.Time(i), false)
		must(b, err)
	}
}

// BenchmarkTranscode decodes, copies as a filter would, and encodes.
func BenchmarkTranscode(b *testing.B) {
	_, pictures := phone(b).video()
	p := newTranscoder(b, phone(b))
	defer p.close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		must(b, p.step(&pictures[i%len(pictures)]))
	}
}

func BenchmarkDecodeAAC(b *testing.B) {
	config, sound := phone(b).sound()
	d, err := NewAACDecoder(config)
	must(b, err)
	defer d.Close()
	ignore := func(Samples) error { return nil }
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		must(b, d.Decode(sound[i%len(sound)].data, ignore))
	}
}

// BenchmarkEncodeSound takes 20 ms at a time.
func BenchmarkEncodeSound(b *testing.B) {
	s := sine(48000, 960, 0)
	ignore := func(AudioPacket) error { return nil }
	a, err := NewAACEncoder(48000, 2, 128_000)
	must(b, err)
	defer a.Close()
	o, err := NewOpusEncoder(48000, 2, 96_000)
	must(b, err)
	defer o.Close()
	for name, encode := range map[string]func() error{
		"AAC":  func() error { return a.Encode(s, 0, ignore) },
		"Opus": func() error { return o.Encode(s, 0, ignore) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(b, encode())
			}
		})
	}
}

// transcoder decodes a clip's units, copies each picture and encodes it.
type transcoder struct {
	d    *Decoder
	e    Encoder
	pool *Pool
	emit func(*Frame) error
	out  int // bytes
}

func newTranscoder(tb testing.TB, c *clip) *transcoder {
	tb.Helper()
	record, _ := c.video()
	p := &transcoder{}
	var err error
	p.d, err = NewDecoder(record, Limits{})
	must(tb, err)
	p.e, err = NewEncoder(likePhone())
	must(tb, err)
	p.pool, err = NewPool(720, 1280, 1)
	must(tb, err)
	p.emit = p.filter
	return p
}

func (p *transcoder) filter(f *Frame) error {
	defer f.Release()
	to, err := p.pool.Get()
	if err != nil {
		return err
	}
	defer to.Release()
	for i := range 3 {
		src, from := f.Plane(i)
		dst, stride := to.Plane(i)
		for len(src) > 0 && len(dst) > 0 {
			n := min(from, len(src), stride, len(dst))
			copy(dst[:n], src[:n])
			src, dst = src[min(from, len(src)):], dst[min(stride, len(dst)):]
		}
	}
	packet, err := p.e.Encode(to, f.PTS(), false)
	p.out += len(packet.Data)
	return err
}

func (p *transcoder) step(u *unit) error { return p.d.Decode(u.data, u.pts, u.dts, p.emit) }

func (p *transcoder) close() {
	p.d.Close()
	p.e.Close()
	p.pool.Close()
}

// BenchmarkAgainstFFmpeg does the whole clip in turn by ourselves and by the ffmpeg program, each
// on one thread, and reports the CPU time of both and their ratio, by the quickest round of each.
func BenchmarkAgainstFFmpeg(b *testing.B) {
	c := phone(b)
	_, pictures := c.video()
	command := strings.Fields("-nostdin -v error -y -threads 1 -i " + c.file + " -an -vf copy " +
		"-filter_threads 1 -c:v libx264 -threads 1 -preset superfast -tune zerolatency -g 60 " +
		"-b:v 2500k -maxrate 2500k -bufsize 2500k -x264-params scenecut=0 -f flv /dev/null")
	var ours, theirs []time.Duration
	for b.Loop() {
		before := cpu(b)
		p := newTranscoder(b, c)
		for i := range pictures {
			must(b, p.step(&pictures[i]))
		}
		must(b, p.d.Flush(p.emit))
		p.close()
		ours = append(ours, cpu(b)-before)
		cmd := exec.Command("ffmpeg", command...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatal(fmt.Errorf("%w: %s", err, out))
		}
		theirs = append(theirs, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	perFrame := func(d []time.Duration) float64 {
		return float64(slices.Min(d).Microseconds()) / float64(len(pictures))
	}
	b.ReportMetric(perFrame(ours), "us/frame")
	b.ReportMetric(perFrame(theirs), "ffmpeg-us/frame")
	b.ReportMetric(perFrame(ours)/perFrame(theirs), "ratio")
}

// cpu is the CPU time that this process has used.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	must(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
