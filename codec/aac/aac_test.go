package aac

import "testing"

// configs: the first four are ffmpeg's.
var configs = []struct {
	name string
	asc  string
	want Config
}{
	{"44100 stereo", "\x12\x10\x56\xe5\x00", Config{LC, 44100, 2, 1024}},
	{"48000 mono", "\x11\x88\x56\xe5\x00", Config{LC, 48000, 1, 1024}},
	{"8000 mono", "\x15\x88\x56\xe5\x00", Config{LC, 8000, 1, 1024}},
	{"48000 5.1", "\x11\xb0\x56\xe5\x00", Config{LC, 48000, 6, 1024}},
	{"7.1", "\x11\xb8", Config{LC, 48000, 8, 1024}},
	{"channels in the bitstream", "\x11\x80", Config{LC, 48000, 0, 1024}},
	{"960 samples", "\x11\x94", Config{LC, 48000, 2, 960}},
	{"explicit rate", "\x17\x80\x3e\x80\x10", Config{LC, 32000, 2, 1024}},
	{"HE-AAC 24000 to 48000", "\x2b\x11\x88\x00", Config{SBR, 48000, 2, 2048}},
	{"HE-AAC, same rate", "\x29\x91\x88\x00", Config{SBR, 48000, 2, 1024}},
	{"HE-AAC v2, mono to stereo", "\xeb\x09\x88\x00", Config{PS, 48000, 2, 2048}},
}

func TestParseConfig(t *testing.T) {
	for _, c := range configs {
		got, err := ParseConfig([]byte(c.asc))
		if got != c.want || err != nil {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	for name, asc := range map[string]string{
		"empty":             "",
		"cut":               "\x12",
		"main profile":      "\x0a\x10",
		"reserved rate":     "\x16\x90",
		"reserved channels": "\x11\xc0",
		"rate of 0":         "\x17\x80\x00\x00\x10",
		"rate too high":     "\x17\xff\xff\xff\x90",
		"SBR to a third":    "\x2b\x12\x08\x00",
	} {
		if got, err := ParseConfig([]byte(asc)); err == nil || got != (Config{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzAACConfig(f *testing.F) {
	for _, c := range configs {
		f.Add([]byte(c.asc))
	}
	f.Fuzz(func(t *testing.T, asc []byte) {
		c, err := ParseConfig(asc)
		if err != nil {
			return
		}
		if c.SampleRate < 1 || c.SampleRate > maxSampleRate || c.Channels < 0 || c.Channels > 8 {
			t.Fatalf("%+v", c)
		}
		switch c.SamplesPerFrame {
		case 960, 1024, 1920, 2048:
		default:
			t.Fatalf("%+v", c)
		}
	})
}
