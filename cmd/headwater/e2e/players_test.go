package e2e

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPlayers has the players of the world play a stream that goes from the publisher's own
// pictures to processed ones and back: ffmpeg, GStreamer, and Chromium by the node's page.
func TestPlayers(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewers := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, small.long(t, 100))
	awaitPTS(t, viewers, 500)
	var live []*process
	for _, url := range []string{n.rtmpURL("show"), n.flvURL("show")} {
		live = append(live, start(t, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", url,
			"-t", "7", "-fps_mode", "drop", "-f", "null", "-"))
	}
	await(t, "four viewers", func() bool { return n.metric(t, "headwater_viewers") == 4 })
	switches := playAlong(t, n, viewers)
	for _, p := range live {
		if wrote := finish(t, p); wrote != "" || p.err != nil {
			t.Errorf("ffmpeg %v: %v\n%s", p.cmd.Args, p.err, wrote)
		}
	}
	for _, v := range viewers {
		v.mustWatch(t)
		v.leave(t)
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
		checkGStreamer(t, v, switches)
	}
}

// playAlong switches while players play: blurred, not, processed always, and not.
func playAlong(t *testing.T, n *node, viewers []*viewer) (blurred spans) {
	t.Helper()
	awaitPTS(t, viewers, latestPTS(viewers[0].got())+1000)
	on := n.blur(t, "show", "box", wide).mustState(t, "live")
	blurred.on(on.PTS)
	awaitPTS(t, viewers, on.PTS+1500)
	off := n.blur(t, "show", "").mustState(t, "live")
	blurred.off(off.PTS)
	awaitPTS(t, viewers, off.PTS+1500)
	always := n.always(t, "show", true).mustState(t, "live")
	awaitPTS(t, viewers, always.PTS+1000)
	asked := n.always(t, "show", false).mustState(t, "live")
	awaitPTS(t, viewers, asked.PTS+2000)
	return blurred
}

// checkGStreamer has GStreamer demultiplex, parse and decode what a viewer received. It has to come
// to the same pictures as codec/av does.
func checkGStreamer(t *testing.T, v *viewer, blurred spans) {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.flv"), filepath.Join(dir, "out.yuv")
	if err := os.WriteFile(in, flvFile(v.got()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "gst-launch-1.0", "-q", "filesrc", "location="+in, "!", "flvdemux", "!", "h264parse",
		"!", "avdec_h264", "!", "video/x-raw,format=I420", "!", "filesink", "location="+out)
	if wrote := finish(t, p); p.err != nil || strings.Contains(wrote, "ERROR") {
		t.Fatalf("%s: gst-launch-1.0: %v\n%s", v.name, p.err, wrote)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	all := small.marker.read(t, v.name, v.got())
	size := small.width * small.height * 3 / 2
	if len(raw) != len(all)*size {
		t.Errorf("%s: GStreamer shows %d bytes, which is %.2f of %d pictures",
			v.name, len(raw), float64(len(raw))/float64(size), len(all))
		return
	}
	for i, r := range all {
		picture := raw[i*size : (i+1)*size]
		got := small.marker.contrastIn(picture, small.width, small.width, small.height)
		if apart := got - r.contrast; apart < -2 || apart > 2 || blurred.have(r.pts) && got > unreadable {
			t.Errorf("%s: contrast %.1f at %d ms, want %.1f", v.name, got, r.pts, r.contrast)
		}
	}
	t.Logf("%s: GStreamer shows the same %d pictures", v.name, len(all))
}

// watchPage notes, in the page, each state of the player, each error of the video, and the time of
// the picture that is shown.
const watchPage = `
window.seen = [];
window.shown = 0;
const next = (now, picture) => {
  window.shown = picture.mediaTime;
  video.requestVideoFrameCallback(next);
};
video.requestVideoFrameCallback(next);
video.addEventListener('error', () => seen.push('error ' + video.error.message));
new MutationObserver(() => seen.push(stage.dataset.state)).observe(stage, {attributes: true});`

// TestPagePlaysBlur looks at a broadcast on the node's page while it is blurred and not: the
// picture moves on throughout, and the region is blurred on the screen.
func TestPagePlaysBlur(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	publish(t, n, "show").feed(t, moving.long(t, 100))
	n.awaitState(t, "show", 1, "live")
	ctx := openBrowser(t)
	run := func(actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	var box struct{ X, Y, Width, Height float64 }
	run(
		chromedp.Navigate("http://"+n.http+"/?key=live/show"),
		chromedp.Poll(`document.getElementById('video').currentTime > 1`, nil),
		chromedp.Evaluate(watchPage, nil),
		chromedp.Evaluate(`video.getBoundingClientRect().toJSON()`, &box),
	)
	look := func(what string) (variance float64) {
		t.Helper()
		var shot []byte
		run(
			chromedp.Evaluate(`window.was = video.currentTime`, nil),
			chromedp.Poll(`video.currentTime > was + 2 && shown > was + 2`, nil),
			chromedp.CaptureScreenshot(&shot),
		)
		t.Logf("screenshot %s: %s", what, keep(t, shot))
		area := image.Rect(int(box.X+wide.X*box.Width)+2, int(box.Y+wide.Y*box.Height)+2,
			int(box.X+(wide.X+wide.W)*box.Width)-2, int(box.Y+(wide.Y+wide.H)*box.Height)-2)
		_, variance = spread(luma(t, shot, area))
		return variance
	}
	clear := look("before")
	n.blur(t, "show", "gaussian", wide).mustState(t, "live")
	blurred := look("blurred")
	n.blur(t, "show", "").mustState(t, "live")
	again := look("after")
	t.Logf("variance in the region: %.0f, blurred %.0f, again %.0f", clear, blurred, again)
	if clear < 8000 || again < 8000 || blurred > clear/10 {
		t.Errorf("variance in the region: %.0f, blurred %.0f, again %.0f", clear, blurred, again)
	}
	var seen []string
	run(chromedp.Evaluate(`window.seen`, &seen))
	for _, what := range seen {
		if what != "playing" {
			t.Errorf("the page says: %s", what)
		}
	}
	if got := fmt.Sprint(n.metric(t, "headwater_viewers")); got != "1" {
		t.Errorf("%s viewers", got)
	}
}
