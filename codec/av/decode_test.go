//go:build cgo

package av

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// digest is the MD5 of a frame's pixels, plane after plane without padding, as ffmpeg's framemd5
// has it.
func digest(f *Frame) string {
	h := md5.New()
	width, height := f.Size()
	for i := range 3 {
		pix, stride := f.Plane(i)
		w, rows := width, height
		if i > 0 {
			w, rows = (w+1)/2, (rows+1)/2
		}
		for y := range rows {
			h.Write(pix[y*stride : y*stride+w])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// expected is what ffmpeg decodes of a file: the MD5 of each frame.
func expected(t testing.TB, file string) []string {
	t.Helper()
	var sums []string
	out := ffmpeg(t, "-threads", "1", "-i", file, "-map", "0:v", "-fps_mode", "passthrough",
		"-autoscale", "0", "-c:v", "rawvideo", "-f", "framemd5", "-")
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(strings.TrimSpace(line), ",")
			sums = append(sums, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return sums
}

// decoded is what we decode of the same file: the MD5 of each frame, in the order of presentation.
func decoded(t testing.TB, c *clip) []string {
	t.Helper()
	record, _ := c.video()
	d, err := NewDecoder(record, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var sums []string
	last := media.Time(-1)
	emit := func(f *Frame) error {
		defer f.Release()
		if f.PTS() <= last {
			t.Errorf("PTS %v after %v", f.PTS(), last)
		}
		if f.Corrupt() {
			t.Errorf("frame at %v is corrupt", f.PTS())
		}
		last = f.PTS()
		sums = append(sums, digest(f))
		return nil
	}
	for _, u := range c.units {
		switch {
		case u.kind != media.Video:
		case u.role == media.SequenceHeader:
			err = d.Configure(u.data)
		default:
			err = d.Decode(u.data, u.pts, u.dts, emit)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Flush(emit); err != nil {
		t.Fatal(err)
	}
	return sums
}

func TestDecodeIsExact(t *testing.T) {
	for name, c := range map[string]*clip{
		"no B-frames": pattern(t, 720, 1280, 40, "-preset veryfast -bf 0 -g 15"),
		"B-frames":    pattern(t, 640, 360, 60, "-preset medium -bf 3 -b_strategy 0 -g 25"),
		"cropped":     pattern(t, 1920, 1080, 8, "-preset ultrafast"),
		"2x2":         pattern(t, 2, 2, 5, "-preset ultrafast"),
		"18x34":       pattern(t, 18, 34, 30, "-preset medium"),
		"full range":  pattern(t, 64, 64, 5, "-color_range pc"),
		"interlaced":  pattern(t, 320, 240, 30, "-flags +ildct+ilme -bf 2"),
		"footage":     makeClip(t, "-i "+real+" -c copy"),
	} {
		t.Run(name, func(t *testing.T) {
			same(t, decoded(t, c), expected(t, c.file))
		})
	}
}

// TestDecodeAcrossSizes changes the size of picture in mid-stream: a phone that is turned, a
// publisher that comes back with another picture, B-frames on either side of the change.
func TestDecodeAcrossSizes(t *testing.T) {
	portrait := pattern(t, 720, 1280, 20, "-preset veryfast -bf 0 -g 15")
	landscape := pattern(t, 1280, 720, 20, "-preset veryfast -bf 2")
	c := splice(t, portrait, landscape, portrait,
		pattern(t, 640, 360, 20, "-preset medium -bf 3 -b_strategy 0 -g 25"),
		pattern(t, 1920, 1080, 8, "-preset ultrafast"), landscape)
	same(t, decoded(t, c), expected(t, c.file))
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%d frames, ffmpeg has %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("frame %d differs from ffmpeg's", i)
		}
	}
}
