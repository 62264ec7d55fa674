package gate

import (
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// source is what is known of the publisher's stream.
type source struct {
	seq     uint64 // of the latest unit
	headers topic.Headers
	avc     avc.Config // of the video header
	video   bool       // there has been video
	pts     media.Time // greatest of all
}

// next notes a unit and reports whether it is new, and whether units before it are missing.
func (s *source) next(u *topic.Unit) (fresh, gap bool) {
	if u.Role == media.SequenceHeader {
		s.header(u)
	}
	if h := u.Header; h != nil { // it may have been lost on the way
		s.header(h)
	}
	if u.Seq <= s.seq {
		return false, false
	}
	gap = s.seq != 0 && u.Seq != s.seq+1
	s.seq = u.Seq
	s.pts = max(s.pts, u.DTS, u.PTS())
	s.video = s.video || u.Kind == media.Video
	return true, gap
}

func (s *source) header(u *topic.Unit) {
	if h := s.headers[u.Kind]; h != nil && h.Seq >= u.Seq {
		return
	}
	s.headers[u.Kind] = u
	if u.Kind != media.Video {
		return
	}
	s.avc = avc.Config{}
	if u.Codec != media.AVC {
		return
	}
	if info, err := flv.Parse(u.Kind, u.Body); err == nil {
		if config, err := avc.ParseConfig(u.Body[info.Payload:]); err == nil {
			s.avc = config
		}
	}
}

// unreadable says why no picture of the source can be processed, if none can.
func (s *source) unreadable() string {
	h := s.headers[media.Video]
	if h == nil || h.Codec == media.AVC {
		return ""
	}
	return "the publisher sends " + h.Codec.String() + ", of which only avc1 can be processed"
}

// isIDR tells whether a decoder can begin with a unit, whatever came before: FLV's keyframe bit is
// set for recovery points too, whose neighbours refer to what was before them.
func (s *source) isIDR(u *topic.Unit) bool {
	if u.Kind != media.Video || u.Role != media.Keyframe || u.Codec != media.AVC {
		return false
	}
	info, err := flv.Parse(u.Kind, u.Body)
	return err == nil && avc.HasIDR(u.Body[info.Payload:], s.avc.NALULengthSize)
}

// isEntry is isIDR, as far as that is known: of the other codecs the container has to be believed.
func (s *source) isEntry(u *topic.Unit) bool {
	if u.Codec == media.AVC {
		return s.isIDR(u)
	}
	return u.Kind == media.Video && u.Role == media.Keyframe
}

// inBand returns a unit with the source's parameter sets in front of its picture. Players that keep
// to the first sequence header need them where the stream changes its encoder.
func (s *source) inBand(u *topic.Unit) media.AccessUnit {
	au := u.AccessUnit
	info, err := flv.Parse(u.Kind, u.Body)
	if err != nil {
		return au
	}
	var sets []byte
	for _, list := range [2][][]byte{s.avc.SPS, s.avc.PPS} {
		for _, set := range list {
			sets = appendNALU(sets, set, s.avc.NALULengthSize)
		}
	}
	au.Body, au.Tail = flv.NewBody(len(u.Body) + len(sets))
	n := copy(au.Body, u.Body[:info.Payload])
	n += copy(au.Body[n:], sets)
	copy(au.Body[n:], u.Body[info.Payload:])
	return au
}

// appendNALU appends a NAL unit behind its length. One that is too long for that is left out.
func appendNALU(b, nalu []byte, lengthSize int) []byte {
	if len(nalu)>>(8*lengthSize) != 0 {
		return b
	}
	for i := lengthSize - 1; i >= 0; i-- {
		b = append(b, byte(len(nalu)>>(8*i)))
	}
	return append(b, nalu...)
}
