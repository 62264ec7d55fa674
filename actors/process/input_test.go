package process

import (
	"slices"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

// Every form of video that cannot be processed has a fault that says why, and nothing comes out.
func TestRefused(t *testing.T) {
	plain := clip(t, recipe{args: "-bf 0", frames: 3})
	hevc := *plain[1]
	hevc.Body, hevc.Tail = flv.NewBody(64)
	copy(hevc.Body, "\x90hvc1") // enhanced: sequence start
	hevc.Codec, hevc.Role = media.HEVC, media.SequenceHeader
	picture := hevc
	picture.Body, picture.Role = slices.Clone(hevc.Body), media.Keyframe
	picture.Body[0] = 0x91
	headless := *plain[1]
	headless.Header = nil
	garbage := *plain[0]
	garbage.Body = append([]byte("\x17\x00\x00\x00\x00"), make([]byte, 40)...)
	huge := *plain[0]
	huge.Body = hugeHeader(t)
	for name, source := range map[string][]*Unit{
		"10 bit":    clip(t, recipe{format: "yuv420p10le", frames: 3}),
		"4:2:2":     clip(t, recipe{format: "yuv422p", frames: 3}),
		"4:4:4":     clip(t, recipe{format: "yuv444p", frames: 3}),
		"HEVC":      {&hevc, &picture},
		"no header": {&headless},
		"garbage":   {&garbage},
		"huge":      {&huge},
	} {
		g := newRig(t, settings.Rendition{})
		g.Order(blurring(1, settings.Box))
		g.push(1, source...)
		if g.total.Fault == "" || len(g.outputs) != 0 || g.total.Decoding {
			t.Errorf("%s: fault %q, %d outputs", name, g.total.Fault, len(g.outputs))
		}
		t.Logf("%s: %s", name, g.total.Fault)
		good := after(plain, 10*media.Second) // another header ends it
		g.push(1, good...)
		if g.total.Fault != "" || len(g.outputs) != 3 {
			t.Errorf("%s: afterwards %q, %d outputs", name, g.total.Fault, len(g.outputs))
		}
	}
}

// hugeHeader is a sequence header of an absurd size of picture, of few bytes.
func hugeHeader(t testing.TB) []byte {
	t.Helper()
	config, err := avc.ParseConfig(clip(t, recipe{
		input: "color=s=8192x8192", frames: 1, args: "-preset ultrafast -bf 0",
	})[0].Body[5:])
	if err != nil {
		t.Fatal(err)
	}
	record, err := config.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("\x17\x00\x00\x00\x00"), record...)
}

// Sizes at the edge of what there is: each is encoded as it is, as small as it may be.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		size    string
		height  int
		w, h    int
		outside bool
	}{
		{"2x2", 0, 2, 2, false},
		{"16x2", 0, 16, 2, false},
		{"34x66", 0, 34, 66, false},
		{"90x162", 90, 90, 162, false},
		{"180x322", 90, 90, 162, false},
		{"642x362", 90, 160, 90, false},
		{"1280x720", 480, 854, 480, false},
	} {
		source := clip(t, recipe{
			input: "testsrc2=s=1280x720:r=30,scale=" + c.size, frames: 4, args: "-bf 0",
		})
		g := newRig(t, settings.Rendition{Height: c.height})
		g.Order(blurring(1, settings.Gaussian))
		g.push(1, source...)
		if len(g.outputs) != 4 {
			t.Errorf("%s: %d outputs: %s", c.size, len(g.outputs), g.total.Fault)
			continue
		}
		for _, p := range decode(t, g.outputs) {
			if p.Y.Width != c.w || p.Y.Height != c.h {
				t.Errorf("%s: %dx%d, want %dx%d", c.size, p.Y.Width, p.Y.Height, c.w, c.h)
			}
		}
	}
}

// Pictures that are decoded in odd sizes, which H.264 of 4:2:0 cannot be but a decoder might give,
// lose a column and a row; those that then are none are a fault.
func TestOddSizes(t *testing.T) {
	for _, c := range []struct {
		in, out size
		bad     bool
	}{
		{size{101, 67}, size{100, 66}, false},
		{size{1, 1}, size{}, true},
		{size{1, 500}, size{}, true},
	} {
		f := filters{blur: halide.BlurRegions}
		pool, err := av.NewPool(c.in.w, c.in.h, 1)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := pool.Get()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []*Order{{}, {Regions: upperLeft}, {Mask: true}} {
			got, _, err := f.apply(frame, o)
			if c.bad != (err != nil) {
				t.Errorf("%v: %v", c.in, err)
			}
			if got != nil {
				if w, h := got.Size(); (size{w, h}) != c.out {
					t.Errorf("%v becomes %dx%d, want %v", c.in, w, h, c.out)
				}
				got.Release()
			}
		}
		frame.Release()
		f.close()
		pool.Close()
	}
}

// A lower frame rate and a pace both leave pictures out, evenly.
func TestFewer(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 90})
	for _, c := range []struct{ fps, pace, want int }{
		{0, 1, 90},
		{15, 1, 45},
		{20, 1, 60},
		{10, 1, 30},
		{60, 1, 90},
		{0, 2, 45},
		{0, 4, 24},
		{15, 2, 24},
	} {
		g := newRig(t, settings.Rendition{FPS: c.fps})
		g.Order(emitting(1))
		g.push(c.pace, source...)
		if n := len(g.outputs); n < c.want-2 || n > c.want+2 {
			t.Errorf("%d a second, one in %d: %d outputs, want %d", c.fps, c.pace, n, c.want)
		}
		if n := int(g.total.Passed) + len(g.outputs); n != 90 {
			t.Errorf("%d pictures in all", n)
		}
	}
}

// Pictures that come at irregular times keep their times.
func TestVariableRate(t *testing.T) {
	source := clip(t, recipe{
		args: "-bf 0 -vsync vfr", frames: 40,
		filters: "setpts='(N*33+mod(N*N*7\\,29))/1000/TB'",
	})
	g := newRig(t, settings.Rendition{})
	g.Order(blurring(1, settings.Box))
	g.push(1, source...)
	if len(g.outputs) != pictures(source) {
		t.Fatalf("%d outputs of %d", len(g.outputs), pictures(source))
	}
	for i, o := range g.outputs {
		if o.Unit.PTS() != source[i+1].PTS() {
			t.Errorf("PTS %v, want %v", o.Unit.PTS(), source[i+1].PTS())
		}
	}
}
