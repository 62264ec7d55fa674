package control

import (
	"fmt"
	"testing"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/snapshot"
	"github.com/headwater-live/headwater/codec/media"
)

func TestSnapshot(t *testing.T) {
	n := &node{picture: &snapshot.Picture{
		JPEG: []byte("jpeg"), Epoch: 2, Seq: 30, PTS: 1500 * media.Millisecond,
	}}
	const path = "/v1/broadcasts/live/a/snapshot.jpg"
	h := handler(n)
	w := get(h, "GET", path)
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "Content-Length": "4", "ETag": `"2-30"`,
		"Cache-Control": "max-age=1", "Headwater-PTS-Ms": "1500",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if w.Code != 200 || w.Body.String() != "jpeg" || n.rendition != "" {
		t.Errorf("%d %s of %q", w.Code, w.Body, n.rendition)
	}
	if w := get(h, "HEAD", path); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
	if w := send(h, "GET", path, "", "If-None-Match", `"2-30"`); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("the same again: %d %s", w.Code, w.Body)
	}
	if get(h, "GET", path+"?rendition=480p"); n.rendition != "480p" {
		t.Errorf("of %q, want 480p", n.rendition)
	}
	holds(t, "rendition", get(h, "GET", path+"?rendition=A_B"), 400, "not a rendition")
	holds(t, "POST", send(h, "POST", path, "{}"), 405, "want GET or HEAD")
	n.err = fmt.Errorf("%w: there is no such broadcast here", actors.ErrNotFound)
	holds(t, "none", get(h, "GET", path), 404, "there is no such broadcast here")
	n.err = &snapshot.Refused{Reason: "not yet"}
	holds(t, "not yet", get(h, "GET", path), 503, "not yet")
}
