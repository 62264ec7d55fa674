package avc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// records are what libx264 made for streams of known size.
var records = []struct {
	name          string
	record        string
	profile       uint8
	width, height int
	fps           float64
}{
	{
		"baseline", "0142c00dffe100186742c00dd90141fb0110000003001000000303c0f142a48001000568cb83cb20",
		66, 320, 240, 30,
	},
	{
		"main", "014d4020ffe10019674d4020eca02802dd8088000003000800000303c078c18cb001000568ebe3cb20",
		77, 1280, 720, 60,
	},
	{"high", "01640028ffe1001967640028acd940780227e5c04400000fa40003a9803c60c65801000668ebe3cb22c0" +
		"fdf8f800", 100, 1920, 1080, 30000. / 1001},
	{"portrait", "0164001fffe1001a6764001facd940b40a1b0110000003001000000303c0f183196001000668ebe3" +
		"cb22c0fdf8f800", 100, 720, 1280, 30},
	{"4:2:2", "017a001effe1001a677a001ebcd940a02ff89c0440000003004000000c83c58b658001000668ebe3cb22" +
		"c0fef8f800", 122, 640, 360, 25},
	{"4:4:4", "01f4000affe1001967f4000a919b2885fc7e0220000003002000000641e244b2c001000668ebe3c44844" +
		"fff8f800", 244, 64, 66, 25},
	{"monochrome", "0164000dffe1001a6764000df36505421e3e3f016c800000030080000018078a14cb01000668ebe3" +
		"cb22c0fcf8f800", 100, 322, 242, 24},
	{"interlaced", "01640015ffe1001a67640015acd941410fc9808800000300080000030190f8a14cb001000668fba3" +
		"cb22c0fdf8f800", 100, 320, 244, 25},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConfig(t *testing.T) {
	for _, c := range records {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.record)
			got, err := ParseConfig(b)
			if err != nil {
				t.Fatal(err)
			}
			if got.Profile != c.profile || got.NALULengthSize != 4 || len(got.SPS) != 1 ||
				len(got.PPS) != 1 || Type(got.SPS[0]) != NALSPS || Type(got.PPS[0]) != NALPPS {
				t.Fatalf("config %+v", got)
			}
			w, h, fps, err := got.Size()
			if w != c.width || h != c.height || math.Abs(fps-c.fps) > 1e-9 || err != nil {
				t.Fatalf("size %dx%d at %v, %v; want %dx%d at %v",
					w, h, fps, err, c.width, c.height, c.fps)
			}
			again, err := got.Marshal()
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("marshal %x, %v, want %x", again, err, b)
			}
			made, err := NewConfig(got.SPS[0], got.PPS[0])
			if err != nil {
				t.Fatal(err)
			}
			if again, err = made.Marshal(); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("new config %x, %v, want %x", again, err, b)
			}
		})
	}
}

func TestConfigVariants(t *testing.T) {
	for name, s := range map[string]string{
		"two of each":    "014d4020ffe2 000267aa 000167 02 000268bb 000168",
		"no sets":        "014d4020ffe0 00",
		"length of two":  "014d4020fde0 00",
		"other trailing": "0164001fffe0 00 fdf8f801 0001 6d",
	} {
		b := unhex(t, string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
		c, err := ParseConfig(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again, err := c.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: marshal %x, %v, want %x", name, again, err, b)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for name, s := range map[string]string{
		"empty":               "",
		"short":               "014d4020ff",
		"version":             "004d4020ffe000",
		"length of three":     "014d4020fee000",
		"no count of PPS":     "014d4020ffe0",
		"SPS count lies":      "014d4020ffff0000",
		"SPS longer than all": "014d4020ffe1000567aabb",
		"empty SPS":           "014d4020ffe1000001000168",
		"cut length":          "014d4020ffe2000267aa00",
		"PPS cut":             "014d4020ffe0010002",
	} {
		if c, err := ParseConfig(unhex(t, s)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for name, c := range map[string]Config{
		"length of zero": {},
		"32 SPS":         {NALULengthSize: 4, SPS: make([][]byte, 32)},
		"empty PPS":      {NALULengthSize: 4, PPS: [][]byte{{}}},
		"long SPS":       {NALULengthSize: 4, SPS: [][]byte{make([]byte, 1<<16)}},
	} {
		if _, err := c.Marshal(); !errors.Is(err, ErrInvalid) {
			t.Errorf("marshal, %s: %v", name, err)
		}
	}
	for name, c := range map[string]Config{
		"no SPS":    {},
		"not a SPS": {SPS: [][]byte{{0x68, 1, 2, 3, 4, 5}}},
		"cut SPS":   {SPS: [][]byte{{0x67, 0x4d, 0x40, 0x20, 0x80}}},
	} {
		if _, _, _, err := c.Size(); !errors.Is(err, ErrInvalid) {
			t.Errorf("size, %s: %v", name, err)
		}
	}
	if _, err := NewConfig([]byte{0x67}, []byte{0x68}); !errors.Is(err, ErrInvalid) {
		t.Errorf("new config of a cut SPS: %v", err)
	}
	sps := unhex(t, "674d4020eca02802dd8088000003000800000303c078c18cb0")
	if _, err := NewConfig(sps, sps); !errors.Is(err, ErrInvalid) {
		t.Errorf("new config with a SPS for a PPS: %v", err)
	}
}

func TestSizeBounds(t *testing.T) {
	whole := h264.SPS{FrameMbsOnlyFlag: true, ChromaFormatIdc: 1}
	wide, cropped, wraps := whole, whole, whole
	wide.PicWidthInMbsMinus1 = maxSide / 16
	cropped.FrameCropping = &h264.SPS_FrameCropping{LeftOffset: 8}
	wraps.PicHeightInMapUnitsMinus1 = math.MaxUint32
	for name, s := range map[string]h264.SPS{"wide": wide, "cropped": cropped, "wraps": wraps} {
		if w, h, err := size(&s); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %dx%d, %v", name, w, h, err)
		}
	}
	if w, h, err := size(&whole); w != 16 || h != 16 || err != nil {
		t.Errorf("%dx%d, %v, want 16x16", w, h, err)
	}
}

func FuzzAVCConfig(f *testing.F) {
	for _, c := range records {
		f.Add(unhex(f, c.record))
	}
	f.Add(unhex(f, "014d4020ffe2000267aa00016702000268bb000168"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Bytes that the fuzzer did not wrap in a record reach the SPS parser too.
		bare := Config{SPS: [][]byte{b}}
		checkSize(t, &bare)

		c, err := ParseConfig(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		checkSize(t, &c)
		out, err := c.Marshal()
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		// The reserved bits are set in what we write.
		want := bytes.Clone(b)
		want[4] |= 0xfc
		want[5] |= 0xe0
		if !bytes.Equal(out, want) {
			t.Fatalf("marshal %x, want %x", out, want)
		}
	})
}

func checkSize(t *testing.T, c *Config) {
	t.Helper()
	w, h, fps, err := c.Size()
	if err != nil {
		return
	}
	if w < 1 || w > maxSide || h < 1 || h > maxSide || !(fps >= 0) || math.IsInf(fps, 0) {
		t.Fatalf("size %dx%d at %v", w, h, fps)
	}
}
