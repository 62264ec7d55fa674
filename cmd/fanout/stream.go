package main

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// The shape of the synthetic broadcast.
const (
	frameRate   = 30
	gopFrames   = 2 * frameRate
	sampleRate  = 44100
	audioFrame  = 1024 // samples
	audioBits   = 128_000
	keyWeight   = 5 // a keyframe is as large as this many other pictures
	seiSize     = 4 + 3 + markSize + 1
	videoHeader = 5 // FLV: frame type and codec, packet type, composition time
)

// unit is one message of the broadcast.
type unit struct {
	typ  uint8
	due  int64  // nanoseconds after the broadcast began
	body []byte // valid until the next unit is made
}

// stream makes the units of one broadcast in the order of their times: H.264 and AAC by form, with
// a mark in place of a picture. Equal arguments make equal streams, marks aside.
type stream struct {
	marker   uint64
	rng      *rand.Rand
	picture  int // mean size in bytes of a picture that is not a keyframe
	videoSeq uint64
	audioSeq uint64
	noise    []byte
	body     []byte
}

// newStream returns a broadcast of that many bits per second in all.
func newStream(bitrate int, marker uint64) *stream {
	s := &stream{marker: marker, rng: rand.New(rand.NewPCG(1, 2))}
	gop := (bitrate - audioBits) / 8 * gopFrames / frameRate
	s.picture = gop / (gopFrames - 1 + keyWeight)
	s.noise = make([]byte, 2*keyWeight*s.picture+audioBits/8)
	for i := range s.noise {
		s.noise[i] = byte(1 + s.rng.IntN(255))
	}
	return s
}

// headers returns the metadata and the sequence headers.
func (s *stream) headers(bitrate int) []unit {
	var meta flv.Metadata
	meta.Number("width", 1280).Number("height", 720).Number("framerate", frameRate)
	meta.Number("videocodecid", 7).Number("audiocodecid", 10)
	meta.Number("videodatarate", float64(bitrate-audioBits)/1000)
	meta.Number("audiosamplerate", sampleRate).Bool("stereo", true)
	script, _ := meta.Body()
	data := rtmp.AppendString(nil, "@setDataFrame")
	return []unit{
		{typ: rtmp.TypeData, body: append(data, script...)},
		{typ: rtmp.TypeVideo, body: avcHeader()},
		{typ: rtmp.TypeAudio, body: []byte{0xaf, 0, 0x12, 0x10}}, // AAC-LC, 44.1 kHz, stereo
	}
}

// avcHeader is the sequence header of H.264 High at level 3.1, 1280 by 720.
func avcHeader() []byte {
	sps := []byte{
		0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03,
		0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
	}
	pps := []byte{0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0}
	b := []byte{0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xff, 0xe1}
	b = binary.BigEndian.AppendUint16(b, uint16(len(sps)))
	b = append(b, sps...)
	b = append(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(pps)))
	return append(b, pps...)
}

// next returns the next unit without its mark; stamp writes that.
func (s *stream) next() unit {
	video := int64(s.videoSeq) * 1e9 / frameRate
	audio := int64(s.audioSeq) * audioFrame * 1e9 / sampleRate
	if audio < video {
		s.audioSeq++
		return unit{typ: rtmp.TypeAudio, due: audio, body: s.audio()}
	}
	s.videoSeq++
	return unit{typ: rtmp.TypeVideo, due: video, body: s.video((s.videoSeq-1)%gopFrames == 0)}
}

// stamp writes the mark of the unit that next returned last.
func (s *stream) stamp(u unit, now int64) {
	if u.typ == rtmp.TypeVideo {
		mark{now, s.videoSeq}.put(u.body[videoMark:], s.marker)
		return
	}
	mark{now, s.audioSeq}.put(u.body[audioMark:], s.marker)
}

func (s *stream) audio() []byte {
	n := audioBits * audioFrame / 8 / sampleRate
	s.body = append(s.body[:0], 0xaf, 1)
	s.body = append(s.body, make([]byte, markSize)...)
	s.body = append(s.body, s.noise[:n-len(s.body)]...)
	return s.body
}

// video returns a picture of two NAL units: an SEI of user data that holds the mark, and a slice.
func (s *stream) video(key bool) []byte {
	head, slice, size := byte(0x27), byte(0x41), s.picture
	if key {
		head, slice, size = 0x17, 0x65, keyWeight*s.picture
	}
	size = max(size*(70+s.rng.IntN(61))/100, videoHeader+seiSize+6)
	b := append(s.body[:0], head, 1, 0, 0, 0)
	b = append(b, 0, 0, 0, seiSize-4, 6, 5, markSize)
	b = append(b, make([]byte, markSize)...)
	b = append(b, 0x80)
	rest := size - len(b) - 4
	b = binary.BigEndian.AppendUint32(b, uint32(rest))
	b = append(b, slice)
	at := s.rng.IntN(len(s.noise) - rest)
	s.body = append(b, s.noise[at:at+rest-1]...)
	return s.body
}
