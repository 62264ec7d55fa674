package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// pattern is ffmpeg's input: moving pictures of which no two are alike, and a tone.
func pattern(size string) []string {
	return []string{
		"-hide_banner", "-nostats", "-nostdin", "-loglevel", "warning",
		"-re", "-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=30",
		"-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
	}
}

// encoding is how a phone would encode it: no B-frames, a keyframe a second.
func encoding() []string {
	return []string{
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
		"-g", "30", "-threads", "1", "-c:a", "aac", "-b:a", "64k", "-ac", "1",
	}
}

// encode has ffmpeg publish to url until the test ends. extra are further options of the output.
func encode(t *testing.T, url string, extra ...string) *process {
	t.Helper()
	args := slices.Concat(pattern("320x180"), encoding(), extra, []string{"-f", "flv", url})
	return start(t, "ffmpeg", args...)
}

// finish waits until a process has ended and returns what it wrote.
func finish(t *testing.T, p *process) string {
	t.Helper()
	ends(t, strings.Join(p.cmd.Args, " "), p.ended)
	return p.stdout.String() + p.stderr.String()
}

// probe has ffprobe look at url and returns the codec names of its streams.
func probe(t *testing.T, url string, flags ...string) []string {
	t.Helper()
	args := slices.Concat([]string{"-v", "error"}, flags, []string{
		"-of", "json", "-show_entries", "stream=codec_name,width,height,sample_rate", url,
	})
	p := start(t, "ffprobe", args...)
	finish(t, p)
	var answer struct {
		Streams []struct {
			Codec         string `json:"codec_name"`
			Width, Height int
			Rate          string `json:"sample_rate"`
		}
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &answer); err != nil || p.err != nil {
		t.Fatalf("ffprobe %s: %v, %v\n%s", url, p.err, err, &p.stderr)
	}
	var names []string
	for _, s := range answer.Streams {
		if s.Codec == "" { // ffmpeg's name for script data that it does not know
			continue
		}
		what := s.Rate
		if s.Width > 0 {
			what = fmt.Sprintf("%dx%d", s.Width, s.Height)
		}
		names = append(names, s.Codec+" "+what)
	}
	slices.Sort(names)
	return names
}

// checkDecodes has ffmpeg decode units as an FLV file. Nothing may be wrong with them. The times of
// pictures are left to checkRising: rounded to frames, as is ffmpeg's habit, two may fall on one.
func checkDecodes(t *testing.T, name string, units []unit, extra ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "received.flv")
	if err := os.WriteFile(path, flvFile(units), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"-nostdin", "-v", "error", "-xerror", "-threads", "1", "-i", path, "-fps_mode", "drop",
	}
	p := start(t, "ffmpeg", append(append(args, extra...), "-f", "null", "-")...)
	if wrote := finish(t, p); wrote != "" || p.err != nil {
		t.Errorf("%s: does not decode: %v\n%s", name, p.err, last(wrote))
	}
}

// clip is what ffmpeg encoded once, for publishers that know each byte they send.
type clip struct {
	once  sync.Once
	size  string
	flags []string
	units []unit
	err   error
}

// The clips, made when they are first needed.
var (
	// film is a minute with B-frames, as an encoder that takes its time makes it.
	film = clip{size: "320x180", flags: []string{"-t", "60", "-g", "30", "-bf", "2"}}
	// epic is film, but longer, for the long tests.
	epic = clip{size: "320x180", flags: []string{"-t", "240", "-g", "30", "-bf", "2"}}
	// longGOP has a keyframe every four seconds.
	longGOP = clip{size: "320x180", flags: []string{"-t", "20", "-g", "120", "-bf", "0"}}
	// heavy has some 4 Mbps, more than the kernel buffers in a second for a slow viewer.
	heavy = clip{size: "640x360", flags: []string{"-t", "30", "-g", "30", "-bf", "0", "-qp", "12"}}
)

// get returns the units of the clip.
func (c *clip) get(t *testing.T) []unit {
	t.Helper()
	c.once.Do(func() { c.units, c.err = makeClip(c.size, c.flags) })
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c.units
}

func makeClip(size string, flags []string) ([]unit, error) {
	input := slices.DeleteFunc(pattern(size), func(arg string) bool { return arg == "-re" })
	args := slices.Concat(input, []string{
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1",
		"-sc_threshold", "0", "-c:a", "aac", "-b:a", "64k", "-ac", "1",
	}, flags, []string{"-f", "flv", "-"})
	cmd := exec.Command("ffmpeg", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	file, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w\n%s", err, &stderr)
	}
	return readFLV(bytes.NewReader(file))
}

func readFLV(r io.Reader) ([]unit, error) {
	reader := flv.NewReader(r, 0)
	var units []unit
	for {
		tag, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return units, nil
		}
		if err != nil {
			return units, err
		}
		units = append(units, unitOf(tag))
	}
}

func unitOf(tag flv.Tag) unit {
	return unit{kind: tag.Kind, ms: tag.Time.Millis(), body: tag.Body}
}

// TestClips makes sure that the clips are what the other tests take them for.
func TestClips(t *testing.T) {
	t.Parallel()
	for name, want := range map[*clip]struct{ keyframes, units int }{
		&film: {60, 4300}, &longGOP: {5, 1400}, &heavy: {30, 2100},
	} {
		units := name.get(t)
		pictures := count(units, unit.picture)
		if pictures != want.keyframes || len(units) < want.units {
			t.Errorf("%v: %d keyframes, %d units", name.flags, pictures, len(units))
		}
	}
	moved := count(film.get(t), func(u unit) bool {
		info, err := u.info()
		return err == nil && u.kind == media.Video && info.CTS > 0
	})
	if moved < 100 {
		t.Errorf("the film has %d pictures with a composition time", moved)
	}
}
