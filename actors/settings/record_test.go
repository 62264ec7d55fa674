package settings

import (
	"strings"
	"testing"
)

// whole is a record with all that one can have.
func whole(t testing.TB) *record {
	r := &record{base: 1}
	for id, c := range map[string]Change{
		"a": SetBlur{Blur{Mode: Solid, Rects: []Rect{{0.1, 0.2, 0.3, 0.4}, {W: 1, H: 1}}}},
		"b": SetPolicy{true}, "c": SetMute{true}, "<d>": SetMute{false},
		"e": SetRenditions{[]Rendition{{Name: "480p", Height: 480, Bitrate: 800_000, FPS: 30}}},
	} {
		if err := r.apply(pendingChange{id: id, change: c}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestRecordsAreReadAsWritten(t *testing.T) {
	r := whole(t)
	for _, pending := range []bool{true, false} {
		text := r.encode(pending)
		back, err := decode(text)
		if err != nil || string(back.encode(pending)) != string(text) {
			t.Errorf("%s: %v", text, err)
		}
		if want := len(r.pending); pending && (len(back.pending) != want || back.base != 1) {
			t.Errorf("%d are pending, want %d", len(back.pending), want)
		}
	}
}

// What is not understood is not half understood.
func TestWrongRecordsAreRefused(t *testing.T) {
	const rects = `{"format":1,"version":1,"blur":{"mode":"box","rects":[{"x":0,"y":0,"w":1,"h":1}]}}`
	if _, err := decode([]byte(rects)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{"", "unexpected end"},
		{"[]", "cannot unmarshal"},
		{`{"format":2,"version":1,"blurs":[]}`, "format 2: this node knows 1"},
		{strings.Replace(rects, `"version":1`, `"version":0`, 1), "version 0"},
		{strings.Replace(rects, `"version":1`, `"version":9223372036854775808`, 1), "version 92"},
		{strings.Replace(rects, "box", "fog", 1), `mode "fog"`},
		{strings.Replace(rects, `"w":1`, `"w":2`, 1), "is 2 by 1"},
		{strings.Replace(rects, `"x"`, `"left"`, 1), `unknown field "left"`},
		{rects + "{}", "after top-level value"},
		{`{"format":1,"version":1,"base":2}`, "version 1"},
		{`{"format":1,"version":1,"done":[""]}`, "id of 0 bytes"},
		{`{"format":1,"version":1,"pending":[{"id":"a"}]}`, "of 0 changes"},
		{`{"format":1,"version":1,"pending":[{"id":"a","mute":true,"always":true}]}`, "of 2 changes"},
		{`{"format":1,"version":1,"pending":[{"id":"a","blur":{"mode":"fog"}}]}`, `mode "fog"`},
		{`{"format":1,"version":1,"pending":[{"id":"a","mute":true,"earlier":[""]}]}`, "replaced 1"},
		{`{"format":1,"version":1,"renditions":[{"name":"A"}]}`, `rendition "A"`},
		{strings.Repeat(" ", MaxRecord+1), "at most"},
	} {
		if _, err := decode([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %v, want %s", c.text, err, c.want)
		}
	}
}

// The largest record that commands make can be read.
func TestLargestRecord(t *testing.T) {
	r := &record{}
	rect := Rect{0.123456789012345678, 0.123456789012345678, 0.5123456789012345, 0.5123456789012345}
	blur := SetBlur{}
	for range MaxRects {
		blur.Blur.Rects = append(blur.Blur.Rects, rect)
	}
	for i := range 2 * maxDone {
		id := strings.Repeat("\x01", maxID-2) + string(rune('A'+i%26)) + string(rune('A'+i/26))
		if err := r.apply(pendingChange{id: id, change: blur}); err != nil {
			t.Fatal(err)
		}
	}
	text := r.encode(true)
	if _, err := decode(text); err != nil || len(r.done) != maxDone {
		t.Errorf("%d bytes, %d done: %v", len(text), len(r.done), err)
	}
}

// FuzzDecode holds that what is read can be written and read again, and gone on from.
func FuzzDecode(f *testing.F) {
	f.Add(whole(f).encode(true))
	f.Add(whole(f).encode(false))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode(text)
		if err != nil {
			return
		}
		again, err := decode(r.encode(true))
		if err != nil || !again.same(r) {
			t.Fatalf("%s: %v", r.encode(true), err)
		}
		if err := r.apply(pendingChange{id: "next", change: SetMute{true}}); err != nil {
			t.Fatal(err)
		}
		if _, err := decode(r.encode(true)); err != nil {
			t.Fatal(err)
		}
	})
}
