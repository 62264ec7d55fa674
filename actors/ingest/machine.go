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
	start     timeline.Start
	headers   topic.Headers
	malformed int
}

// NewMachine returns the machine of one epoch, whose timeline begins at start.
func NewMachine(epoch uint64, start timeline.Start) *Machine {
	return &Machine{epoch: epoch, start: start, timeline: timeline.New(timeline.Options{}, start)}
}

// Later puts the beginning of the timeline of a former epoch's successor so much later, before the
// first message has come: what that epoch still has is shown until then.
func (m *Machine) Later(by media.Time) {
	if m.start.Has {
		m.start.DTS += min(by, timeline.DefaultMaxGap)
		m.timeline = timeline.New(timeline.Options{}, m.start)
	}
}

// Malformed counts the messages that were dropped because they are not media.
func (m *Machine) Malformed() int { return m.malformed }

// Message takes the next audio, video or data message, which arrived at arrival. It returns nil
// without an error for what is not worth passing on: empty, repeated or ended. An error that wraps
// ErrGarbage ends the publisher; any other is of this message alone.
func (m *Machine) Message(msg *rtmp.Message, arrival media.Time) (*topic.Unit, error) {
	au, info, skip, err := m.accessUnit(msg)
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
	if info.Role == media.SequenceHeader {
		au.DTS = m.timeline.Here(au.Kind)
	} else {
		dts, adjust := m.timeline.Map(au.Kind, msg.Timestamp, arrival)
		au.DTS = dts
		if adjust != 0 { // nobody has seen the body yet
			if moved, ok := flv.SetCTS(au.Body, info, au.CTS+adjust); ok {
				au.CTS = moved.CTS
			}
		}
	}
	m.seq++
	unit := topic.NewUnit(m.epoch, m.seq, au)
	if au.Role == media.SequenceHeader {
		m.headers[au.Kind] = unit
	} else {
		unit.Header = m.headers[au.Kind]
	}
	return unit, nil
}

// accessUnit reads what the message carries.
func (m *Machine) accessUnit(msg *rtmp.Message) (
	au media.AccessUnit, info flv.Info, skip bool, err error,
) {
	kind, err := kindOf(msg.Type)
	if err != nil || len(msg.Body) == 0 {
		return au, info, true, err
	}
	body, tail := msg.Body, msg.Tail
	if kind == media.Data {
		if stripped := flv.StripSetDataFrame(body); len(stripped) != len(body) {
			body, tail = flv.NewBody(len(stripped))
			copy(body, stripped)
		}
	}
	info, err = flv.Parse(kind, body)
	if err != nil {
		return au, info, false, fmt.Errorf("%s message of %d bytes: %w", kind, len(msg.Body), err)
	}
	if info.Flags.Has(flv.EndOfSequence) || info.Flags.Has(flv.CommandFrame) {
		return au, info, true, nil // the topic goes on without this publisher, and is not for seeking
	}
	if info.Flags.Has(flv.SetDataFrame) {
		return au, info, true, nil // an order to us without the data that it is about
	}
	au = media.AccessUnit{
		Kind: kind, Role: info.Role, Codec: info.Codec, CTS: info.CTS, Body: body, Tail: tail,
	}
	if info.Flags.Has(flv.Multichannel) { // stands beside the decoder's header, does not replace it
		au.Role = media.Frame
	}
	if au.Role != media.SequenceHeader {
		return au, info, false, nil
	}
	if len(body) == info.Payload {
		return au, info, true, nil // ffmpeg sends an empty one before it knows better
	}
	if h := m.headers[kind]; h != nil && bytes.Equal(body, h.Body) {
		return au, info, true, nil // many encoders repeat it with each keyframe
	}
	if err := checkHeader(&au, body[info.Payload:]); err != nil {
		return au, info, false, fmt.Errorf("%s sequence header: %w", kind, err)
	}
	return au, info, false, nil
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
