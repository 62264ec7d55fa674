package process

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

// The marker is a grid of black and white squares that fills the left upper quarter of a picture:
// nothing has more contrast, and nothing is easier to find again.
const markerCell = 8

// recipe says what ffmpeg makes.
type recipe struct {
	size    string // 360x640 if ""
	rate    int    // 30 if 0
	frames  int    // 60 if 0
	input   string // a source of lavfi's in place of testsrc2 with the marker
	filters string // further filters
	args    string // of the encoder, beyond the usual
	format  string // pix_fmt; yuv420p if ""
}

const marker = "geq=lum='if(lt(X,W/2)*lt(Y,H/2),255*mod(floor(X/8)+floor(Y/8),2),lum(X,Y))'" +
	":cb='cb(X,Y)':cr='cr(X,Y)'"

// clip has ffmpeg make the video units of a stream.
func clip(t testing.TB, r recipe) []*Unit {
	t.Helper()
	size, rate, frames := r.size, r.rate, r.frames
	if size == "" {
		size = "360x640"
	}
	if rate == 0 {
		rate = 30
	}
	if frames == 0 {
		frames = 60
	}
	input := r.input
	if input == "" {
		input = fmt.Sprintf("testsrc2=s=%s:r=%d,format=yuv420p,%s", size, rate, marker)
	}
	if r.filters != "" {
		input += "," + r.filters
	}
	format := r.format
	if format == "" {
		format = "yuv420p"
	}
	args := []string{
		"-v", "error", "-f", "lavfi", "-i", input, "-frames:v", fmt.Sprint(frames),
		"-pix_fmt", format, "-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-b:v", "2500k",
	}
	args = append(args, strings.Fields(r.args)...)
	return units(t, ffmpeg(t, append(args, "-f", "flv", "-")...))
}

func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.Bytes()
}

// units reads the video of an FLV stream.
func units(t testing.TB, stream []byte) []*Unit {
	t.Helper()
	var all []*Unit
	var header []byte
	for r := flv.NewReader(bytes.NewReader(stream), 0); ; {
		tag, err := r.Next()
		if err == io.EOF {
			return all
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
		if info, err := flv.Parse(media.Video, tag.Body); err != nil ||
			info.Flags.Has(flv.EndOfSequence) {
			continue
		}
		if au.Role == media.SequenceHeader {
			header = au.Body
		}
		all = append(all, &Unit{AccessUnit: au, Header: header})
	}
}

// after moves units to a later time.
func after(all []*Unit, by media.Time) []*Unit {
	moved := make([]*Unit, len(all))
	for i, u := range all {
		v := *u
		v.DTS += by
		moved[i] = &v
	}
	return moved
}

// pictures counts the units that are no headers.
func pictures(all []*Unit) (n int) {
	for _, u := range all {
		if u.Role != media.SequenceHeader {
			n++
		}
	}
	return n
}

// decode decodes outputs, each followed from the record that it brings, and returns the pictures.
func decode(t testing.TB, outputs []*Output) []picture {
	t.Helper()
	var all []picture
	var d *av.Decoder
	take := func(f *av.Frame) error {
		all = append(all, still(f))
		f.Release()
		return nil
	}
	for _, o := range outputs {
		if d == nil {
			var err error
			if d, err = av.NewDecoder(o.Record, av.Limits{}); err != nil {
				t.Fatal(err)
			}
			defer d.Close()
		}
		if err := d.Configure(o.Record); err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(o.Unit.Body[5:], o.Unit.PTS(), o.Unit.DTS, take); err != nil {
			t.Fatalf("output %d: %v", o.Seq, err)
		}
	}
	if d != nil {
		if err := d.Flush(take); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// decodeUnits decodes the source itself.
func decodeUnits(t testing.TB, all []*Unit) map[media.Time]picture {
	t.Helper()
	var outputs []*Output
	for _, u := range all {
		if u.Role != media.SequenceHeader {
			outputs = append(outputs, &Output{Unit: u.AccessUnit, Record: u.Header[5:]})
		}
	}
	found := map[media.Time]picture{}
	for _, p := range decode(t, outputs) {
		found[p.pts] = p
	}
	return found
}

// picture is a copy of a decoded one.
type picture struct {
	pts media.Time
	halide.Frame
}

func still(f *av.Frame) picture {
	w, h := f.Size()
	v := view(f, size{w, h})
	p := picture{f.PTS(), halide.NewFrame(w, h)}
	for i, plane := range v.Planes() {
		for y := range plane.Height {
			copy(p.Planes()[i].Row(y), plane.Row(y))
		}
	}
	return p
}

// readable tells how well the marker can be seen in a part of the picture: the mean difference of
// luma between neighbouring cells that should be black and white, from 0 to 255.
func (p *picture) readable(in image.Rectangle) float64 {
	sum, n := 0, 0
	for y := in.Min.Y; y < in.Max.Y; y++ {
		row := p.Y.Row(y)
		for x := in.Min.X; x+markerCell < in.Max.X; x++ {
			sign := 1
			if (x/markerCell+y/markerCell)%2 == 0 {
				sign = -1
			}
			sum += sign * (int(row[x]) - int(row[x+markerCell]))
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n)
}

// quarter is the part of a picture where the marker is.
func (p *picture) quarter() image.Rectangle { return image.Rect(0, 0, p.Y.Width/2, p.Y.Height/2) }
