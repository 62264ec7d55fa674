package e2e

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/media"
)

// modes are those of a blur.
var modes = []string{"box", "gaussian", "pixelate", "solid"}

// TestBlur has real streams blurred and not, in every mode, while viewers watch by either protocol.
// What a viewer received is one stream that plays to the end; from the PTS of each answer on it
// shows what was commanded, and outside the region it is the publisher's picture.
func TestBlur(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*shot{"landscape": &landscape, "portrait": &portrait} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			s.get(t)
			viewers := watchBoth(t, n, "show")
			s.publish(t, n.rtmpURL("show"))
			checkBlurred(t, s, viewers, s.units(t), commandAll(t, n, s.marker.rect, viewers))
		})
	}
	t.Run("encoded live", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		dir := t.TempDir()
		sent := filepath.Join(dir, "sent.flv")
		viewers := watchBoth(t, n, "show")
		args := append(moving.encode(t, dir, true, "60"), "-f", "tee", "-flags", "+global_header",
			"[f=flv:flvflags=no_duration_filesize]"+n.rtmpURL("show")+"|[f=flv]"+sent)
		p := start(t, "ffmpeg", args...)
		steps := commandAll(t, n, wide, viewers)
		p.kill(t)
		checkBlurred(t, &moving, viewers, readFile(t, sent), steps)
	})
}

// step is a command that was carried out: what is shown from a PTS on.
type step struct {
	mode string // "" where nothing is blurred
	from int64
}

// commandAll has a region blurred in every mode, one after the other, and nothing in between and at
// the end. Every second command is given by HTTP, the others by headwater blur.
func commandAll(t *testing.T, n *node, r rect, viewers []*viewer) []step {
	t.Helper()
	steps := []step{{}}
	awaitPTS(t, viewers, 1000)
	for i, mode := range []string{"box", "", "gaussian", "pixelate", "solid", ""} {
		command, rects := n.blur, []rect{r}
		if i%2 == 0 {
			command = n.blurByCommand
		}
		if mode == "" {
			rects = nil
		}
		a := command(t, "show", mode, rects...).mustState(t, "live")
		t.Logf("%q: %v", mode, a)
		steps = append(steps, step{mode, a.PTS})
		awaitPTS(t, viewers, a.PTS+1500)
	}
	for _, v := range viewers {
		v.mustWatch(t)
	}
	return steps
}

// awaitPTS waits until each viewer has a picture of a PTS or later.
func awaitPTS(t *testing.T, viewers []*viewer, pts int64) {
	t.Helper()
	for _, v := range viewers {
		await(t, fmt.Sprintf("%s has a picture at %d ms", v.name, pts), func() bool {
			v.mustWatch(t)
			return latestPTS(v.got()) >= pts
		})
	}
}

// latestPTS is the greatest PTS of the latest pictures.
func latestPTS(units []unit) int64 {
	pts, seen := int64(-1), 0
	for i := len(units) - 1; i >= 0 && seen < 8; i-- {
		if u := units[i]; u.kind == media.Video && !u.header() {
			info, _ := u.info()
			pts, seen = max(pts, u.ms+info.CTS.Millis()), seen+1
		}
	}
	return pts
}

// checkBlurred holds what viewers received to what was commanded.
func checkBlurred(t *testing.T, s *shot, viewers []*viewer, sent []unit, steps []step) {
	t.Helper()
	for _, v := range viewers {
		v.leave(t)
		got := v.got()
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
		all := s.marker.read(t, v.name, got)
		for i, step := range steps {
			to := int64(math.MaxInt64)
			if i+1 < len(steps) {
				to = steps[i+1].from
			}
			checkStep(t, v.name, step, between(all, step.from, to))
		}
	}
	got := viewers[0].got()
	checkOutside(t, s, got, sent, steps)
	for i, step := range steps {
		if step.mode != "" || i == 0 {
			savePicture(t, fmt.Sprint(t.Name(), " ", i, " ", step.mode), got, step.from+700)
		}
	}
}

// checkStep holds the pictures that were shown under one command to it.
func checkStep(t *testing.T, name string, s step, shown []reading) {
	t.Helper()
	least, greatest := extremes(shown)
	t.Logf("%s: %q from %d ms on: %d pictures, contrast %.1f to %.1f",
		name, s.mode, s.from, len(shown), least, greatest)
	if len(shown) < 15 {
		t.Errorf("%s: only %d pictures from %d ms on", name, len(shown), s.from)
	}
	if s.mode == "" && least < 2*readable {
		t.Errorf("%s: the marker is not readable from %d ms on: %.1f", name, s.from, least)
	}
	if s.mode != "" && greatest > unreadable {
		for _, r := range shown {
			if r.contrast > unreadable {
				t.Errorf("%s: %s from %d ms on, but the marker is readable at %d ms: %.1f",
					name, s.mode, s.from, r.pts, r.contrast)
			}
		}
	}
}

// leastPSNR is that of the luma outside of the regions, of all pictures of a mode together.
const leastPSNR = 38

// checkOutside compares what was shown outside of the region with what was sent.
func checkOutside(t *testing.T, s *shot, got, sent []unit, steps []step) {
	t.Helper()
	offset, ok := offsetOf(got, sent)
	if !ok {
		t.Fatal("no picture that was shown is one that was sent: none before the first blur")
	}
	lumas := map[int64][]byte{}
	from, to := steps[1].from, latestPTS(got)
	mustDecode(t, sent, func(pts int64, f *av.Frame) {
		if pts += offset; pts >= from && pts <= to {
			lumas[pts] = lumaOf(f)
		}
	})
	errors := map[string]*squares{}
	mustDecode(t, got, func(pts int64, f *av.Frame) {
		mode := ""
		for _, step := range steps {
			if pts >= step.from {
				mode = step.mode
			}
		}
		if luma, ok := lumas[pts]; ok && mode != "" {
			if errors[mode] == nil {
				errors[mode] = &squares{least: math.Inf(1)}
			}
			errors[mode].add(s, lumaOf(f), luma)
		} else if pts >= from && mode != "" {
			t.Errorf("a picture at %d ms was never sent", pts)
		}
	})
	for _, mode := range modes {
		sum := errors[mode]
		if sum == nil {
			t.Errorf("%s: no picture", mode)
			continue
		}
		t.Logf("%s: PSNR-Y outside %.1f dB of %d pictures, the least %.1f dB",
			mode, sum.psnr(), sum.pictures, sum.least)
		if sum.psnr() < leastPSNR {
			t.Errorf("%s: PSNR-Y outside the region is %.1f dB", mode, sum.psnr())
		}
	}
}

// offsetOf is by how much pictures are later where they were received than where they were sent.
func offsetOf(got, sent []unit) (int64, bool) {
	for _, u := range got {
		if !u.picture() {
			continue
		}
		for _, s := range sent {
			if s.same(u) {
				return u.ms - s.ms, true
			}
		}
	}
	return 0, false
}

func mustDecode(t *testing.T, units []unit, each func(pts int64, f *av.Frame)) {
	t.Helper()
	if err := decodePictures(units, each); err != nil {
		t.Error(err)
	}
}

// lumaOf copies the luma of a picture, row by row without padding.
func lumaOf(f *av.Frame) []byte {
	width, height := f.Size()
	pix, stride := f.Plane(0)
	out := make([]byte, 0, width*height)
	for y := range height {
		out = append(out, pix[y*stride:y*stride+width]...)
	}
	return out
}

// squares sums the squared differences of pictures outside of their marker.
type squares struct {
	sum      float64
	n        float64
	pictures int
	least    float64 // PSNR of the worst picture
}

func (q *squares) add(s *shot, a, b []byte) {
	// What a command names is rounded outwards, to pairs of pixels as 4:2:0 has them.
	hidden := s.marker.rect.in(s.width, s.height).Inset(-2)
	sum, n := 0, 0
	for y := range s.height {
		row := y * s.width
		if y < hidden.Min.Y || y >= hidden.Max.Y {
			sum += squared(a[row:row+s.width], b[row:row+s.width])
			n += s.width
			continue
		}
		left, right, end := row+hidden.Min.X, row+hidden.Max.X, row+s.width
		sum += squared(a[row:left], b[row:left]) + squared(a[right:end], b[right:end])
		n += s.width - hidden.Dx()
	}
	q.least = min(q.least, psnr(float64(sum)/float64(n)))
	q.sum, q.n, q.pictures = q.sum+float64(sum), q.n+float64(n), q.pictures+1
}

// squared sums the squared differences.
func squared(a, b []byte) int {
	sum := 0
	for i, v := range a {
		d := int(v) - int(b[i])
		sum += d * d
	}
	return sum
}

func (q *squares) psnr() float64 { return psnr(q.sum / q.n) }

func psnr(mse float64) float64 { return 10 * math.Log10(255*255/max(mse, 1e-9)) }
