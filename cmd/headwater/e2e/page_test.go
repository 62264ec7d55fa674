package e2e

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// openBrowser starts Debian's Chromium without a window and without a word to the outside.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 1000), chromedp.WSURLReadTimeout(time.Minute),
	)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// TestPage does what a newcomer does: starts a node with its demo and looks at the page.
func TestPage(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--demo")
	n.awaitState(t, "demo", 1, "live")
	ctx := openBrowser(t)
	var before, after, shot []byte
	var box struct{ X, Y, Width, Height float64 }
	var list, tree string
	var size []int
	err := chromedp.Run(
		ctx,
		chromedp.Navigate("http://"+n.http+"/"),
		chromedp.Poll(`document.getElementById('video').currentTime > 1`, nil),
		chromedp.Evaluate(`document.getElementById('video').getBoundingClientRect().toJSON()`, &box),
		chromedp.Evaluate(`[video.videoWidth, video.videoHeight]`, &size),
		chromedp.CaptureScreenshot(&before),
		chromedp.Evaluate(`window.was = document.getElementById('video').currentTime`, nil),
		chromedp.Poll(`document.getElementById('video').currentTime > window.was + 2`, nil),
		chromedp.CaptureScreenshot(&after),
		chromedp.Text("#broadcasts", &list),
		chromedp.Text("#tree", &tree),
		chromedp.FullScreenshot(&shot, 100),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshot: %s", keep(t, shot))
	area := image.Rect(int(box.X), int(box.Y), int(box.X+box.Width), int(box.Y+box.Height))
	first, second := luma(t, before, area), luma(t, after, area)
	for _, picture := range [][]float64{first, second} {
		mean, variance := spread(picture)
		t.Logf("%v: mean %.0f, variance %.0f", area, mean, variance)
		if mean < 20 || variance < 200 {
			t.Errorf("the video in %v is all one colour: mean %.0f, variance %.0f", area, mean, variance)
		}
	}
	if moved := difference(first, second); moved < 1 {
		t.Errorf("the picture does not move: %.2f", moved)
	}
	if len(size) != 2 || size[0] != 640 || size[1] != 360 {
		t.Errorf("the picture is %v", size)
	}
	if list == "" || tree == "" {
		t.Errorf("the page shows as broadcasts %q, as tree %q", list, tree)
	}
	if viewers := n.metric(t, "headwater_viewers", `protocol="http_flv"`); viewers != 1 {
		t.Errorf("the node has %v viewers", viewers)
	}
}

// keep writes a screenshot for people to look at, where SCREENSHOTS says or else to a temporary
// file, and returns where.
func keep(t *testing.T, shot []byte) string {
	t.Helper()
	file, err := os.CreateTemp(os.Getenv("SCREENSHOTS"), "headwater-page-*.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(shot); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	return file.Name()
}

// luma reads how bright an area of a screenshot is, pixel by pixel, from 0 to 255.
func luma(t *testing.T, shot []byte, area image.Rectangle) []float64 {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	area = area.Intersect(img.Bounds())
	if area.Dx() < 80 || area.Dy() < 80 {
		t.Fatalf("there is no video to be seen: %v", area)
	}
	var out []float64
	for y := area.Min.Y; y < area.Max.Y; y += 2 {
		for x := area.Min.X; x < area.Max.X; x += 2 {
			r, g, b, _ := img.At(x, y).RGBA()
			out = append(out, (0.299*float64(r)+0.587*float64(g)+0.114*float64(b))/257)
		}
	}
	return out
}

func spread(values []float64) (mean, variance float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, variance
}

// difference is the mean of how much two pictures differ.
func difference(a, b []float64) float64 {
	sum := 0.0
	for i := range min(len(a), len(b)) {
		sum += max(a[i]-b[i], b[i]-a[i])
	}
	return sum / float64(max(1, len(a)))
}
