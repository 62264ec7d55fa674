package e2e

import (
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// square is a part of the picture that is there however it is turned.
var square = rect{X: 0.1, Y: 0.1, W: 0.4, H: 0.4}

// turned returns a shot of a size, with the marker in the square.
func turned(width, height int, size string) *shot {
	return &shot{
		marker: newMarker(square, 48, 18), width: width, height: height, length: 3,
		input: synthetic(size, 25),
		flags: []string{"-b:v", "800k", "-maxrate", "800k", "-bufsize", "800k", "-g", "25"},
	}
}

// splice has one stream follow the other, as a phone sends it that is turned: each with its own
// sequence header.
func splice(t *testing.T, shots ...*shot) []unit {
	t.Helper()
	var out []unit
	shift := int64(0)
	for _, s := range shots {
		for _, u := range s.units(t) {
			info, err := u.info()
			if err != nil || info.Payload == len(u.body) || u.kind == media.Data {
				continue
			}
			u.ms += shift
			out = append(out, u)
		}
		shift += int64(s.length) * 1000
	}
	return out
}

// TestRotation has a publisher turn his picture while it is blurred, while it is not, and while it
// always is processed. The region stays where it is in fractions of the picture.
func TestRotation(t *testing.T) {
	t.Parallel()
	wide, tall := turned(480, 270, "480x270"), turned(270, 480, "270x480")
	sent := splice(t, wide, tall, wide, tall, wide)
	n := startNode(t)
	n.ladder(t, "show", rendition{Name: "180p", Height: 180})
	viewers := append(watchBoth(t, n, "show"), watchFLV(t, n, "show?rendition=180p"))
	publish(t, n, "show").feed(t, sent)
	awaitPTS(t, viewers, 1000)
	var blurred spans
	blurred.on(n.blur(t, "show", "box", square).mustState(t, "live").PTS)
	awaitPTS(t, viewers, 7000) // turned at 3 and at 6 s
	blurred.off(latestPTS(viewers[2].got()))
	off := n.blur(t, "show", "").mustState(t, "live")
	awaitPTS(t, viewers, max(off.PTS, 9000)+1200) // at 9 s too
	on := n.blur(t, "show", "pixelate", square).mustState(t, "live")
	blurred.on(on.PTS)
	awaitPTS(t, viewers, 13_000) // and at 12 s
	for _, v := range viewers {
		v.mustWatch(t)
		v.leave(t)
		got := v.got()
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
		all := wide.marker.read(t, v.name, got)
		sizes := [][2]int{}
		for _, r := range all {
			size := [2]int{r.width, r.height}
			if len(sizes) == 0 || sizes[len(sizes)-1] != size {
				sizes = append(sizes, size)
			}
		}
		hidden, leaks := blurred.leaks(all)
		t.Logf("%s: %d pictures, %d hidden, sizes %v", v.name, len(all), hidden, sizes)
		if len(leaks) > 0 || hidden < 200 || len(sizes) != 5 {
			t.Errorf("%s: %d pictures had to be hidden, %d leaks %v, sizes %v",
				v.name, hidden, len(leaks), leaks, sizes)
		}
		for i, size := range sizes {
			if upright := size[0] < size[1]; upright != (i%2 == 1) {
				t.Errorf("%s: sizes %v", v.name, sizes)
			}
		}
	}
}

// TestHeaderMissing has a publisher send pictures whose sequence header comes late: none is shown
// before, and from then on they are blurred as was commanded.
func TestHeaderMissing(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	var header unit
	var sent []unit
	for _, u := range small.units(t) {
		switch {
		case videoHeader(u):
			header = u
			continue
		case u.picture() && u.ms >= 3000 && header.body != nil:
			header.ms = u.ms
			sent = append(sent, header)
			header.body = nil
		}
		sent = append(sent, u)
	}
	viewers := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, sent)
	for _, v := range viewers {
		v.awaitUnits(t, 40) // of sound
	}
	n.blur(t, "show", "box", small.marker.rect).mustState(t, "live")
	awaitPTS(t, viewers, 4500)
	for _, v := range viewers {
		v.mustWatch(t)
		v.leave(t)
		all := small.marker.read(t, v.name, v.got())
		least, greatest := extremes(all)
		t.Logf("%s: %d pictures, from %d ms on, contrast %.1f to %.1f",
			v.name, len(all), all[0].pts, least, greatest)
		if all[0].pts < 2900 || greatest > unreadable {
			t.Errorf("%s: pictures from %d ms on, contrast up to %.1f", v.name, all[0].pts, greatest)
		}
	}
}
