package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// panels is a picture whose left half is black and whose right half is white.
const panels = "color=black:s=160x90:r=25,drawbox=x=80:y=0:w=80:h=90:c=white:t=fill"

// keyframe has ffmpeg make a stream and returns its first keyframe, with its header.
func keyframe(t *testing.T, args string) *topic.Unit {
	t.Helper()
	line := append(
		[]string{"-v", "error", "-f", "lavfi", "-i", panels, "-frames:v", "3"},
		append(strings.Fields(args), "-f", "flv", "-")...)
	cmd := exec.CommandContext(t.Context(), "ffmpeg", line...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %v: %v\n%s", line, err, &errs)
	}
	var header *topic.Unit
	for r := flv.NewReader(&out, 0); ; {
		tag, err := r.Next()
		if err == io.EOF {
			t.Fatal("the stream has no keyframe")
		}
		if err != nil {
			t.Fatal(err)
		}
		if tag.Kind != media.Video {
			continue
		}
		au, err := flv.Unit(media.Video, tag.Time, tag.Body, tag.Tail)
		if err != nil {
			t.Fatal(err)
		}
		switch au.Role {
		case media.SequenceHeader:
			header = topic.NewUnit(1, 1, au)
		case media.Keyframe:
			u := topic.NewUnit(1, 2, au)
			u.Header = header
			return u
		case media.Frame:
		}
	}
}

// TestTake looks at the JPEG of a real keyframe: black is black and white is white, whichever range
// the stream has.
func TestTake(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		size image.Point
	}{
		"video range": {"-pix_fmt yuv420p -c:v libx264", image.Pt(160, 90)},
		"full range": {
			"-vf scale=out_range=pc -color_range pc -pix_fmt yuvj420p -c:v libx264", image.Pt(160, 90),
		},
		"B-frames": {"-pix_fmt yuv420p -c:v libx264 -bf 3 -b_strategy 0", image.Pt(160, 90)},
		"cropped":  {"-vf crop=138:74:11:5 -pix_fmt yuv420p -c:v libx264", image.Pt(138, 74)},
		"slices":   {"-pix_fmt yuv420p -c:v libx264 -slices 4", image.Pt(160, 90)},
	} {
		codecs, frames := av.Live()
		u := keyframe(t, c.args)
		p, err := take(t.Context(), u, &Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		picture, err := jpeg.Decode(bytes.NewReader(p.JPEG))
		if err != nil || picture.Bounds().Size() != c.size || p.Width != c.size.X ||
			p.Height != c.size.Y || p.Epoch != 1 || p.Seq != 2 || p.PTS != u.PTS() {
			t.Errorf("%s: %v of %v, want %v: %+v", name, err, picture.Bounds(), c.size, p.PTS)
			continue
		}
		y := c.size.Y / 2
		black, _, _, _ := picture.At(c.size.X/4, y).RGBA()
		white, _, _, _ := picture.At(c.size.X*3/4, y).RGBA()
		if black>>8 > 3 || white>>8 < 252 {
			t.Errorf("%s: black is %d and white %d", name, black>>8, white>>8)
		}
		if c, f := av.Live(); c != codecs || f > frames+1 {
			t.Errorf("%s: %d codecs and %d frames are left, before %d and %d", name, c, f, codecs, frames)
		}
	}
}

func TestTakeRefuses(t *testing.T) {
	u := keyframe(t, "-pix_fmt yuv420p -c:v libx264")
	bare := u.Placed(1, 2, nil)
	short := *u
	short.Body = u.Body[:20]
	for name, c := range map[string]struct {
		unit   *topic.Unit
		limits av.Limits
		want   string
	}{
		"no header": {bare, av.Limits{}, "no sequence header"},
		"too large": {u, av.Limits{Width: 100, Height: 100}, "picture of 160x90, at most 100x100"},
		"cut short": {&short, av.Limits{}, ""},
		"high bits": {
			keyframe(t, "-pix_fmt yuv420p10le -c:v libx264"), av.Limits{}, "10 bits, want 4:2:0 of 8",
		},
	} {
		p, err := take(t.Context(), c.unit, &Options{Limits: c.limits})
		if err == nil || p != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	hevc := u.AccessUnit
	hevc.Body = append([]byte{0x1c}, u.Body[1:]...)
	if _, err := payload(topic.NewUnit(1, 2, hevc)); err == nil ||
		!strings.Contains(err.Error(), "the video is hvc1") {
		t.Error(err)
	}
	hevc.Body = nil
	if _, err := payload(topic.NewUnit(1, 2, hevc)); !errors.Is(err, flv.ErrTruncated) {
		t.Error(err)
	}
}

func TestStretch(t *testing.T) {
	luma, chroma, same := stretch(16, 219, 0), stretch(128, 224, 128), stretch(0, 255, 0)
	got := fmt.Sprint(luma[0], luma[16], luma[235], luma[255], chroma[16], chroma[128], chroma[240])
	if want := "0 0 255 255 0 128 255"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i, v := range same {
		if int(v) != i {
			t.Errorf("the full range has %d for %d", v, i)
		}
	}
}
