package e2e

import (
	"bytes"
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

// movie is real footage with sound: a person and a terminal, 1280x720 (Debian's
// forensics-samples-files).
const movie = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4"

// shot is a clip with a marker in each picture.
type shot struct {
	marker        *marker
	width, height int
	input         []string // ffmpeg's, of picture and sound
	filter        string   // of the picture, before the marker is drawn
	after         string   // and after it
	length        int      // in seconds; 0: shotLength
	flags         []string // of the encoder

	once sync.Once
	file []byte
	err  error
}

// The parts of the pictures that are to be hidden. They are whole pixels of the sizes here.
var (
	wide = rect{X: 0.1, Y: 0.1, W: 0.3, H: 0.2}
	tall = rect{X: 0.1, Y: 0.2, W: 0.5, H: 0.15}
)

// The shots, made when they are first needed.
var (
	// landscape and portrait are real footage.
	landscape = shot{
		marker: newMarker(wide, 48, 18), width: 1280, height: 720, input: footage(),
		flags: []string{"-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-r", "30", "-g", "30"},
	}
	portrait = shot{
		marker: newMarker(tall, 48, 18), width: 720, height: 1280,
		input: footage(), filter: "transpose=1,",
		flags: []string{"-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-r", "30", "-g", "30"},
	}
	// moving is made by ffmpeg; no two pictures are alike.
	moving = shot{
		marker: newMarker(wide, 48, 18), width: 960, height: 540,
		input: synthetic("960x540", 25),
		flags: []string{"-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k", "-g", "25"},
	}
)

func footage() []string { return []string{"-stream_loop", "3", "-i", movie} }

func synthetic(size string, fps int) []string {
	return []string{
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%s:rate=%d", size, fps),
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
	}
}

// sound is which input has it, behind the picture's and before the marker's.
func (s *shot) inputs() (sound, marker int) {
	if slices.Contains(s.input, movie) {
		return 0, 1
	}
	return 1, 2
}

// encode is ffmpeg's command line up to the output. dir gets the marker.
func (s *shot) encode(t *testing.T, dir string, live bool, length string) []string {
	t.Helper()
	path := filepath.Join(dir, "marker.png")
	s.marker.write(t, path, s.width, s.height)
	at := s.marker.rect.in(s.width, s.height).Min
	args := []string{"-hide_banner", "-nostats", "-nostdin", "-loglevel", "error"}
	if live {
		args = append(args, "-re")
	}
	sound, marker := s.inputs()
	args = append(args, s.input...)
	args = append(args, "-loop", "1", "-i", path, "-filter_complex", fmt.Sprintf(
		"[0:v]%sformat=yuv420p[v];[v][%d:v]overlay=%d:%d:format=yuv420%s[o]",
		s.filter, marker, at.X, at.Y, s.after),
		"-map", "[o]", "-map", fmt.Sprintf("%d:a", sound), "-t", length,
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-sc_threshold", "0", "-threads", "1",
		"-c:a", "aac", "-aac_coder", "fast", "-b:a", "96k", "-ac", "1")
	return append(args, s.flags...)
}

// shotLength is how long a shot is that is made beforehand.
const shotLength = 25

func (s *shot) seconds() int {
	if s.length > 0 {
		return s.length
	}
	return shotLength
}

// get returns the shot as an FLV file.
func (s *shot) get(t *testing.T) []byte {
	t.Helper()
	s.once.Do(func() {
		dir := t.TempDir()
		path := filepath.Join(dir, "shot.flv")
		args := append(s.encode(t, dir, false, fmt.Sprint(s.seconds())), path)
		if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
			s.err = fmt.Errorf("ffmpeg %s: %w\n%s", strings.Join(args, " "), err, out)
			return
		}
		s.file, s.err = os.ReadFile(path)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.file
}

// units returns the shot unit by unit.
func (s *shot) units(t *testing.T) []unit {
	t.Helper()
	units, err := readFLV(bytes.NewReader(s.get(t)))
	if err != nil {
		t.Fatal(err)
	}
	return units
}

// publish has ffmpeg publish the shot as it is, in real time.
func (s *shot) publish(t *testing.T, url string) *process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shot.flv")
	if err := os.WriteFile(path, s.get(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-loglevel", "error", "-re",
		"-i", path, "-c", "copy", "-f", "flv", url)
}

// long repeats the shot, headers left out, until it is as long as that.
func (s *shot) long(t *testing.T, seconds int64) []unit {
	t.Helper()
	once := s.units(t)
	out := slices.Clone(once)
	_, rest := begin(once)
	rest = slices.DeleteFunc(slices.Clone(rest), func(u unit) bool {
		info, err := u.info()
		return err != nil || u.header() || u.kind == media.Data || info.Payload == len(u.body)
	})
	length := int64(s.seconds()) * 1000
	for shift := length; shift < seconds*1000; shift += length {
		for _, u := range rest {
			u.ms += shift
			out = append(out, u)
		}
	}
	return out
}

// readFile reads a file that an encoder may still have been writing.
func readFile(t *testing.T, path string) []unit {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	units, err := readFLV(bytes.NewReader(file))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, flv.ErrTruncated) {
		t.Fatal(err)
	}
	return units
}
