package sim

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// mark is what a frame's payload says of itself: where it stands in what its publisher sent.
type mark struct {
	session uint32 // one connection of one publisher
	n       uint32 // counts the session's messages
	header  uint32 // which sequence header of the session it needs
	gop     uint32 // video: which GOP of the session, and the place in it
	index   uint32
}

const markSize = 20

func (m mark) put(b []byte) {
	for i, v := range [...]uint32{m.session, m.n, m.header, m.gop, m.index} {
		binary.BigEndian.PutUint32(b[4*i:], v)
	}
}

func readMark(b []byte) mark {
	at := func(i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	return mark{session: at(0), n: at(1), header: at(2), gop: at(3), index: at(4)}
}

// Where the mark begins in a body.
const (
	videoMark = 5 + 4 + 1 // tag header, NAL unit length, NAL unit type
	audioMark = 2
	dataMark  = 13
)

func markOf(kind media.Kind, body []byte) (mark, bool) {
	at := [media.Kinds]int{media.Data: dataMark, media.Video: videoMark, media.Audio: audioMark}[kind]
	if len(body) < at+markSize {
		return mark{}, false
	}
	return readMark(body[at:]), true
}

// message makes the RTMP message that a body travels in.
func message(kind media.Kind, ts uint32, content []byte) rtmp.Message {
	typ := [media.Kinds]uint8{
		media.Data: rtmp.TypeData, media.Video: rtmp.TypeVideo, media.Audio: rtmp.TypeAudio,
	}[kind]
	body, tail := flv.NewBody(len(content))
	copy(body, content)
	return rtmp.Message{Type: typ, Timestamp: ts, StreamID: 1, Body: body, Tail: tail}
}

// videoHeader is an AVC sequence header whose PPS says whose it is.
func videoHeader(session, id uint32) []byte {
	pps := make([]byte, 9)
	pps[0] = 0x68
	binary.BigEndian.PutUint32(pps[1:], session)
	binary.BigEndian.PutUint32(pps[5:], id)
	out := []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0x00, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0x00, 0x1e}
	out = append(out, 1, 0, byte(len(pps)))
	return append(out, pps...)
}

// audioHeader is an AAC sequence header: which of them is told by its sample rate and channels.
func audioHeader(_, id uint32) []byte {
	rate, channels := id%12, 1+id/12%7
	asc := uint16(2<<11 | rate<<7 | channels<<3)
	return []byte{0xaf, 0, byte(asc >> 8), byte(asc)}
}

// metadata is an onMetaData body with a publisher's "@setDataFrame" in front.
func metadata() []byte {
	out := []byte("\x02\x00\x0d@setDataFrame")
	return append(out, "\x02\x00\x0aonMetaData\x08\x00\x00\x00\x00\x00\x00\x09"...)
}

func videoFrame(m mark, key bool, cts uint32, fill int) []byte {
	first, nal := byte(0x27), byte(0x41)
	if key {
		first, nal = 0x17, 0x65
	}
	out := make([]byte, videoMark+markSize, videoMark+markSize+fill)
	copy(out, []byte{first, 1, byte(cts >> 16), byte(cts >> 8), byte(cts)})
	binary.BigEndian.PutUint32(out[5:], uint32(1+markSize+fill))
	out[9] = nal
	m.put(out[videoMark:])
	return filled(out, m, fill)
}

func audioFrame(m mark, fill int) []byte {
	out := make([]byte, audioMark+markSize, audioMark+markSize+fill)
	out[0], out[1] = 0xaf, 1
	m.put(out[audioMark:])
	return filled(out, m, fill)
}

func dataFrame(m mark) []byte {
	out := append([]byte("\x02\x00\x0aonCuePoint"), make([]byte, markSize)...)
	m.put(out[dataMark:])
	return out
}

func filled(out []byte, m mark, n int) []byte {
	for i := range n {
		out = append(out, byte(m.n+uint32(i)*7))
	}
	return out
}

var hashSeed = maphash.MakeSeed()

// digest is the hash of a body without its composition time, which the timeline may change.
func digest(kind media.Kind, body []byte) uint64 {
	if kind != media.Video || len(body) < 5 {
		return maphash.Bytes(hashSeed, body)
	}
	var h maphash.Hash
	h.SetSeed(hashSeed)
	_, _ = h.Write(body[:2])
	_, _ = h.Write(body[5:])
	return h.Sum64()
}
