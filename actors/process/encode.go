package process

import (
	"bytes"
	"fmt"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// encoding is the encoder with what has to go on when it is opened anew.
type encoding struct {
	open func(av.EncoderOptions) (av.Encoder, error)

	encoder av.Encoder
	options av.EncoderOptions
	since   media.Time // PTS of the first picture of this encoder
	changed media.Time // when its bit rate was last set
	retry   media.Time // no encoder before this PTS: the last one failed
	failed  bool
	record  []byte

	begun   bool       // a picture was handed to an encoder
	last    media.Time // its PTS, the greatest
	lastDTS media.Time
	shown   bool // lastDTS holds
	seq     uint64
}

// Pauses of the encoder's changes.
const (
	bitratePause = 2 * media.Second
	ratePause    = 10 * media.Second
	retryPause   = media.Second
	bitrateWrong = 1.15
)

// fit opens an encoder for what is wanted, unless the present one is. It reports whether it is a
// new one, whose first picture is an IDR picture.
func (e *encoding) fit(o av.EncoderOptions, pts media.Time, idr bool) (fresh bool, err error) {
	if e.failed && pts < e.retry {
		return false, errNoEncoder
	}
	same := e.encoder != nil && o.Width == e.options.Width && o.Height == e.options.Height &&
		o.Display == e.options.Display
	if same && idr && differs(o.FPS, e.options.FPS) && pts-e.since >= ratePause {
		same = false // its rate control counts on a frame rate that the source does not have
	}
	if same {
		return false, e.adjust(o.Bitrate, pts)
	}
	e.close()
	encoder, err := e.open(o)
	if err != nil {
		e.fail(pts)
		return false, fmt.Errorf("no encoder for %dx%d: %w", o.Width, o.Height, err)
	}
	e.encoder, e.options, e.since, e.changed, e.failed = encoder, o, pts, pts, false
	return true, nil
}

var errNoEncoder = fmt.Errorf("the encoder failed; another is tried every %v s",
	retryPause.Seconds())

// adjust follows the bit rate that is wanted, now and then.
func (e *encoding) adjust(bps int, pts media.Time) error {
	have, want := float64(e.options.Bitrate), float64(bps)
	if (want < have*bitrateWrong && have < want*bitrateWrong) || pts-e.changed < bitratePause {
		return nil
	}
	if err := e.encoder.SetBitrate(bps); err != nil {
		e.fail(pts)
		return fmt.Errorf("bit rate %d: %w", bps, err)
	}
	e.options.Bitrate, e.changed = bps, pts
	return nil
}

// encode encodes a picture. The packet is valid until the next call.
func (e *encoding) encode(f *av.Frame, pts media.Time, idr bool) (av.Packet, error) {
	e.begun, e.last = true, pts
	packet, err := e.encoder.Encode(f, pts, idr)
	if err != nil {
		e.fail(pts)
		return av.Packet{}, fmt.Errorf("encode: %w", err)
	}
	if packet.IDR {
		if record := e.encoder.Record(); !bytes.Equal(record, e.record) {
			e.record = bytes.Clone(record)
		}
	}
	return packet, nil
}

// fail gives the encoder up for a while: what state it is in nobody knows.
func (e *encoding) fail(pts media.Time) {
	e.close()
	e.failed, e.retry = true, pts+retryPause
}

func (e *encoding) close() {
	if e.encoder != nil {
		e.encoder.Close()
		e.encoder = nil
	}
}

// Legacy AVC packets of FLV (Annex E.4.3.1).
const (
	packetHeader = 5
	bodyKey      = 0x17 // keyframe, AVC
	bodyFrame    = 0x27 // inter frame, AVC
	bodyNALUs    = 1
)

// unit makes an access unit of a packet: one copy, into the memory where it stays. offset is the
// composition offset that the source has.
func (e *encoding) unit(p *av.Packet, pts, offset media.Time) (media.AccessUnit, error) {
	n := packetHeader + len(p.Data)
	if n > flv.MaxBodySize {
		return media.AccessUnit{}, fmt.Errorf("a picture of %d bytes, at most %d", n, flv.MaxBodySize)
	}
	cts := e.offset(pts, offset)
	body, tail := flv.NewBody(n)
	ms := cts.Millis()
	body[0], body[1] = bodyFrame, bodyNALUs
	role := media.Frame
	if p.IDR {
		body[0], role = bodyKey, media.Keyframe
	}
	body[2], body[3], body[4] = byte(ms>>16), byte(ms>>8), byte(ms)
	copy(body[packetHeader:], p.Data)
	e.lastDTS, e.shown = pts-cts, true
	e.seq++
	return media.AccessUnit{
		Kind: media.Video, Role: role, Codec: media.AVC,
		DTS: pts - cts, CTS: cts, Body: body, Tail: tail,
	}, nil
}

// offset is the composition offset of a picture: the source's, in whole milliseconds, as far as the
// decoding time rises nonetheless.
func (e *encoding) offset(pts, wanted media.Time) media.Time {
	cts := min(max(wanted, 0), maxOffset)
	if e.shown {
		cts = min(cts, max(0, pts-e.lastDTS-1))
	}
	return media.FromMillis(cts.Millis())
}

// maxOffset bounds the composition offset: what a source states beyond it is no reordering.
const maxOffset = 2 * media.Second
