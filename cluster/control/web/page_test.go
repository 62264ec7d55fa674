package web_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// openBrowser starts Debian's Chromium without a window and without a word to the outside.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 1000),
		// A busy machine may take its time to start so large a program.
		chromedp.WSURLReadTimeout(time.Minute),
	)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

const playing = `document.getElementById('stage').dataset.state === 'playing'`

// TestPage watches the page play, lose its stream, and come back by itself.
func TestPage(t *testing.T) {
	node := startNode(t)
	ctx := openBrowser(t)
	var list, tree, join, codecs string
	var muted bool
	var shot []byte
	err := chromedp.Run(
		ctx,
		chromedp.Navigate(node.URL),
		chromedp.Poll(playing, nil),
		chromedp.Poll(`document.getElementById('video').currentTime > 3`, nil),
		chromedp.Text("#broadcasts", &list),
		chromedp.Text("#tree", &tree),
		chromedp.Text("#join", &join),
		chromedp.Text("#codecs", &codecs),
		chromedp.Evaluate(`document.getElementById('video').muted`, &muted),
		chromedp.CaptureScreenshot(&shot),
	)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "page.png", shot)
	if list == "" || tree == "" || join == "–" || codecs == "–" || !muted {
		t.Errorf("list %q, tree %q, join %q, codecs %q, muted %v", list, tree, join, codecs, muted)
	}
	if n := colours(t, shot); n < 64 {
		t.Errorf("the screenshot has only %d colours: no picture", n)
	}

	node.cut.Store(1)
	err = chromedp.Run(
		ctx,
		chromedp.Click("#unmute"),
		chromedp.Poll(`Number(document.getElementById('reconnects').textContent) >= 2`, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	node.cut.Store(0)
	err = chromedp.Run(
		ctx,
		chromedp.Poll(playing, nil),
		chromedp.Poll(`document.getElementById('video').currentTime > 1`, nil),
		chromedp.Evaluate(`document.getElementById('video').muted`, &muted),
	)
	if err != nil {
		t.Fatal(err)
	}
	if muted {
		t.Error("the sound that was turned on is off after coming back")
	}
}

// TestPhone looks at the page on a narrow screen: nothing is wider than it.
func TestPhone(t *testing.T) {
	node := startNode(t)
	ctx := openBrowser(t)
	var shot []byte
	var wide int
	err := chromedp.Run(
		ctx,
		chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch),
		dark(),
		chromedp.Navigate(node.URL),
		chromedp.Poll(`document.getElementById('video').currentTime > 1`, nil),
		chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide),
		chromedp.FullScreenshot(&shot, 100),
	)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "phone.png", shot)
	if wide > 390 {
		t.Errorf("the page is %d pixels wide on a screen of 390", wide)
	}
}

// dark asks the page for its dark colours.
func dark() chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: "dark"},
	})
}

// keep writes a screenshot where SCREENSHOTS says, for people to look at.
func keep(t *testing.T, name string, shot []byte) {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(dir+"/"+name, shot, 0o600); err != nil {
		t.Fatal(err)
	}
}

// colours counts the different colours in the area of the video.
func colours(t *testing.T, shot []byte) int {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[3]uint32]bool{}
	area := image.Rect(60, 100, 600, 450).Intersect(img.Bounds())
	for y := area.Min.Y; y < area.Max.Y; y += 3 {
		for x := area.Min.X; x < area.Max.X; x += 3 {
			r, g, b, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r, g, b}] = true
		}
	}
	return len(seen)
}
