package e2e

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
)

// snapshot gets a broadcast's, or nil and why there is none.
func (n *node) snapshot(t *testing.T, key string) (picture image.Image, status int, why string) {
	t.Helper()
	status, body := n.get(t, "/v1/broadcasts/live/"+key+"/snapshot.jpg")
	if status != http.StatusOK {
		return nil, status, body
	}
	picture, err := jpeg.Decode(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	return picture, status, ""
}

// shell runs a command line of headwater's against the node and returns what it printed.
func (n *node) shell(t *testing.T, args ...string) string {
	t.Helper()
	p := start(t, headwater, append(args, "--url", "http://"+n.http)...)
	wrote := finish(t, p)
	if p.err != nil {
		t.Fatalf("headwater %v: %v\n%s", args, p.err, wrote)
	}
	return wrote
}

// TestSnapshot looks at a broadcast by its snapshot, before a blur, with it and after it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	if _, status, why := n.snapshot(t, "a"); status != http.StatusNotFound {
		t.Errorf("of no broadcast: %d %s", status, why)
	}
	encode(t, n.rtmpURL("a"))
	await(t, "the tone is measured", func() bool {
		status, text := n.get(t, "/v1/broadcasts/live/a/loudness")
		var loud struct{ Momentary float64 }
		return status == http.StatusOK && json.Unmarshal([]byte(text), &loud) == nil &&
			loud.Momentary > -40
	})
	// The left upper corner of the test picture, which solid makes one colour of.
	corner := image.Rect(2, 2, 118, 98)
	await(t, "the snapshot shows the picture", func() bool {
		picture, _, _ := n.snapshot(t, "a")
		return picture != nil && picture.Bounds().Size() == image.Pt(320, 180) &&
			contrast(picture, corner) > 50
	})
	answer := n.shell(t, "blur", "live/a", "--rect", "0,0,0.375,0.6", "--mode", "solid")
	if !strings.HasPrefix(answer, "live/a: blur holds from ") || !strings.Contains(answer, "epoch 1") {
		t.Errorf("the command prints %q", answer)
	}
	seen := 0
	await(t, "three snapshots with the blur", func() bool {
		picture, status, why := n.snapshot(t, "a")
		switch {
		case status == http.StatusServiceUnavailable && strings.Contains(why, "not yet"):
		case picture == nil:
			t.Fatalf("%d %s", status, why)
		case contrast(picture, corner) > 50:
			t.Fatalf("a snapshot after the answer is not blurred: contrast %.0f",
				contrast(picture, corner))
		default:
			seen++
		}
		return seen >= 3
	})
	n.shell(t, "blur", "live/a", "--off")
	await(t, "the snapshot is clear again", func() bool {
		picture, _, _ := n.snapshot(t, "a")
		return picture != nil && contrast(picture, corner) > 50
	})
}

// contrast is the variance of a part of a picture, from 0 to 255 squared.
func contrast(picture image.Image, area image.Rectangle) float64 {
	var values []float64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			_, g, _, _ := picture.At(x, y).RGBA()
			values = append(values, float64(g>>8))
		}
	}
	_, variance := spread(values)
	return variance
}
