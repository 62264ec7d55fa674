//go:build cgo

package av

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// real is a phone-like recording of a person and a screen, from Debian's forensics-samples-files:
// 1280x720, about 30 frames a second, 8.3 s, no B-frames, AAC of 48 kHz in stereo.
const real = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4"

// unit is an access unit of a clip.
type unit struct {
	kind     media.Kind
	role     media.Role
	body     []byte // with its FLV header
	data     []byte // without
	pts, dts media.Time
}

// clip is an FLV file and what is in it.
type clip struct {
	file  string
	units []unit
}

// clips holds what was made, so that tests share it. TestMain removes the folder.
var clips = struct {
	sync.Mutex
	dir  string
	made map[string]*clip
}{made: map[string]*clip{}}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "headwater-av")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	clips.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// ffmpeg runs ffmpeg and returns what it writes to stdout.
func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, words.String())
	}
	return out.Bytes()
}

// makeClip returns the FLV file that ffmpeg makes with args, a line of words.
func makeClip(t testing.TB, args string) *clip {
	t.Helper()
	clips.Lock()
	defer clips.Unlock()
	if c := clips.made[args]; c != nil {
		return c
	}
	c := &clip{file: filepath.Join(clips.dir, fmt.Sprintf("%d.flv", len(clips.made)))}
	ffmpeg(t, append(strings.Fields(args), "-f", "flv", c.file)...)
	b, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	c.units = readUnits(t, b)
	clips.made[args] = c
	return c
}

// pattern is a moving test picture of a size, with noise; what follows sets the encoder.
func pattern(t testing.TB, width, height, frames int, encoder string) *clip {
	t.Helper()
	return makeClip(t, fmt.Sprintf("-f lavfi -i testsrc2=s=%dx%d:r=30,noise=alls=8:allf=t "+
		"-frames:v %d -pix_fmt yuv420p -c:v libx264 -threads 1 %s", width, height, frames, encoder))
}

func readUnits(t testing.TB, b []byte) []unit {
	t.Helper()
	var units []unit
	r := flv.NewReader(bufio.NewReader(bytes.NewReader(b)), 0)
	for {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			return units
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := flv.Parse(tag.Kind, tag.Body)
		if err != nil {
			t.Fatal(err)
		}
		if tag.Kind == media.Data || info.Flags.Has(flv.EndOfSequence) {
			continue
		}
		units = append(units, unit{
			tag.Kind, info.Role, tag.Body, tag.Body[info.Payload:], tag.Time + info.CTS, tag.Time,
		})
	}
}

// splice puts the video of clips one after the other, each with its sequence header.
func splice(t testing.TB, parts ...*clip) *clip {
	t.Helper()
	header := flv.FileHeader(true, false)
	b := header[:]
	start := media.Time(0)
	for _, part := range parts {
		end := start
		for _, u := range part.units {
			if u.kind == media.Video {
				b = flv.AppendTag(b, media.Video, start+u.dts, u.body)
				end = max(end, start+u.pts+100*media.Millisecond)
			}
		}
		start = end
	}
	c := &clip{file: filepath.Join(t.TempDir(), "splice.flv"), units: readUnits(t, b)}
	if err := os.WriteFile(c.file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// only returns the headers or the coded units of one track.
func (c *clip) only(kind media.Kind, header bool) []unit {
	var out []unit
	for _, u := range c.units {
		if u.kind == kind && (u.role == media.SequenceHeader) == header {
			out = append(out, u)
		}
	}
	return out
}

// video returns the record and the pictures.
func (c *clip) video() (record []byte, pictures []unit) {
	return c.only(media.Video, true)[0].data, c.only(media.Video, false)
}

// sound returns the AudioSpecificConfig and the coded sound.
func (c *clip) sound() (config []byte, frames []unit) {
	return c.only(media.Audio, true)[0].data, c.only(media.Audio, false)
}
