package process

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

const ms = media.Millisecond

// upperLeft is where the marker is.
var upperLeft = []settings.Rect{{X: 0, Y: 0, W: 0.5, H: 0.5}}

func emitting(version uint64) Order { return Order{Version: version, Emit: true} }

func blurring(version uint64, mode settings.Mode) Order {
	return Order{Version: version, Emit: true, Regions: upperLeft, Mode: mode}
}

// rig is a pipeline and what came out of it.
type rig struct {
	t testing.TB
	*Pipeline
	outputs []*Output
	total   Report
}

func newRig(t testing.TB, r settings.Rendition) *rig {
	g := &rig{t: t, Pipeline: NewPipeline(PipelineOptions{Name: "processed", Rendition: r})}
	t.Cleanup(g.Close)
	return g
}

func (g *rig) emit(o *Output) error {
	if err := sound(o, g.outputs); err != nil {
		g.t.Helper()
		g.t.Fatalf("output %d: %v", o.Seq, err)
	}
	g.outputs = append(g.outputs, o)
	return nil
}

func (g *rig) push(pace int, units ...*Unit) {
	g.t.Helper()
	for _, u := range units {
		r, err := g.Pipeline.Push(u, pace, g.emit)
		g.count(r, err)
	}
}

func (g *rig) resume() {
	g.t.Helper()
	r, err := g.Resume(g.emit)
	g.count(r, err)
}

func (g *rig) count(r Report, err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	t := &g.total
	t.Decoded += r.Decoded
	t.Encoded += r.Encoded
	t.Masked += r.Masked
	t.Passed += r.Passed
	t.Dropped += r.Dropped
	t.Errors += r.Errors
	t.Decoding, t.Fault = r.Decoding, r.Fault
}

// sound holds an output to what every output promises, after those before it.
func sound(o *Output, before []*Output) error {
	u, err := flv.Unit(media.Video, o.Unit.DTS, o.Unit.Body, o.Unit.Tail)
	if err != nil {
		return err
	}
	if u.CTS != o.Unit.CTS || u.Role != o.Unit.Role || u.Codec != media.AVC {
		return fmt.Errorf("the body says %+v", u)
	}
	if idr := avc.HasIDR(o.Unit.Body[5:], 4); idr != (o.Unit.Role == media.Keyframe) {
		return fmt.Errorf("IDR %v, role %v", idr, o.Unit.Role)
	}
	if len(before) == 0 {
		if o.Unit.Role != media.Keyframe || o.Seq != 1 {
			return fmt.Errorf("the first is a %v, Seq %d", o.Unit.Role, o.Seq)
		}
		return nil
	}
	last := before[len(before)-1]
	switch {
	case o.Unit.DTS <= last.Unit.DTS:
		return fmt.Errorf("DTS %v after %v", o.Unit.DTS, last.Unit.DTS)
	case o.Unit.PTS() <= last.Unit.PTS():
		return fmt.Errorf("PTS %v after %v", o.Unit.PTS(), last.Unit.PTS())
	case o.Unit.CTS < 0:
		return fmt.Errorf("CTS %v", o.Unit.CTS)
	case o.Seq != last.Seq+1:
		return fmt.Errorf("Seq after %d", last.Seq)
	case o.Unit.Role == media.Frame && &o.Record[0] != &last.Record[0]:
		return errors.New("another record with a frame that is no IDR picture")
	}
	return nil
}

// Every mode makes the marker unreadable, in every picture, and leaves the rest as it was.
func TestBlur(t *testing.T) {
	for _, bframes := range []string{"-bf 0", "-bf 2 -b_strategy 0"} {
		source := clip(t, recipe{args: bframes})
		want := decodeUnits(t, source)
		for _, mode := range []settings.Mode{
			settings.Box, settings.Gaussian, settings.Pixelate, settings.Solid,
		} {
			t.Run(bframes+" "+mode.String(), func(t *testing.T) {
				g := newRig(t, settings.Rendition{Bitrate: 2_500_000})
				if from := g.Order(blurring(7, mode)); from != 0 {
					t.Errorf("from %v", from)
				}
				g.push(1, source...)
				got := decode(t, g.outputs)
				if delay := pictures(source) - len(got); delay < 0 || delay > 2 {
					t.Fatalf("%d pictures of %d", len(got), pictures(source))
				}
				for i, p := range got {
					o, w := g.outputs[i], want[p.pts]
					if o.Version != 7 || o.Masked {
						t.Errorf("output %+v", o)
					}
					if r := w.readable(w.quarter()); r < 100 {
						t.Fatalf("the source's marker reads %.1f", r)
					}
					if r := p.readable(p.quarter()); r > 4 {
						t.Errorf("%v: the marker reads %.1f", p.pts, r)
					}
					if db := psnrOutside(&w, &p); db < 38 {
						t.Errorf("%v: %.1f dB outside", p.pts, db)
					}
				}
			})
		}
	}
}

// psnrOutside compares the lower half of two pictures.
func psnrOutside(a, b *picture) float64 {
	sum, n := 0, 0
	for y := a.Y.Height/2 + 16; y < a.Y.Height; y++ {
		r, s := a.Y.Row(y), b.Y.Row(y)
		for x := range r {
			d := int(r[x]) - int(s[x])
			sum += d * d
			n++
		}
	}
	if sum == 0 {
		return 99
	}
	return 10 * math.Log10(255*255*float64(n)/float64(sum))
}

// IDR pictures are where the source has them, and nowhere else. Presentation times are the
// source's, decoding times rise and are earlier by the source's reordering.
func TestAligned(t *testing.T) {
	for _, args := range []string{
		"-bf 0 -g 12", "-bf 2 -b_strategy 0 -g 24", "-bf 3 -b_strategy 0 -g 20 -b-pyramid normal",
	} {
		source := clip(t, recipe{args: args, frames: 90})
		var pts, idrs []media.Time
		var offset media.Time
		for _, u := range source {
			if u.Role != media.SequenceHeader {
				pts = append(pts, u.PTS())
				if avc.HasIDR(u.Body[5:], 4) {
					idrs = append(idrs, u.PTS())
					offset = u.CTS
				}
			}
		}
		slices.Sort(pts)
		g := newRig(t, settings.Rendition{})
		g.Order(emitting(1))
		g.push(1, source...)
		for i, o := range g.outputs {
			if o.Unit.PTS() != pts[i] {
				t.Errorf("%s: PTS %v, want %v", args, o.Unit.PTS(), pts[i])
			}
			if d := o.Unit.CTS - offset; i > 4 && (d < -ms || d > ms) { // FLV's are rounded
				t.Errorf("%s: composition offset %v, the source's is %v", args, o.Unit.CTS, offset)
			}
			key := o.Unit.Role == media.Keyframe
			if key != slices.Contains(idrs, o.Unit.PTS()) {
				t.Errorf("%s: IDR %v at %v", args, key, o.Unit.PTS())
			}
		}
	}
}

// A picture that is turned while the stream runs goes on turned: another record, from an IDR
// picture on, regions in the same fractions.
func TestRotation(t *testing.T) {
	first := clip(t, recipe{size: "360x640", args: "-bf 2 -b_strategy 0"})
	second := after(clip(t, recipe{size: "640x360", args: "-bf 0"}), 2100*ms)
	third := after(clip(t, recipe{size: "360x640", args: "-bf 0"}), 4200*ms)
	for _, rendition := range []settings.Rendition{{}, {Height: 240, Bitrate: 600_000}} {
		g := newRig(t, rendition)
		g.Order(blurring(1, settings.Pixelate))
		g.push(1, slices.Concat(first, second, third)...)
		if want := pictures(first) + pictures(second) + pictures(third); len(g.outputs) < want-2 {
			t.Fatalf("%d outputs of %d", len(g.outputs), want)
		}
		sizes := map[string]int{}
		for _, p := range decode(t, g.outputs) {
			sizes[fmt.Sprint(p.Y.Width, "x", p.Y.Height)]++
			if r := p.readable(p.quarter()); r > 4 {
				t.Errorf("%v: the marker reads %.1f", p.pts, r)
			}
		}
		if len(sizes) != 2 {
			t.Errorf("sizes %v", sizes)
		}
	}
}

// With Emit off the newest pictures are kept, and come first when they are asked for.
func TestWarm(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0"})
	g := newRig(t, settings.Rendition{})
	g.push(1, source[:20]...)
	g.Order(Order{Version: 1})
	g.push(1, source[20:31]...)
	if len(g.outputs) != 0 {
		t.Fatal("outputs while nothing is to be put out")
	}
	o := blurring(2, settings.Solid)
	o.From = source[27].PTS()
	if from := g.Order(o); from != o.From {
		t.Errorf("from %v, want %v", from, o.From)
	}
	g.resume()
	if n := len(g.outputs); n != 4 || g.outputs[0].Unit.PTS() != o.From {
		t.Fatalf("%d outputs, from %v", n, g.outputs[0].Unit.PTS())
	}
	g.push(1, source[31:40]...)
	if n := len(g.outputs); n != 13 {
		t.Errorf("%d outputs", n)
	}
	// A change holds from the next picture on.
	next := g.Order(blurring(3, settings.Box))
	g.push(1, source[40:50]...)
	for _, o := range g.outputs {
		if o.Version == 3 != (o.Unit.PTS() >= next) {
			t.Errorf("version %d at %v, 3 holds from %v", o.Version, o.Unit.PTS(), next)
		}
	}
	// Off and on again: nothing that was passed over is lost within what is retained.
	g.Order(Order{Version: 4})
	g.push(1, source[50:53]...)
	g.Order(emitting(5))
	g.push(1, source[53:]...)
	if n, want := len(g.outputs), pictures(source)-pictures(source[:27]); n != want {
		t.Errorf("%d outputs, want %d", n, want)
	}
}

// An IDR picture comes when the gate asks for one.
func TestRefresh(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0 -g 300"})
	g := newRig(t, settings.Rendition{})
	o := emitting(1)
	g.Order(o)
	g.push(1, source[:20]...)
	o.Refresh = 1
	g.Order(o)
	g.push(1, source[20:30]...)
	g.Order(o)
	g.push(1, source[30:]...)
	var at []uint64
	for _, o := range g.outputs {
		if o.Unit.Role == media.Keyframe {
			at = append(at, o.Seq)
		}
	}
	if !slices.Equal(at, []uint64{1, 20}) { // source[0] is the header
		t.Errorf("IDR pictures are %v", at)
	}
}

// A mask covers everything, and so does an order that nobody can carry out, and a filter that
// fails.
func TestMask(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 12})
	many := make([]settings.Rect, settings.MaxRects+1)
	for name, o := range map[string]Order{
		"mask":     {Emit: true, Mask: true},
		"nan":      {Emit: true, Regions: []settings.Rect{{X: math.NaN(), W: 1, H: 1}}},
		"infinite": {Emit: true, Regions: []settings.Rect{{X: math.Inf(-1), W: math.Inf(1), H: 1}}},
		"negative": {Emit: true, Regions: []settings.Rect{{X: 1, W: -1, H: 1}}},
		"many":     {Emit: true, Regions: many},
		"failing":  {Emit: true, Regions: upperLeft},
	} {
		for _, height := range []int{0, 240} {
			g := newRig(t, settings.Rendition{Height: height})
			if name == "failing" {
				g.filters.blur = func(dst, _ *halide.Frame, _ []halide.Region, _ bool) error {
					return errors.New("no kernel")
				}
			}
			g.Order(o)
			g.push(1, source...)
			if len(g.outputs) != 12 || g.total.Masked != 12 || !g.outputs[0].Masked {
				t.Errorf("%s: %d outputs, %d masked", name, len(g.outputs), g.total.Masked)
			}
			for _, p := range decode(t, g.outputs) {
				if lo, hi := extremes(p.Y); lo < maskLuma-2 || hi > maskLuma+2 {
					t.Errorf("%s: luma %d to %d", name, lo, hi)
				}
			}
		}
	}
}

func extremes(p halide.Plane) (lo, hi byte) {
	lo = 255
	for y := range p.Height {
		lo, hi = min(lo, slices.Min(p.Row(y))), max(hi, slices.Max(p.Row(y)))
	}
	return lo, hi
}

// After a gap nothing comes before the next IDR picture, though the decoder would not mind.
func TestGap(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0 -g 20", frames: 60})
	g := newRig(t, settings.Rendition{})
	g.Order(emitting(1))
	g.push(1, source[:11]...)
	cut := *source[13]
	cut.Gap = true
	g.push(1, &cut)
	if g.total.Decoding {
		t.Error("decoding across a gap")
	}
	g.push(1, source[14:]...)
	if want := 10 + 40; len(g.outputs) != want || g.outputs[10].Unit.PTS() != source[21].PTS() {
		t.Errorf("%d outputs, want %d", len(g.outputs), want)
	}
}

// A damaged unit costs the pictures up to the next IDR picture, and is counted.
func TestDamage(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0 -g 20", frames: 60})
	g := newRig(t, settings.Rendition{})
	g.Order(emitting(1))
	bad := *source[10]
	bad.Body = slices.Clone(bad.Body)
	for i := 40; i < len(bad.Body); i++ {
		bad.Body[i] ^= 0x5a
	}
	g.push(1, source[:10]...)
	g.push(1, &bad)
	n := len(g.outputs)
	g.push(1, source[11:21]...)
	if g.total.Errors == 0 || len(g.outputs) != n || g.total.Decoding {
		t.Errorf("%d errors, %d outputs behind %d", g.total.Errors, len(g.outputs), n)
	}
	g.push(1, source[21:]...)
	if got, want := len(g.outputs)-n, 40; got != want || g.total.Fault != "" {
		t.Errorf("%d outputs from the next IDR picture on, want %d; %q", got, want, g.total.Fault)
	}
}
