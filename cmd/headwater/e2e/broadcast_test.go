package e2e

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// TestPublish publishes by ffmpeg and looks by ffprobe, by either protocol.
func TestPublish(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	encode(t, n.rtmpURL("show"))
	n.awaitState(t, "show", 1, "live")
	want := []string{"aac 44100", "h264 320x180"}
	for _, url := range []string{n.rtmpURL("show"), n.flvURL("show")} {
		if got := probe(t, url); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
	for _, v := range watchBoth(t, n, "show") { // the tone has an amplitude of 1/8
		await(t, v.name+" is told how loud it is", func() bool {
			rms, ok := v.loudness("rms")
			return ok && math.Abs(rms+21.1) < 0.5
		})
	}
	if b := n.broadcast(t, "show"); b.Video != "avc1 320x180" || b.Audio != "mp4a 44100" {
		t.Errorf("the node tells %+v", b)
	}
}

// TestLedger publishes a film whose every byte is known to viewers who come at different times.
func TestLedger(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	early := watchBoth(t, n, "film")
	p := publish(t, n, "film")
	p.feed(t, film.get(t))
	early[1].awaitUnits(t, 200)
	late := watchBoth(t, n, "film")
	for _, v := range slices.Concat(early, late) {
		v.awaitUnits(t, 300)
	}
	settle(t, p, slices.Concat(early, late)...)
	for _, v := range slices.Concat(early, late) {
		headers, _ := begin(v.got())
		if len(headers) != media.Kinds {
			t.Errorf("%s: began with %v", v.name, headers)
		}
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	if n.metric(t, "headwater_viewer_skips_total") != 0 ||
		n.metric(t, "headwater_topic_gaps_total") != 0 {
		t.Error("something was skipped or lost")
	}
}

// TestLateJoin has viewers come in the middle of a GOP of four seconds, while the publisher holds
// its breath: whatever they get, they get of what was there before.
func TestLateJoin(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	units := longGOP.get(t)
	second := nth(units, 2)
	hold := second + 100 // somewhat more than a second into the second GOP
	p := publish(t, n, "game")
	p.sendAll(t, units[:hold])
	await(t, "the node has all of it", func() bool {
		return n.metric(t, "headwater_topic_access_units_total", `role="origin"`) ==
			float64(len(effective(units[:hold])))
	})
	viewers := watchBoth(t, n, "game")
	for _, v := range viewers {
		v.awaitUnits(t, media.Kinds+hold-second)
		headers, rest := begin(v.got())
		if len(headers) != media.Kinds || !rest[0].same(units[second]) {
			t.Errorf("%s: began with %v %v, want the keyframe before: %v",
				v.name, headers, rest[0], units[second])
		}
	}
	third := nth(units, 3)
	p.feed(t, units[hold:third+50])
	ends(t, "the rest", p.fed)
	settle(t, p, viewers...)
}

// nth is where the keyframe of a number, from 1, is.
func nth(units []unit, number int) int {
	for i, u := range units {
		if u.picture() {
			if number--; number == 0 {
				return i
			}
		}
	}
	return -1
}

// TestLargeTimestamps has ffmpeg publish with times beyond the 24 bits of a chunk's header: above
// them from the start, and across them.
func TestLargeTimestamps(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for name, offset := range map[string]string{"above": "16800", "across": "16775"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := []string{"-output_ts_offset", offset}
			checkOffset(t, flags, name == "above")
			encode(t, n.rtmpURL(name), flags...)
			viewers := watchBoth(t, n, name)
			for _, v := range viewers {
				v.awaitUnits(t, 5*70) // five seconds; the times cross after 2.2
				checkSteady(t, v)
				checkDecodes(t, v.name, v.got())
			}
			if got := probe(t, n.rtmpURL(name)); len(got) != 2 {
				t.Errorf("ffprobe sees %v", got)
			}
		})
	}
}

// checkOffset makes sure that ffmpeg does with its flags what the test is about.
func checkOffset(t *testing.T, flags []string, above bool) {
	t.Helper()
	path := t.TempDir() + "/offset.flv"
	args := slices.Concat(pattern("320x180"), encoding(), flags, []string{"-t", "0.5", path})
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	units, err := readFLV(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	_, rest := begin(units)
	if first := rest[0].ms; (first >= 0xffffff) != above || first < 16_770_000 {
		t.Fatalf("ffmpeg begins at %d ms", first)
	}
}

// checkSteady fails t unless pictures and sound come in the steps that they were made in.
func checkSteady(t *testing.T, v *viewer) {
	t.Helper()
	_, rest := begin(v.got())
	latest := [media.Kinds]int64{-1, -1, -1}
	for i, u := range rest {
		was := latest[u.kind]
		latest[u.kind] = u.ms
		if step := u.ms - was; was >= 0 && u.kind != media.Data && (step < 20 || step > 40) {
			t.Errorf("%s: unit %d comes %d ms after the one before: %v", v.name, i, step, u)
		}
	}
	if apart := latest[media.Video] - latest[media.Audio]; apart < -500 || apart > 500 {
		t.Errorf("%s: picture and sound are %d ms apart", v.name, apart)
	}
}

// TestEnhanced carries what only enhanced RTMP can name: HEVC, AV1 and Opus.
func TestEnhanced(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for _, codec := range []string{"hvc1", "av01"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			p := publish(t, n, codec)
			viewers := watchBoth(t, n, codec)
			p.feed(t, enhanced(codec))
			ends(t, "the publisher", p.fed)
			settle(t, p, viewers...)
			for _, v := range viewers {
				if headers, _ := begin(v.got()); len(headers) != 2 {
					t.Errorf("%s: began with %v", v.name, headers)
				}
			}
		})
	}
}

// enhanced makes two seconds of packets of a codec and of Opus (Enhanced RTMP v2, "Enhanced video"
// and "Enhanced audio"). What is in them is only for the decoder that is not here.
func enhanced(codec string) []unit {
	const keyframe, delta, audio = 1<<7 | 1<<4, 1<<7 | 2<<4, 9 << 4
	const sequenceStart, codedFrames, codedFramesX = 0, 1, 3
	packet := func(first byte, fourCC string, payload ...byte) []byte {
		return append(append([]byte{first}, fourCC...), payload...)
	}
	units := []unit{
		{media.Video, 0, packet(keyframe|sequenceStart, codec, 1, 2, 3, 4)},
		{media.Audio, 0, packet(audio|sequenceStart, "Opus", []byte("OpusHead\x01\x02")...)},
	}
	for i := range 60 {
		frame, number := byte(delta), byte(i)
		if i%15 == 0 {
			frame = keyframe
		}
		body := packet(frame|codedFrames, codec, number, 7, 7)
		if codec == "hvc1" && i%2 == 0 {
			body = packet(frame|codedFrames, codec, 0, 0, 33, number, 7, 7) // with composition time
		} else if codec == "hvc1" {
			body = packet(frame|codedFramesX, codec, number, 7, 7)
		}
		at := int64(i) * 100 / 3
		units = append(units, unit{media.Video, at, body},
			unit{media.Audio, at, packet(audio|codedFrames, "Opus", number, 9)})
	}
	return units
}
