//go:build cgo

package av

import (
	"math"
	"testing"

	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/media"
)

// frames decodes a clip and returns its first n frames, for the caller to release.
func frames(t testing.TB, c *clip, n int) []*Frame {
	t.Helper()
	record, pictures := c.video()
	d, err := NewDecoder(record, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var out []*Frame
	emit := func(f *Frame) error {
		if len(out) < n {
			out = append(out, f)
		} else {
			f.Release()
		}
		return nil
	}
	for _, u := range pictures {
		if err := d.Decode(u.data, u.pts, u.dts, emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Flush(emit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range out {
			f.Release()
		}
	})
	return out
}

// psnr is the PSNR of the luma planes, in dB.
func psnr(a, b *Frame) float64 {
	width, height := a.Size()
	p, ps := a.Plane(0)
	q, qs := b.Plane(0)
	sum := 0
	for y := range height {
		for x := range width {
			d := int(p[y*ps+x]) - int(q[y*qs+x])
			sum += d * d
		}
	}
	if sum == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255*float64(width*height)/float64(sum))
}

func TestEncodeDecodesAgain(t *testing.T) {
	src := frames(t, makeClip(t, "-i "+real+" -c copy"), 60)
	width, height := src[0].Size()
	e, err := NewEncoder(EncoderOptions{Width: width, Height: height, FPS: 30, Bitrate: 2_500_000})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	config, err := avc.ParseConfig(e.Record())
	if err != nil {
		t.Fatal(err)
	}
	rate := 30.
	if EncoderLibrary == "libopenh264" { // which does not write it
		rate = 0
	}
	if w, h, fps, err := config.Size(); w != width || h != height || fps != rate || err != nil {
		t.Errorf("record of %dx%d at %g, %v", w, h, fps, err)
	}
	d, err := NewDecoder(e.Record(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	worst := math.Inf(1)
	for i, f := range src {
		pts := media.Time(i)*33*media.Millisecond + 5
		asked := i == 7 || i == 31
		p, err := e.Encode(f, pts, asked)
		if err != nil {
			t.Fatal(err)
		}
		idr := i == 0 || asked
		if p.PTS != pts || p.IDR != idr || avc.HasIDR(p.Data, 4) != idr {
			t.Errorf("frame %d: PTS %d, IDR %v, want %d, %v", i, p.PTS, p.IDR, pts, idr)
		}
		if idr {
			sameSets(t, p.Data, &config)
		}
		n := 0
		err = d.Decode(p.Data, p.PTS, p.PTS, func(g *Frame) error {
			defer g.Release()
			n++
			if g.PTS() != pts {
				t.Errorf("decoded PTS %d, want %d", g.PTS(), pts)
			}
			worst = min(worst, psnr(f, g))
			return nil
		})
		if err != nil || n != 1 {
			t.Fatalf("frame %d: %d decoded, %v", i, n, err)
		}
	}
	t.Logf("worst PSNR-Y %.1f dB", worst)
	if worst < 36 {
		t.Errorf("PSNR-Y %.1f dB, want 36", worst)
	}
}

// sameSets wants the record's parameter sets in front of an IDR picture.
func sameSets(t testing.TB, unit []byte, config *avc.Config) {
	t.Helper()
	c := avc.NALUs(unit, 4)
	var got []string
	for len(got) < 2 && c.Next() {
		got = append(got, string(c.NALU()))
	}
	if len(got) != 2 || got[0] != string(config.SPS[0]) || got[1] != string(config.PPS[0]) {
		t.Errorf("an IDR picture does not begin with the record's parameter sets")
	}
}
