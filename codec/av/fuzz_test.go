//go:build cgo

package av

import "testing"

// FuzzDecode gives a decoder a header, units, another header and units again, all of them anything.
// Whatever comes out is within the limits and can be read.
func FuzzDecode(f *testing.F) {
	for _, encoder := range []string{
		"-preset ultrafast -g 2", "-preset medium -bf 2", "-flags +ildct",
	} {
		record, pictures := pattern(f, 64, 48, 4, encoder).video()
		f.Add(record, pictures[0].data, pictures[1].data, record, pictures[2].data)
		f.Add(record, pictures[0].data, pictures[0].data, record[:20], pictures[3].data)
	}
	f.Fuzz(func(t *testing.T, record, a, b, next, c []byte) {
		const side = 256
		before := live()
		d, err := NewDecoder(record, Limits{Width: side, Height: side})
		if err == nil {
			look := func(f *Frame) error {
				defer f.Release()
				if w, h := f.Size(); w > side || h > side {
					t.Errorf("%dx%d came out", w, h)
				}
				digest(f)
				return nil
			}
			_ = d.Decode(a, 0, 0, look)
			_ = d.Decode(b, 1, 1, look)
			_ = d.Configure(next)
			_ = d.Decode(c, 2, 2, look)
			_ = d.Flush(look)
			_ = d.Decode(a, 3, 3, look)
			d.Close()
		}
		if live() != before {
			t.Errorf("%v live, %v before", live(), before)
		}
	})
}

// FuzzAAC does the same with sound.
func FuzzAAC(f *testing.F) {
	for _, args := range []string{"-ac 2", "-ac 1 -ar 22050", "-ac 6"} {
		config, sound := makeClip(f, "-f lavfi -i sine=f=440:r=48000:d=0.2 -c:a aac "+args).sound()
		f.Add(config, sound[0].data, config, sound[1].data)
	}
	f.Add([]byte{0x2b, 0x11, 0x88, 0}, []byte{0x21, 0x10, 0x05}, []byte{0x12, 0x10}, []byte{0x21})
	f.Fuzz(func(t *testing.T, config, a, next, b []byte) {
		before := live()
		d, err := NewAACDecoder(config)
		if err == nil {
			sum := float32(0)
			listen := func(s Samples) error {
				for _, p := range s.Planes {
					for _, v := range p {
						sum += v
					}
				}
				return nil
			}
			_ = d.Decode(a, listen)
			_ = d.Configure(next)
			_ = d.Decode(b, listen)
			_ = d.Decode(a, listen)
			d.Close()
		}
		if live() != before {
			t.Errorf("%v live, %v before", live(), before)
		}
	})
}
