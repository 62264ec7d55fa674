package loudness

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// speech is a man who says hello in front of a camera: 8.3 s of stereo at 48 kHz. It is in Debian's
// forensics-samples-files.
const speech = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4"

// chord is music of a kind: four tones, struck twice a second, that swell and move between the
// channels.
const chord = "0.4*(sin(2*PI*220*t)+0.6*sin(2*PI*277.2*t)+0.5*sin(2*PI*329.6*t)+" +
	"0.3*sin(2*PI*1760*t))*(0.6+0.4*sin(2*PI*0.13*t))*exp(-2*mod(t\\,0.5))"

// recordings are ffmpeg's arguments for what is compared with its ebur128.
func recordings() map[string][]string {
	lavfi := func(graph string, more ...string) []string {
		return append([]string{"-f", "lavfi", "-i", graph, "-c:a", "aac", "-b:a", "160k"}, more...)
	}
	eval := func(rate, seconds string, channels ...string) string {
		return "aevalsrc='" + strings.Join(channels, "|") + "':s=" + rate + ":d=" + seconds
	}
	return map[string][]string{
		"speech":       {"-i", speech, "-vn", "-c", "copy"},
		"speech mono":  {"-i", speech, "-vn", "-c:a", "aac", "-ac", "1", "-ar", "22050"},
		"music":        lavfi(eval("44100", "20", "(0.7+0.3*sin(t))*"+chord, "(0.7-0.3*sin(t))*"+chord)),
		"music 48 kHz": lavfi(eval("48000", "12", chord, "0.5*"+chord)),
		"sine":         lavfi(eval("48000", "10", "0.1*sin(2*PI*997*t)")),
		"loud sine":    lavfi(eval("44100", "10", "sin(2*PI*440*t)", "sin(2*PI*440*t)")),
		"loud, quiet and very quiet": lavfi(eval("48000", "30",
			"sin(2*PI*1000*t)*if(lt(t\\,10)\\,0.2\\,if(lt(t\\,20)\\,0.03\\,0.0003))")),
		"noise":   lavfi("anoisesrc=c=pink:a=0.4:r=32000:d=10:seed=1"),
		"silence": lavfi("anullsrc=r=48000:cl=stereo", "-t", "5"),
	}
}

func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg",
		append([]string{"-hide_banner", "-nostats", "-v", "error", "-nostdin", "-y"}, args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %v: %v\n%s", args, err, complaint.Bytes())
	}
	return out
}

// record makes an FLV file.
func record(t testing.TB, args []string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audio.flv")
	ffmpeg(t, append(args, "-f", "flv", path)...)
	return path
}

// load reads the audio units of an FLV file.
func load(t testing.TB, path string) []*topic.Unit {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	r := flv.NewReader(bufio.NewReader(file), 0)
	var units []*topic.Unit
	var header *topic.Unit
	for {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			return units
		}
		if err != nil {
			t.Fatal(err)
		}
		au, err := flv.Unit(tag.Kind, tag.Time, tag.Body, tag.Tail)
		if err != nil {
			t.Fatal(err)
		}
		if au.Kind != media.Audio || len(au.Body) < 3 { // an empty header
			continue
		}
		u := topic.NewUnit(1, uint64(len(units)+1), au)
		if u.Role == media.SequenceHeader {
			header = u
		} else {
			u.Header = header
		}
		units = append(units, u)
	}
}

// ebur128 is what ffmpeg says of a file: integrated loudness, and sample peak, 1 at full scale.
func ebur128(t testing.TB, path string) (integrated, peak float64) {
	t.Helper()
	out := ffmpeg(t, "-i", path, "-af",
		"ebur128=peak=sample:metadata=1,ametadata=print:file=-", "-f", "null", "-")
	last := func(key string) float64 {
		i := bytes.LastIndex(out, []byte(key+"="))
		if i < 0 {
			t.Fatalf("no %s in\n%s", key, out)
		}
		word, _, _ := strings.Cut(string(out[i+len(key)+1:]), "\n")
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return last("lavfi.r128.I"), last("lavfi.r128.sample_peak")
}

// measure has a machine measure units with the decoder of earnest.
func measure(t testing.TB, units []*topic.Unit) Report {
	t.Helper()
	m := newMachine(DefaultThresholds(), openAAC)
	defer m.Close()
	for _, u := range units {
		if _, err := m.Unit(u); err != nil {
			t.Fatal(err)
		}
	}
	var r Report
	m.report(&r)
	bounded(t, r.Reading)
	return r
}

// Real AAC reads as it does in ffmpeg: within 0.1 LU integrated, and a peak within 0.1 dB.
func TestEqualsFFmpeg(t *testing.T) {
	for name, args := range recordings() {
		t.Run(name, func(t *testing.T) {
			path := record(t, args)
			integrated, peak := ebur128(t, path)
			r := measure(t, load(t, path))
			if r.Unavailable != "" || r.Errors != 0 {
				t.Errorf("%+v", r)
			}
			if name == "silence" {
				floor := Level{RMS: Floor, Peak: Floor}
				if r.Integrated != Floor || r.ShortTerm != Floor || r.Total != floor || !r.Silent {
					t.Errorf("silence: %+v", r)
				}
				return
			}
			peak = 20 * math.Log10(peak)
			t.Logf("integrated %.3f LUFS, ffmpeg %.3f; peak %.3f dBFS, ffmpeg %.3f",
				r.Integrated, integrated, r.Total.Peak, peak)
			near(t, "integrated loudness", r.Integrated, integrated, 0.1)
			near(t, "peak", r.Total.Peak, peak, 0.1)
		})
	}
}

// Damage in transit is counted, never fatal, and never shows as a level that cannot be.
func TestDamagedSpeech(t *testing.T) {
	units := load(t, record(t, recordings()["speech"]))
	m := newMachine(DefaultThresholds(), openAAC)
	defer m.Close()
	for i, u := range units {
		if i%3 == 1 && u.Role != media.SequenceHeader {
			damaged := *u
			damaged.Body = bytes.Clone(u.Body)
			for at := 2 + i%7; at < len(damaged.Body); at += 5 + i%40 {
				damaged.Body[at] ^= byte(1 + i*at)
			}
			u = &damaged
		}
		_, _ = m.Unit(u) // whether damage is an error is the decoder's to say
		var r Report
		m.report(&r)
		bounded(t, r.Reading)
	}
	if m.frames < uint64(len(units))/2 || m.errors == 0 {
		t.Errorf("of %d units %d frames and %d errors", len(units), m.frames, m.errors)
	}
}

// A configuration whose sample rate is beneath what K-weighting is defined for is an error a frame.
func TestUnsupported(t *testing.T) {
	m := newMachine(DefaultThresholds(), openAAC)
	defer m.Close()
	path := record(t, []string{
		"-f", "lavfi", "-i", "sine=r=7350:d=9", "-c:a", "aac", "-strict", "-2", "-ar", "7350",
	})
	for _, u := range load(t, path) {
		_, _ = m.Unit(u)
	}
	if m.frames != 0 || !strings.Contains(m.unavailable, "rate") {
		t.Errorf("%d frames, %q", m.frames, m.unavailable)
	}
}
