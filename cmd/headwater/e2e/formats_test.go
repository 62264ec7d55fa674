package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/media"
)

// format is what a publisher may send, and what becomes of it where a blur is commanded.
type format struct {
	units  func(t *testing.T) []unit
	marker *marker // nil where there is none to be read
	state  string  // of the answer to a blur; "" where it may be either
	note   string  // that it has in it
}

// variant is the small shot with other flags.
func variant(after string, flags ...string) func(t *testing.T) []unit {
	s := &shot{
		marker: small.marker, width: small.width, height: small.height, input: small.input,
		length: small.length, after: after, flags: slices.Concat(small.flags, flags),
	}
	return func(t *testing.T) []unit { return s.long(t, 60) }
}

// only leaves one kind of units.
func only(kind media.Kind) func(t *testing.T) []unit {
	return func(t *testing.T) []unit {
		return slices.DeleteFunc(small.long(t, 60), func(u unit) bool { return u.kind != kind })
	}
}

// formats are all that is not the usual.
func formats() map[string]format {
	m := small.marker
	return map[string]format{
		"variable frame rate": {
			variant(`,select=lt(mod(n\,7)\,4)`, "-fps_mode", "vfr"), m, "live", "",
		},
		"b-frames":   {variant("", "-bf", "3", "-preset", "veryfast"), m, "live", ""},
		"open gop":   {variant("", "-bf", "2", "-x264-params", "open-gop=1"), m, "live", ""},
		"full range": {variant("", "-color_range", "pc"), m, "live", ""},
		"2x2": {
			variant(",scale=16:16", "-bsf:v", "h264_metadata=crop_right=14:crop_bottom=14"),
			nil, "live", "",
		},
		"34x90":      {variant(",scale=34:90"), nil, "live", ""},
		"10 bits":    {variant("", "-pix_fmt", "yuv420p10le"), nil, "withheld", "10"},
		"4:2:2":      {variant("", "-pix_fmt", "yuv422p"), nil, "withheld", "4:2:2"},
		"odd 4:4:4":  {variant(",scale=201:151", "-pix_fmt", "yuv444p"), nil, "withheld", "4:4:4"},
		"hevc":       {longEnhanced("hvc1"), nil, "withheld", "hvc1"},
		"av1":        {longEnhanced("av01"), nil, "withheld", "av01"},
		"audio only": {only(media.Audio), nil, "live", ""},
		"video only": {only(media.Video), m, "live", ""},
		"absurd sps": {absurd, nil, "withheld", "1048576x1048576"},
		"wrong sps":  {wrong, nil, "", ""},
		"large":      {variant(",scale=1000:40"), nil, "withheld", "1000x40"},
	}
}

// longEnhanced repeats what no decoder of ours reads.
func longEnhanced(codec string) func(*testing.T) []unit {
	return func(*testing.T) []unit {
		once := enhanced(codec)
		out := slices.Clone(once)
		for shift := int64(2000); shift < 60_000; shift += 2000 {
			for _, u := range once[2:] {
				u.ms += shift
				out = append(out, u)
			}
		}
		return out
	}
}

// absurd is a stream whose header announces pictures of a million pixels a side.
func absurd(t *testing.T) []unit {
	units := slices.Clone(small.long(t, 60))
	for i, u := range units {
		if !videoHeader(u) {
			continue
		}
		info, err := u.info()
		if err != nil {
			t.Fatal(err)
		}
		config, err := avc.ParseConfig(u.body[info.Payload:])
		if err != nil {
			t.Fatal(err)
		}
		sps := absurdSPS()
		record := append([]byte{1, sps[1], sps[2], sps[3], 0xff, 0xe1, 0, byte(len(sps))}, sps...)
		record = append(record, 1, 0, byte(len(config.PPS[0])))
		record = append(record, config.PPS[0]...)
		units[i].body = append(slices.Clone(u.body[:info.Payload]), record...)
	}
	return units
}

// wrong is a stream whose header is of pictures of another size.
func wrong(t *testing.T) []unit {
	units := slices.Clone(small.long(t, 60))
	other := turned(480, 270, "480x270").units(t)
	at := slices.IndexFunc(units, videoHeader)
	units[at].body = other[slices.IndexFunc(other, videoHeader)].body
	return units
}

// absurdSPS is a baseline SPS (H.264, 7.3.2.1.1) of 65536 by 65536 macroblocks.
func absurdSPS() []byte {
	var bits string
	ue := func(n int) { // 9.1
		code := fmt.Sprintf("%b", n+1)
		bits += strings.Repeat("0", len(code)-1) + code
	}
	for _, n := range []int{0, 0, 2, 1} { // id, log2_max_frame_num, pic_order_cnt_type, refs
		ue(n)
	}
	bits += "0" // no gaps
	ue(65535)
	ue(65535)
	bits += "1100" + "1" // frames only, direct 8x8, no cropping, no VUI; the end
	bits += strings.Repeat("0", (8-len(bits)%8)%8)
	sps := []byte{0x67, 66, 0, 40}
	for zeros := 0; bits != ""; bits = bits[8:] {
		var b byte
		for _, c := range bits[:8] {
			b = b<<1 | byte(c-'0')
		}
		if zeros == 2 && b <= 3 { // 7.4.1: no start code within
			sps, zeros = append(sps, 3), 0
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		sps = append(sps, b)
	}
	return sps
}

// TestFormats has a blur commanded of whatever a publisher may send. What cannot be decoded is
// withheld, with a note that says why, and sound goes on; with the blur off it passes untouched. A
// node takes all of it and goes on.
func TestFormats(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--processing.max-side", "640")
	t.Run("all", func(t *testing.T) {
		for name, f := range formats() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f.check(t, n, strings.NewReplacer(" ", "", ":", "").Replace(name))
			})
		}
	})
	healthy := watchBoth(t, n, "healthy")
	publish(t, n, "healthy").feed(t, small.units(t))
	awaitPTS(t, healthy, 500)
}

func (f *format) check(t *testing.T, n *node, key string) {
	t.Helper()
	sent := f.units(t)
	own := ownOf(sent)
	pictures := count(sent, func(u unit) bool { return u.kind == media.Video }) > 0
	viewers := watchBoth(t, n, key)
	publish(t, n, key).feed(t, sent)
	for _, v := range viewers {
		v.awaitUnits(t, 40)
	}
	on := n.blur(t, key, "box", small.marker.rect)
	t.Logf("on: %v", on)
	wrong := on.State != f.state || !strings.Contains(on.Note, f.note) || f.note == "" && on.Note != ""
	if wrong && (f.state != "" || on.State == "stored") {
		t.Errorf("blurred: %v, want it %s with %q", on, f.state, f.note)
	}
	for _, v := range viewers {
		await(t, v.name+" goes on", func() bool {
			v.mustWatch(t)
			got := v.got()
			return got[len(got)-1].ms > on.PTS+700
		})
	}
	off := n.blur(t, key, "").mustState(t, "live")
	t.Logf("off: %v", off)
	for _, v := range viewers {
		await(t, v.name+" sees the publisher's own again", func() bool {
			v.mustWatch(t)
			got := v.got()
			return !pictures || latestPTS(got) > off.PTS && count(got[len(got)-6:], own) > 0
		})
		v.leave(t)
		f.judge(t, v, own, on.PTS, off.PTS)
	}
}

// judge holds what a viewer received to what was commanded from one PTS to another.
func (f *format) judge(t *testing.T, v *viewer, own func(unit) bool, from, to int64) {
	t.Helper()
	got := v.got()
	checkRising(t, v.name, got)
	before, within, leaks := 0, 0, 0
	for _, u := range got {
		pts := latestPTS([]unit{u})
		switch {
		case u.kind != media.Video || u.header():
		case pts < from:
			before++
			if !own(u) {
				t.Errorf("%s: the picture at %d ms is changed before there is a blur", v.name, pts)
			}
		case pts < to:
			within++
			if own(u) {
				leaks++
			}
		}
	}
	t.Logf("%s: %d pictures before, %d blurred", v.name, before, within)
	if leaks > 0 || f.state == "withheld" && within > 0 {
		t.Errorf("%s: %d pictures while it is blurred, %d of them the publisher's own",
			v.name, within, leaks)
	}
	if f.marker == nil {
		return
	}
	if within < 5 {
		t.Errorf("%s: only %d pictures are blurred", v.name, within)
	}
	all := f.marker.read(t, v.name, got)
	checkDecodes(t, v.name, got)
	if _, greatest := extremes(between(all, from, to)); greatest > unreadable {
		t.Errorf("%s: contrast %.1f while it is blurred", v.name, greatest)
	}
}
