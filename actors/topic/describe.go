package topic

import (
	"fmt"

	"github.com/headwater-live/headwater/codec/aac"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// Describe names a track's codec and its size or rate, as far as its header tells: "avc1 1280x720",
// "mp4a 48000". It is empty where there is no such track.
func (h Headers) Describe(kind media.Kind) string {
	u := h[kind]
	if u == nil {
		return ""
	}
	name := u.Codec.String()
	info, err := flv.Parse(u.Kind, u.Body)
	if err != nil {
		return name
	}
	record := u.Body[info.Payload:]
	switch u.Codec {
	case media.AVC:
		config, err := avc.ParseConfig(record)
		if err != nil {
			return name
		}
		if width, height, _, err := config.Size(); err == nil {
			return fmt.Sprintf("%s %dx%d", name, width, height)
		}
	case media.AAC:
		if config, err := aac.ParseConfig(record); err == nil {
			return fmt.Sprintf("%s %d", name, config.SampleRate)
		}
	}
	return name
}
