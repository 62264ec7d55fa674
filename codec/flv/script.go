package flv

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/headwater-live/headwater/codec/media"
)

// Script bodies are AMF0 values one after another (Annex E.4.4): a string that names the event,
// then its arguments.
const (
	setDataFrame = "\x02\x00\x0d@setDataFrame"
	onMetaData   = "\x02\x00\x0aonMetaData"
)

// AMF0 markers (AMF0 specification, 2.1).
const (
	amfNumber     = 0x00
	amfBool       = 0x01
	amfString     = 0x02
	amfECMAArray  = 0x08
	amfLongString = 0x0c
)

func parseScript(body []byte) Info {
	var info Info
	rest := StripSetDataFrame(body)
	info.Payload = len(body) - len(rest)
	if info.Payload > 0 {
		info.Flags = SetDataFrame
	}
	if bytes.HasPrefix(rest, []byte(onMetaData)) {
		info.Role = media.SequenceHeader
	}
	return info
}

// StripSetDataFrame returns the part of a script body behind a leading "@setDataFrame" string,
// which is what viewers and files need, or body itself. It shares body's memory; body's tail does
// not fit it, so strip first and take memory from NewBody after.
func StripSetDataFrame(body []byte) []byte {
	return bytes.TrimPrefix(body, []byte(setDataFrame))
}

// Metadata builds an onMetaData script body, key by key in the order of the calls. The zero value
// is ready.
type Metadata struct {
	fields []byte
	count  uint32
}

// Number adds a number.
func (m *Metadata) Number(key string, v float64) *Metadata {
	m.key(key)
	m.fields = append(m.fields, amfNumber)
	m.fields = binary.BigEndian.AppendUint64(m.fields, math.Float64bits(v))
	return m
}

// String adds a string.
func (m *Metadata) String(key, v string) *Metadata {
	m.key(key)
	if len(v) <= math.MaxUint16 {
		m.fields = append(m.fields, amfString)
		m.fields = binary.BigEndian.AppendUint16(m.fields, uint16(len(v)))
	} else {
		m.fields = append(m.fields, amfLongString)
		m.fields = binary.BigEndian.AppendUint32(m.fields, uint32(len(v)))
	}
	m.fields = append(m.fields, v...)
	return m
}

// Bool adds a boolean.
func (m *Metadata) Bool(key string, v bool) *Metadata {
	m.key(key)
	m.fields = append(m.fields, amfBool, 0)
	if v {
		m.fields[len(m.fields)-1] = 1
	}
	return m
}

// key begins a field. A key is cut at the 65535 bytes that AMF0 can state.
func (m *Metadata) key(key string) {
	key = key[:min(len(key), math.MaxUint16)]
	m.fields = binary.BigEndian.AppendUint16(m.fields, uint16(len(key)))
	m.fields = append(m.fields, key...)
	m.count++
}

// Body returns the script body in memory as NewBody gives it.
func (m *Metadata) Body() (body, tail []byte) {
	const end = "\x00\x00\x09"
	body, tail = NewBody(len(onMetaData) + 5 + len(m.fields) + len(end))
	b := append(body[:0], onMetaData...)
	b = append(b, amfECMAArray)
	b = binary.BigEndian.AppendUint32(b, m.count)
	b = append(b, m.fields...)
	copy(body[len(b):], end)
	return body, tail
}
