package ingest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/aac"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
	"github.com/headwater-live/headwater/codec/timeline"
)

// ErrGarbage means that a publisher keeps sending what is not media.
var ErrGarbage = errors.New("too many malformed messages")

// MaxMalformed is how many malformed messages a publisher may send; each is dropped and counted.
const MaxMalformed = 32

// Machine makes access units of a publisher's messages. It is a plain value.
type Machine struct {
	epoch     uint64
	seq       uint64
	timeline  *timeline.Timeline
	headers   [media.Kinds][]byte
	malformed int
}

// NewMachine returns the machine of one epoch, whose timeline begins at start.
func NewMachine(epoch uint64, start timeline.Start) *Machine {
	return &Machine{epoch: epoch, timeline: timeline.New(timeline.Options{}, start)}
}

// Malformed counts the messages that were dropped because they are not media.
func (m *Machine) Malformed() int { return m.malformed }

// Message takes the next audio, video or data message, which arrived at arrival. It returns nil
// without an error for what is not worth passing on: empty, repeated or ended. An error that wraps
// ErrGarbage ends the publisher; any other is of this message alone.
func (m *Machine) Message(msg *rtmp.Message, arrival media.Time) (*topic.Unit, error) {
	au, skip, err := m.accessUnit(msg)
	if err != nil {
		m.malformed++
		if m.malformed > MaxMalformed {
			return nil, fmt.Errorf("%w: %d, the last: %w", ErrGarbage, m.malformed, err)
		}
		return nil, err
	}
	if skip {
		return nil, nil //nolint:nilnil // no unit and no error: see above
	}
	if au.Role == media.SequenceHeader {
		au.DTS = m.timeline.Here(au.Kind)
	} else {
		dts, adjust := m.timeline.Map(au.Kind, msg.Timestamp, arrival)
		au.DTS = dts
		if adjust != 0 {
			recompose(&au, au.CTS+adjust)
		}
	}
	m.seq++
	return topic.NewUnit(m.epoch, m.seq, au), nil
}

// accessUnit reads what the message carries.
func (m *Machine) accessUnit(msg *rtmp.Message) (au media.AccessUnit, skip bool, err error) {
	kind, err := kindOf(msg.Type)
	if err != nil || len(msg.Body) == 0 {
		return au, true, err
	}
	body, tail := msg.Body, msg.Tail
	if kind == media.Data {
		if stripped := flv.StripSetDataFrame(body); len(stripped) != len(body) {
			body, tail = flv.NewBody(len(stripped))
			copy(body, stripped)
		}
	}
	info, err := flv.Parse(kind, body)
	if err != nil {
		return au, false, fmt.Errorf("%s message of %d bytes: %w", kind, len(msg.Body), err)
	}
	if info.Flags.Has(flv.EndOfSequence) || info.Flags.Has(flv.CommandFrame) {
		return au, true, nil // the topic goes on without this publisher, and is not for seeking
	}
	au = media.AccessUnit{
		Kind: kind, Role: info.Role, Codec: info.Codec, CTS: info.CTS, Body: body, Tail: tail,
	}
	if info.Role != media.SequenceHeader || info.Flags.Has(flv.Multichannel) {
		return au, false, nil
	}
	if bytes.Equal(body, m.headers[kind]) {
		return au, true, nil // many encoders repeat it with each keyframe
	}
	if err := checkHeader(&au, body[info.Payload:]); err != nil {
		return au, false, fmt.Errorf("%s sequence header: %w", kind, err)
	}
	m.headers[kind] = body
	return au, false, nil
}

func kindOf(typ uint8) (media.Kind, error) {
	switch typ {
	case rtmp.TypeVideo:
		return media.Video, nil
	case rtmp.TypeAudio:
		return media.Audio, nil
	case rtmp.TypeData:
		return media.Data, nil
	}
	return 0, fmt.Errorf("message type %d is not media", typ)
}

// checkHeader refuses a decoder configuration that would break every viewer's decoder.
func checkHeader(au *media.AccessUnit, record []byte) error {
	switch au.Codec {
	case media.AVC:
		_, err := avc.ParseConfig(record)
		return err
	case media.AAC:
		_, err := aac.ParseConfig(record)
		return err
	}
	return nil
}

// avcHeader is the length of the legacy video header in front of the access unit: frame type and
// codec, packet type, composition time (FLV Annex E.4.3.1).
const avcHeader = 5

// recompose writes another composition time into a unit that nobody has seen yet, so that its
// presentation time stays when its decoding time was moved. Enhanced bodies carry no composition
// time at a fixed place and are left alone: their picture is shown a little late.
func recompose(au *media.AccessUnit, cts media.Time) {
	legacy := au.Kind == media.Video && len(au.Body) >= avcHeader && au.Body[0]&0x80 == 0
	if !legacy || au.Codec != media.AVC {
		return
	}
	ms := cts.Millis()
	au.CTS = media.FromMillis(ms)
	au.Body[2], au.Body[3], au.Body[4] = byte(ms>>16), byte(ms>>8), byte(ms)
}
