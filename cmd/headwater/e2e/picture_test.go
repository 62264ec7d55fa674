package e2e

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/media"
)

// decodePictures decodes the pictures of a recorded stream, each with the PTS that its container
// states, and hands them out one by one, in the order of the PTS. The frame is valid during the
// call. Whatever is wrong with a picture is an error, and it goes on at the next.
func decodePictures(units []unit, each func(pts int64, f *av.Frame)) (err error) {
	var decoder *av.Decoder
	defer func() {
		if decoder != nil {
			decoder.Close()
		}
	}()
	emit := func(f *av.Frame) error {
		defer f.Release()
		if f.Corrupt() {
			err = errors.Join(err, fmt.Errorf("the picture at %v is corrupt", f.PTS()))
		}
		each(f.PTS().Millis(), f)
		return nil
	}
	for _, u := range units {
		info, bad := u.info()
		if bad != nil || u.kind != media.Video || info.Codec != media.AVC ||
			info.Payload == len(u.body) { // the end of the publisher's sequence
			continue
		}
		payload, at := u.body[info.Payload:], media.FromMillis(u.ms)
		switch {
		case u.header() && decoder == nil:
			decoder, bad = av.NewDecoder(payload, av.Limits{})
		case u.header():
			bad = errors.Join(decoder.Flush(emit), decoder.Configure(payload))
		case decoder == nil:
			bad = errors.New("a picture comes before its header")
		default:
			bad = decoder.Decode(payload, at+info.CTS, at, emit)
		}
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("at %v: %w", at, bad))
		}
	}
	if decoder != nil {
		err = errors.Join(err, decoder.Flush(emit))
	}
	return err
}

// reading is what was read of the marker in one picture.
type reading struct {
	pts           int64
	contrast      float64
	width, height int
}

// reader appends what is read of the marker in each picture.
func (m *marker) reader(to *[]reading) func(pts int64, f *av.Frame) {
	return func(pts int64, f *av.Frame) {
		width, height := f.Size()
		*to = append(*to, reading{pts, m.contrast(f), width, height})
	}
}

// read reads the marker in all pictures of a stream that have to decode without a fault.
func (m *marker) read(t *testing.T, name string, units []unit) []reading {
	t.Helper()
	var out []reading
	if err := decodePictures(units, m.reader(&out)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return out
}

// extremes are the least and the greatest contrast of pictures.
func extremes(all []reading) (least, greatest float64) {
	for i, r := range all {
		if i == 0 {
			least, greatest = r.contrast, r.contrast
		}
		least, greatest = min(least, r.contrast), max(greatest, r.contrast)
	}
	return least, greatest
}

// between returns the readings of the pictures from one PTS up to another.
func between(all []reading, from, to int64) (out []reading) {
	for _, r := range all {
		if r.pts >= from && r.pts < to {
			out = append(out, r)
		}
	}
	return out
}

// savePicture writes the first picture at or after a PTS for people to look at, and says where.
func savePicture(t *testing.T, name string, units []unit, from int64) {
	t.Helper()
	done := false
	err := decodePictures(units, func(pts int64, f *av.Frame) {
		if pts < from || done {
			return
		}
		done = true
		path := filepath.Join(artifacts(t), strings.NewReplacer("/", "-", " ", "-").Replace(name)+".png")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := png.Encode(file, pictureOf(f)); err != nil {
			t.Fatal(err)
		}
		t.Logf("the picture at %d ms: %s", pts, path)
	})
	if err != nil || !done {
		t.Errorf("%s: no picture from %d ms on, %v", name, from, err)
	}
}

// artifacts is where pictures for people go: where SCREENSHOTS says, or else where go test keeps a
// test's artifacts.
func artifacts(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		return dir
	}
	return t.ArtifactDir()
}

// pictureOf is a frame as an image.
func pictureOf(f *av.Frame) image.Image {
	width, height := f.Size()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	luma, stride := f.Plane(0)
	u, chroma := f.Plane(1)
	v, _ := f.Plane(2)
	for y := range height {
		for x := range width {
			at := y/2*chroma + x/2
			c := color.YCbCr{Y: full(luma[y*stride+x]), Cb: u[at], Cr: v[at]}
			img.Set(x, y, c)
		}
	}
	return img
}

// full stretches video's range of luma to that of a file.
func full(y byte) byte {
	v := (int(y) - darkest) * 255 / (brightest - darkest)
	return byte(min(max(v, 0), 255))
}
