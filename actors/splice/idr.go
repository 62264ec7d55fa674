package splice

import (
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// begins tells whether a decoder can begin with a picture, whatever came before: FLV's keyframe bit
// is set for recovery points too. Of other codecs than AVC the container has to be believed.
func begins(u, header *topic.Unit) bool {
	if u.Kind != media.Video || u.Role != media.Keyframe {
		return false
	}
	if u.Codec != media.AVC {
		return true
	}
	if header == nil {
		return false
	}
	h, err := flv.Parse(header.Kind, header.Body)
	if err != nil {
		return false
	}
	config, err := avc.ParseConfig(header.Body[h.Payload:])
	if err != nil {
		return false
	}
	info, err := flv.Parse(u.Kind, u.Body)
	return err == nil && avc.HasIDR(u.Body[info.Payload:], config.NALULengthSize)
}
