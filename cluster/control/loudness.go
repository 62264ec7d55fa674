package control

import (
	"net/http"

	"github.com/headwater-live/headwater/actors/loudness"
)

// Loudness is how loud a broadcast is, in LUFS and dBFS; -120 is silence.
type Loudness struct {
	Key   string `json:"key"`
	Epoch uint64 `json:"epoch"`
	// Unavailable says why nothing is measured.
	Unavailable  string  `json:"unavailable"`
	Momentary    float64 `json:"momentary"`
	ShortTerm    float64 `json:"short_term"`
	Integrated   float64 `json:"integrated"`
	MaxMomentary float64 `json:"max_momentary"`
	MaxShortTerm float64 `json:"max_short_term"`
	// RMS and Peak are the latest frame's, the others those since the measurement began.
	RMS       float64 `json:"rms"`
	Peak      float64 `json:"peak"`
	TotalRMS  float64 `json:"total_rms"`
	TotalPeak float64 `json:"total_peak"`
	Silent    bool    `json:"silent"`
	Clipping  bool    `json:"clipping"`
	Silences  uint64  `json:"silences"`
	Clippings uint64  `json:"clippings"`
	// Since and At are when what was measured begins and ends, on the broadcast's timeline.
	Since int64 `json:"since_ms"`
	At    int64 `json:"at_ms"`
	// Frames were measured, Errors could not be decoded, Dropped were left out.
	Frames  uint64 `json:"frames"`
	Errors  uint64 `json:"errors"`
	Dropped uint64 `json:"dropped"`
}

func describeLoudness(r *loudness.Report) *Loudness {
	return &Loudness{
		Key: r.Key, Epoch: r.Epoch, Unavailable: r.Unavailable,
		Momentary: r.Momentary, ShortTerm: r.ShortTerm, Integrated: r.Integrated,
		MaxMomentary: r.MaxMomentary, MaxShortTerm: r.MaxShortTerm,
		RMS: r.Frame.RMS, Peak: r.Frame.Peak, TotalRMS: r.Total.RMS, TotalPeak: r.Total.Peak,
		Silent: r.Silent, Clipping: r.Clipping, Silences: r.Silences, Clippings: r.Clippings,
		Since: r.Since.Millis(), At: r.At.Millis(),
		Frames: r.Frames, Errors: r.Errors, Dropped: r.Dropped,
	}
}

// loudness tells how loud a broadcast is.
func (o *Options) loudness(w http.ResponseWriter, r *http.Request, key string) {
	report, err := o.Node.Loudness(r.Context(), key)
	if err != nil {
		o.fail(w, err)
		return
	}
	o.answer(w, describeLoudness(report))
}
