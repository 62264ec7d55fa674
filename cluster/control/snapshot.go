package control

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/headwater-live/headwater/actors/listen"
)

// snapshot serves a JPEG of what viewers see. Its tag names the unit that it shows.
func (o *Options) snapshot(w http.ResponseWriter, r *http.Request, key string) {
	rendition, err := listen.Rendition(r.URL.RawQuery)
	if err != nil {
		o.fail(w, faulty(http.StatusBadRequest, err))
		return
	}
	picture, err := o.Node.Snapshot(r.Context(), key, rendition)
	if err != nil {
		o.fail(w, err)
		return
	}
	tag := fmt.Sprintf("\"%d-%d\"", picture.Epoch, picture.Seq)
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "max-age=1")
	h.Set("Headwater-PTS-Ms", strconv.FormatInt(picture.PTS.Millis(), 10))
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "image/jpeg")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(picture.JPEG)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(picture.JPEG) // whoever asked may be gone
}
