package control

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/codec/media"
)

func TestLoudness(t *testing.T) {
	n := &node{loudness: &loudness.Report{
		Key: "live/a", Epoch: 2, Since: media.Second, At: 3 * media.Second, Frames: 90,
		Reading: loudness.Reading{
			Momentary: -20.5, ShortTerm: -21, Integrated: -23, MaxMomentary: -18, MaxShortTerm: -19,
			Frame: loudness.Level{RMS: -22, Peak: -6}, Total: loudness.Level{RMS: -24, Peak: -1},
			Clipping: true, Clippings: 2,
		},
	}}
	const path = "/v1/broadcasts/live/a/loudness"
	w := get(handler(n), "GET", path)
	want := Loudness{
		Key: "live/a", Epoch: 2, Momentary: -20.5, ShortTerm: -21, Integrated: -23,
		MaxMomentary: -18, MaxShortTerm: -19, RMS: -22, Peak: -6, TotalRMS: -24, TotalPeak: -1,
		Clipping: true, Clippings: 2, Since: 1000, At: 3000, Frames: 90,
	}
	var got Loudness
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got != want {
		t.Errorf("%d %v %s, want %+v", w.Code, err, w.Body, want)
	}
	n.err = fmt.Errorf("%w: there is no such broadcast here", actors.ErrNotFound)
	holds(t, "none", get(handler(n), "GET", path), 404, "there is no such broadcast here")
	holds(t, "POST", send(handler(n), "POST", path, "{}"), 405, "want GET or HEAD")
}
