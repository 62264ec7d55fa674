package gate

import (
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/aac"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// Raw data blocks of AAC-LC without a spectral coefficient, which a decoder turns into silence at
// any sample rate: a single channel element and a channel pair element whose sections are all empty
// (ISO/IEC 14496-3, 4.4.2.1).
var (
	silentMono   = [...]byte{0x00, 0xc8, 0x00, 0x80, 0x23, 0x80}
	silentStereo = [...]byte{0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80}
)

// silencer makes silence of a publisher's sound.
type silencer struct {
	header *topic.Unit
	frame  []byte // nil where there is none for the header's configuration
}

// of returns a unit without the sound of u, nil if u has to be left out for that. header is the
// sound's sequence header.
func (s *silencer) of(u, header *topic.Unit) *topic.Unit {
	if u.Role == media.SequenceHeader {
		return u
	}
	if s.header != header {
		s.header, s.frame = header, silentFrame(header)
	}
	info, err := flv.Parse(u.Kind, u.Body)
	if err != nil || s.frame == nil || u.Codec != media.AAC {
		return nil
	}
	au := u.AccessUnit
	au.Body, au.Tail = flv.NewBody(info.Payload + len(s.frame))
	copy(au.Body[copy(au.Body, u.Body[:info.Payload]):], s.frame)
	silent := topic.NewUnit(u.Epoch, u.Seq, au)
	silent.Arrived = u.Arrived
	return silent
}

func silentFrame(header *topic.Unit) []byte {
	if header == nil || header.Codec != media.AAC {
		return nil
	}
	info, err := flv.Parse(header.Kind, header.Body)
	if err != nil {
		return nil
	}
	config, err := aac.ParseConfig(header.Body[info.Payload:])
	if err != nil || config.ObjectType != aac.LC {
		return nil
	}
	switch config.Channels {
	case 1:
		return silentMono[:]
	case 2:
		return silentStereo[:]
	}
	return nil
}
