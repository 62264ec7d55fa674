package main

import (
	"math"
	"testing"

	"github.com/headwater-live/headwater/codec/aac"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

func TestMark(t *testing.T) {
	const marker = 0x8182838485868788
	b := make([]byte, markSize)
	want := mark{at: 123456789012345, seq: 77}
	want.put(b, marker)
	if got, ok := readMark(b, marker); !ok || got != want {
		t.Errorf("%+v, %v, want %+v", got, ok, want)
	}
	if _, ok := readMark(b, marker+1); ok {
		t.Error("a mark of another broadcast was taken")
	}
	if _, ok := readMark(b[:markSize-1], marker); ok {
		t.Error("a short mark was taken")
	}
}

// TestStream checks ten minutes of a broadcast: rate, order, keyframes, that bodies are what they
// claim to be, and that each mark is where viewers look for it.
func TestStream(t *testing.T) {
	const bitrate, seconds, marker = 2_000_000, 600, 1 << 63
	s := newStream(bitrate, marker)
	var bytes, keys, keyBytes, pictures, pictureBytes, due int64
	for due < seconds*1e9 {
		u := s.next()
		if u.due < due {
			t.Fatalf("a unit at %d after one at %d", u.due, due)
		}
		due = u.due
		bytes += int64(len(u.body))
		s.stamp(u, due)
		at, seq := audioMark, s.audioSeq
		if u.typ == rtmp.TypeVideo {
			at, seq = videoMark, s.videoSeq
		}
		if k, ok := readMark(u.body[at:], marker); !ok || k != (mark{due, seq}) {
			t.Fatalf("mark %+v, %v, want %+v", k, ok, mark{due, seq})
		}
		if u.typ != rtmp.TypeVideo {
			continue
		}
		info, err := flv.Parse(media.Video, u.body)
		if err != nil {
			t.Fatal(err)
		}
		key := info.Role == media.Keyframe
		if key != avc.HasIDR(u.body[info.Payload:], 4) {
			t.Fatal("keyframe in FLV or in H.264 only")
		}
		if key {
			keys++
			keyBytes += int64(len(u.body))
		} else {
			pictures++
			pictureBytes += int64(len(u.body))
		}
	}
	if rate := float64(bytes) * 8 / seconds; math.Abs(rate/bitrate-1) > 0.02 {
		t.Errorf("%.0f bit/s, want %d", rate, bitrate)
	}
	if keys != seconds/2+1 {
		t.Errorf("%d keyframes in %d s", keys, seconds)
	}
	ratio := float64(keyBytes) / float64(keys) / (float64(pictureBytes) / float64(pictures))
	if math.Abs(ratio/keyWeight-1) > 0.1 {
		t.Errorf("a keyframe is %.1f pictures, want %d", ratio, keyWeight)
	}
}

func TestHeaders(t *testing.T) {
	h := newStream(2_000_000, 1).headers(2_000_000)
	if _, err := rtmp.ParseMetadata(h[0].body); err != nil {
		t.Error(err)
	}
	if _, err := avc.ParseConfig(h[1].body[videoHeader:]); err != nil {
		t.Error(err)
	}
	if _, err := aac.ParseConfig(h[2].body[2:]); err != nil {
		t.Error(err)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if s := h.spread(); s != (spread{}) {
		t.Errorf("empty: %+v", s)
	}
	for us := int64(1); us <= 100_000; us++ {
		h.add(us * 1000)
	}
	for _, c := range []struct{ q, want float64 }{
		{0.5, 50_000}, {0.99, 99_000}, {0.001, 100}, {1, 100_000},
	} {
		if got := float64(h.quantile(c.q)); math.Abs(got/c.want-1) > 0.016 {
			t.Errorf("quantile %g is %g, want %g", c.q, got, c.want)
		}
	}
	h.add(-5)
	h.add(math.MaxInt64)
	if h.n != 100_002 || h.max != math.MaxInt64/1000 {
		t.Errorf("%d values up to %d", h.n, h.max)
	}
	for _, v := range []uint64{0, 1, 63, 64, 127, 128, 129, 1 << 20, 1<<62 - 1} {
		i := bucketOf(v)
		if bucketTop(i) < v || i > 0 && bucketTop(i-1) >= v {
			t.Errorf("%d is not in bucket %d, (%d, %d]", v, i, bucketTop(i-1), bucketTop(i))
		}
	}
}

func TestParseMachine(t *testing.T) {
	got, err := parseMachine("cpu  100 10 200 5000 70 1 2 300 9 9\ncpu0 1 2 3\n")
	if err != nil || got != 6.13 {
		t.Errorf("%v, %v, want 6.13", got, err)
	}
	if _, err := parseMachine("intr 1"); err == nil {
		t.Error("no error without a first line")
	}
}

func TestCell(t *testing.T) {
	c := column[float64]{"", 1, func(v *float64) float64 { return *v }}
	for want, runs := range map[string][]float64{
		"1.5": {1.5}, "2.0 (1.0)": {3, 1, 2}, "2.5 (1.0)": {1, 2, 3, 4}, "4.0": {4, 4},
	} {
		if got := c.cell(runs); got != want {
			t.Errorf("%v: %q, want %q", runs, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"-merge", "0,50ms,adaptive", "-servers", "bare,nginx-rtmp"})
	if err != nil {
		t.Fatal(err)
	}
	got := contenders(o, protocolRTMP)
	want := []contender{{serverBare, "0s"}, {serverBare, "50ms"}, {serverNginx, ""}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("contenders %v, want %v", got, want)
	}
	if got := contenders(o, protocolFLV); len(got) != 2 {
		t.Errorf("contenders %v, want no nginx-rtmp for FLV", got)
	}
	for _, args := range [][]string{
		{"-servers", "apache"},
		{"-protocol", "hls"},
		{"-viewers", "0"},
		{"-viewers", "x"},
		{"-merge", "1"},
		{"-bitrate", "5"},
		{"-runs", "0"},
		{"-broadcasts", "0"},
		{"extra"},
		{"-crowd", "100000"},
		{"-joins", "-1"},
	} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
