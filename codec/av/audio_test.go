//go:build cgo

package av

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// channels is sound as a test keeps it.
type channels [2][]float32

func (c *channels) add(s Samples) error {
	for i, p := range s.Planes {
		c[i] = append(c[i], p...)
	}
	return nil
}

// heard is what we decode of a clip's sound.
func heard(t testing.TB, c *clip) (out channels, last Samples) {
	t.Helper()
	config, sound := c.sound()
	d, err := NewAACDecoder(config)
	must(t, err)
	defer d.Close()
	for _, u := range sound {
		must(t, d.Decode(u.data, func(s Samples) error {
			last = s
			return out.add(s)
		}))
	}
	last.Planes = channels{}
	return out, last
}

// pcm is what ffmpeg makes of a file: n channels of floats.
func pcm(t testing.TB, n int, args ...string) channels {
	t.Helper()
	b := ffmpeg(t, append(args, "-c:a", "pcm_f32le", "-f", "f32le", "-")...)
	var out channels
	for i := 0; i+4*n <= len(b); i += 4 * n {
		for k := range min(n, 2) {
			v := math.Float32frombits(binary.LittleEndian.Uint32(b[i+4*k:]))
			out[k] = append(out[k], v)
		}
	}
	return out
}

// near compares sound sample by sample.
func near(t testing.TB, got, want channels, tolerance float64) {
	t.Helper()
	worst := 0.0
	for k := range want {
		if len(got[k]) != len(want[k]) {
			t.Fatalf("channel %d: %d samples, ffmpeg has %d", k, len(got[k]), len(want[k]))
		}
		for i := range want[k] {
			worst = max(worst, math.Abs(float64(got[k][i]-want[k][i])))
		}
	}
	t.Logf("%d samples, worst difference %g", len(want[0]), worst)
	if worst > tolerance || len(want[0]) == 0 {
		t.Errorf("differs by %g, at most %g", worst, tolerance)
	}
}

func TestDecodeAAC(t *testing.T) {
	const tone = "-f lavfi -i sine=f=440:r=%d:d=1 -f lavfi -i anoisesrc=r=%d:d=1:a=0.1 " +
		"-filter_complex amerge=inputs=2,%s -c:a aac"
	stereo := func(rate int) string { return fmt.Sprintf(tone, rate, rate, "pan=stereo|c0=c0|c1=c1") }
	for _, c := range []struct {
		name, args             string
		rate, channels, length int
	}{
		{"footage", "-i " + real + " -c copy -vn", 48000, 2, 1024},
		{"stereo", stereo(44100), 44100, 2, 1024},
		{"mono", fmt.Sprintf(tone, 22050, 22050, "pan=mono|c0=c1"), 22050, 1, 1024},
		{"5.1", fmt.Sprintf(tone, 48000, 48000, "pan=5.1|FL=c0|FR=c1|FC=c1|LFE=c0"), 48000, 6, 1024},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip := makeClip(t, c.args)
			got, s := heard(t, clip)
			if s.Rate != c.rate || s.Channels != c.channels || s.Length != c.length {
				t.Errorf("%d channels at %d Hz, %d samples", s.Channels, s.Rate, s.Length)
			}
			near(t, got, pcm(t, c.channels, "-i", clip.file), 1e-4)
		})
	}
}

// TestDecodeHEAAC decodes AAC-LC under a header that announces spectral band replication: twice the
// rate and twice the samples, as a stream of HE-AAC has them.
func TestDecodeHEAAC(t *testing.T) {
	low := makeClip(t, "-f lavfi -i sine=f=440:r=24000:d=1 -ac 2 -c:a aac")
	w := &bits{}
	for _, f := range [][2]uint32{{5, 5}, {6, 4}, {2, 4}, {3, 4}, {2, 5}, {0, 3}} {
		w.put(f[0], int(f[1])) // SBR at 24 kHz, two channels, of 48 kHz, over LC
	}
	header := flv.FileHeader(false, true)
	b := flv.AppendTag(header[:], media.Audio, 0, append([]byte{0xaf, 0}, w.b...))
	for _, u := range low.only(media.Audio, false) {
		b = flv.AppendTag(b, media.Audio, u.dts, u.body)
	}
	c := &clip{file: filepath.Join(t.TempDir(), "he.flv"), units: readUnits(t, b)}
	must(t, os.WriteFile(c.file, b, 0o600))
	got, s := heard(t, c)
	if s.Rate != 48000 || s.Channels != 2 || s.Length != 2048 {
		t.Errorf("%d channels at %d Hz, %d samples", s.Channels, s.Rate, s.Length)
	}
	near(t, got, pcm(t, 2, "-i", c.file), 1e-4)
}

// TestAACConfigure changes the header in mid-stream.
func TestAACConfigure(t *testing.T) {
	a := makeClip(t, "-f lavfi -i sine=f=440:r=48000:d=1 -ac 2 -c:a aac")
	b := makeClip(t, "-f lavfi -i sine=f=440:r=22050:d=1 -ac 1 -c:a aac")
	configA, unitsA := a.sound()
	configB, unitsB := b.sound()
	d, err := NewAACDecoder(configA)
	must(t, err)
	defer d.Close()
	for range 2 {
		for _, part := range []struct {
			config []byte
			units  []unit
			want   Samples
		}{
			{configA, unitsA, Samples{Rate: 48000, Channels: 2, Length: 1024}},
			{configB, unitsB, Samples{Rate: 22050, Channels: 1, Length: 1024}},
		} {
			must(t, d.Configure(part.config))
			for _, u := range part.units {
				must(t, d.Decode(u.data, func(s Samples) error {
					if s.Planes[1] == nil != (part.want.Channels == 1) {
						t.Errorf("%d channels, second plane of %d", s.Channels, len(s.Planes[1]))
					}
					s.Planes = channels{}
					if fmt.Sprint(s) != fmt.Sprint(part.want) {
						t.Errorf("%+v, want %+v", s, part.want)
					}
					return nil
				}))
			}
		}
	}
}

func TestBadAAC(t *testing.T) {
	for _, config := range [][]byte{nil, {0}, {0xff, 0xff}, {0x12}} {
		if _, err := NewAACDecoder(config); !errors.Is(err, ErrInvalidData) {
			t.Errorf("header %x: %v", config, err)
		}
	}
	config, sound := makeClip(t, "-i "+real+" -c copy -vn").sound()
	d, err := NewAACDecoder(config)
	must(t, err)
	defer d.Close()
	for _, unit := range [][]byte{nil, sound[0].data[:1], []byte("not sound, not at all")} {
		if err := d.Decode(unit, func(Samples) error { return nil }); !errors.Is(err, ErrInvalidData) {
			t.Errorf("unit %q: %v", unit, err)
		}
	}
	n := 0
	must(t, d.Decode(sound[1].data, func(s Samples) error { n += s.Length; return nil }))
	if n != 1024 {
		t.Errorf("%d samples after damage", n)
	}
}

// sine is n samples of a tone, the second channel half as loud.
func sine(rate, n, from int) Samples {
	s := Samples{Rate: rate, Channels: 2, Length: n}
	for k := range s.Planes {
		s.Planes[k] = make([]float32, n)
		for i := range s.Planes[k] {
			v := math.Sin(2 * math.Pi * 440 * float64(from+i) / float64(rate))
			s.Planes[k][i] = float32(v * 0.5 / float64(k+1))
		}
	}
	return s
}

// snr is the ratio of a signal to its difference from got, in dB.
func snr(got, want []float32) float64 {
	signal, noise := 0.0, 1e-30
	for i := range want {
		d := float64(got[i] - want[i])
		signal += float64(want[i]) * float64(want[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

// TestEncodeAAC decodes what was encoded in pieces of odd sizes, and finds it where it belongs.
func TestEncodeAAC(t *testing.T) {
	const rate, total, start = 48000, 48000, 700 * media.Millisecond
	e, err := NewAACEncoder(rate, 2, 128_000)
	must(t, err)
	defer e.Close()
	d, err := NewAACDecoder(e.Config())
	must(t, err)
	defer d.Close()
	want := sine(rate, total, 0)
	var got channels
	coded := -e.Priming()
	emit := func(p AudioPacket) error {
		due := start + media.Time(coded)*media.Second/rate
		if diff := p.PTS - due; diff < -2 || diff > 2 {
			t.Errorf("packet at %d, want %d", p.PTS, due)
		}
		coded += p.Length
		return d.Decode(p.Data, got.add)
	}
	for at := 0; at < total; {
		n := min(total-at, 1+at%3000)
		pts := start + media.Time(at)*media.Second/rate
		must(t, e.Encode(sine(rate, n, at), pts, emit))
		at += n
	}
	must(t, e.Flush(emit))
	for k := range got {
		got[k] = slices.Concat(got[k], make([]float32, total))[e.Priming():]
		if r := snr(got[k][2048:total-2048], want.Planes[k][2048:total-2048]); r < 30 {
			t.Errorf("channel %d: %.1f dB", k, r)
		}
	}
	if err := e.Encode(want, 0, emit); !errors.Is(err, ErrClosed) {
		t.Errorf("after Flush: %v", err)
	}
}

func TestEncodersRefuse(t *testing.T) {
	for _, o := range [][3]int{{0, 2, 1}, {48000, 0, 96000}, {48000, 3, 96000}, {48000, 2, 0}} {
		if _, err := NewAACEncoder(o[0], o[1], o[2]); !errors.Is(err, ErrOption) {
			t.Errorf("AAC %v: %v", o, err)
		}
		if _, err := NewOpusEncoder(o[0], o[1], o[2]); !errors.Is(err, ErrOption) {
			t.Errorf("Opus %v: %v", o, err)
		}
	}
	e, err := NewAACEncoder(48000, 2, 128_000)
	must(t, err)
	defer e.Close()
	r, err := NewResampler(48000, 2, 44100, 1)
	must(t, err)
	defer r.Close()
	short := sine(48000, 100, 0)
	short.Length = 101
	mono := sine(48000, 100, 0)
	mono.Channels = 1
	for name, s := range map[string]Samples{
		"short planes": short, "one channel": mono, "another rate": sine(44100, 100, 0),
		"negative": {Rate: 48000, Channels: 2, Length: -1},
	} {
		if err := e.Encode(s, 0, nil); !errors.Is(err, ErrFormat) {
			t.Errorf("encode %s: %v", name, err)
		}
		if err := r.Resample(s, nil); !errors.Is(err, ErrFormat) {
			t.Errorf("resample %s: %v", name, err)
		}
	}
}

// TestResample compares with ffmpeg's, which has the same filter.
func TestResample(t *testing.T) {
	c := makeClip(t, "-f lavfi -i sine=f=440:r=44100:d=1 -ac 2 -c:a aac")
	in, _ := heard(t, c)
	for _, o := range [][2]int{{48000, 2}, {22050, 2}, {44100, 1}, {16000, 1}} {
		r, err := NewResampler(44100, 2, o[0], o[1])
		must(t, err)
		defer r.Close()
		var got channels
		for at := 0; at < len(in[0]); at += 1000 {
			n := min(1000, len(in[0])-at)
			must(t, r.Resample(Samples{
				Rate: 44100, Channels: 2, Length: n,
				Planes: channels{in[0][at : at+n], in[1][at : at+n]},
			}, got.add))
		}
		must(t, r.Flush(got.add))
		want := pcm(t, o[1], "-i", c.file, "-ar", fmt.Sprint(o[0]), "-ac", fmt.Sprint(o[1]))
		near(t, got, want, 1e-4)
	}
}
