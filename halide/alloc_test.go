package halide

import (
	"bytes"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/headwater-live/headwater/halide/internal/kernels"
)

func TestNoAllocations(t *testing.T) {
	if !kernels.Native {
		return // the plain versions have row buffers
	}
	r := random(40)
	src, dst, small := frame(r, 720, 480, 0), frame(r, 720, 480, 0), frame(r, 480, 320, 0)
	scaler, err := NewScaler(720, 480, 480, 320)
	must(t, err)
	k, err := NewKWeighted(48000)
	must(t, err)
	pic := src.Y.Crop(0, 0, 96, 18)
	tmpl, err := NewTemplate(&pic, nil)
	must(t, err)
	regions := make([]Region, len(effects))
	for i := range regions {
		regions[i] = effects[i]
		regions[i].Rect = Rect{X: 7 * i, Y: 11 * i, W: 300, H: 100}
	}
	pcm, f := samples(r, 2048)
	thumb, places := NewPlane(90, 60), make([]float32, 24)
	rows, columns := make([]uint32, 480), make([]uint32, 720)
	for name, call := range map[string]func() error{
		"LevelS16":  func() error { _, err := LevelS16(Interleaved(pcm)); return err },
		"LevelF32":  func() error { _, err := LevelF32(Interleaved(f)); return err },
		"KWeighted": func() error { _, err := k.F32(Interleaved(f)); return err },
		"Blur":      func() error { return BlurRegions(&dst, &src, regions, true) },
		"Scale":     func() error { return scaler.Scale(&small, &src) },
		"Thumbnail": func() error { return Thumbnail(&thumb, &src.Y, 8) },
		"Strip":     func() error { return Strip(&thumb, &src.Y, 0, 480, 8) },
		"Diff":      func() error { _, err := Diff(&src.Y, &dst.Y, rows, columns); return err },
		"Edges":     func() error { return Edges(&src.Y, rows, columns) },
		"Psnr":      func() error { _, _, err := Psnr(&src, &dst); return err },
		"Match":     func() error { _, err := tmpl.Match(places, &src.Y, 0, 0, 4, 6); return err },
	} {
		if n := testing.AllocsPerRun(20, func() {
			if err := call(); err != nil {
				panic(err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// Many callers at once get the right pixels and errors, and do not each get a thread.
func TestConcurrentCalls(t *testing.T) {
	r := random(41)
	src := frame(r, 720, 480, 0)
	want := NewFrame(720, 480)
	regions := []Region{{Rect: Rect{X: 100, Y: 50, W: 500, H: 300}, Effect: Box, Size: 16}}
	plainBlur(&want, &src, regions, true)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			dst := NewFrame(720, 480)
			for range 3 {
				if err := BlurRegions(&dst, &src, regions, true); err != nil {
					t.Error(err)
				}
				if BlurRegions(&dst, &dst, regions, true) == nil {
					t.Error("in place is not refused")
				}
			}
			if !bytes.Equal(dst.Y.Pix, want.Y.Pix) || !bytes.Equal(dst.V.Pix, want.V.Pix) {
				t.Error("pixels differ")
			}
		})
	}
	wg.Wait()
	tasks, err := os.ReadDir("/proc/self/task")
	must(t, err)
	if limit := 2*runtime.GOMAXPROCS(0) + 16; len(tasks) > limit {
		t.Errorf("%d threads, want at most %d", len(tasks), limit)
	}
}
