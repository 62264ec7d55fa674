package avc

import (
	"errors"
	"testing"
)

func TestPicture(t *testing.T) {
	want := map[string]Picture{
		"baseline":   {320, 240, 320, 240, 1, 8},
		"high":       {1920, 1080, 1920, 1088, 1, 8},
		"portrait":   {720, 1280, 720, 1280, 1, 8},
		"4:2:2":      {640, 360, 640, 368, 2, 8},
		"4:4:4":      {64, 66, 64, 80, 3, 8},
		"monochrome": {322, 242, 336, 256, 0, 8},
		"interlaced": {320, 244, 320, 256, 1, 8},
	}
	for _, r := range records {
		expected, ok := want[r.name]
		if !ok {
			continue
		}
		c, err := ParseConfig(unhex(t, r.record))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParsePicture(c.SPS[0]); err != nil || got != expected {
			t.Errorf("%s: got %+v, %v, want %+v", r.name, got, err, expected)
		}
	}
	if _, err := ParsePicture([]byte{0x67, 100}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a short SPS: %v", err)
	}
}
