package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/headwater-live/headwater/codec/flv"
)

// maxResponse is the greatest length in bytes of the head of an HTTP response.
const maxResponse = 4096

// tagParser reads an HTTP response that is an FLV stream as it comes and keeps nothing of it but
// the heads of the tags.
type tagParser struct {
	response []byte // the head of the HTTP response; nil once it is read
	started  bool   // the FLV header is read
	header   [4 + flv.TagHeaderSize]byte
	have     int
	skip     int // where in header the tag header begins: behind the size of the tag before
	length   int // of the body of the present tag
	left     int // bytes of it to come
	head     []byte
}

func newTagParser() tagParser {
	return tagParser{response: make([]byte, 0, 512), head: make([]byte, 0, mediaHead)}
}

// accepted tells whether the server has said 200.
func (p *tagParser) accepted() bool { return p.response == nil }

// feed reads b and calls emit for each tag that it completes.
func (p *tagParser) feed(b []byte, emit func(message) error) error {
	if p.response != nil {
		n, err := p.readResponse(b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	for len(b) > 0 {
		if p.left == 0 {
			n, err := p.readHeader(b)
			b = b[n:]
			if err != nil {
				return err
			}
			continue
		}
		n := min(p.left, len(b))
		if room := mediaHead - len(p.head); room > 0 {
			p.head = append(p.head, b[:min(room, n)]...)
		}
		b = b[n:]
		p.left -= n
		if p.left > 0 {
			continue
		}
		m := message{typ: p.header[p.skip] & 0x1f, length: p.length, head: p.head}
		p.head, p.skip = p.head[:0], 4
		if err := emit(m); err != nil {
			return err
		}
	}
	return nil
}

// readResponse takes the head of the response and checks it.
func (p *tagParser) readResponse(b []byte) (int, error) {
	before := len(p.response)
	p.response = append(p.response, b[:min(len(b), maxResponse-before)]...)
	end := bytes.Index(p.response, []byte("\r\n\r\n"))
	if end < 0 {
		if len(p.response) == maxResponse {
			return 0, fmt.Errorf("no end of the HTTP head in %d bytes", maxResponse)
		}
		return len(b), nil
	}
	status, rest, _ := bytes.Cut(p.response[:end], []byte("\r\n"))
	if fields := bytes.Fields(status); len(fields) < 2 || string(fields[1]) != "200" {
		return 0, fmt.Errorf("HTTP answer %q, want 200", status)
	}
	if bytes.Contains(bytes.ToLower(rest), []byte("transfer-encoding")) {
		return 0, fmt.Errorf("HTTP answer with a transfer encoding: %q", rest)
	}
	p.response = nil
	return end + 4 - before, nil
}

// readHeader takes bytes of the file header or a tag header.
func (p *tagParser) readHeader(b []byte) (int, error) {
	want := p.skip + flv.TagHeaderSize
	if !p.started {
		want = flv.FileHeaderSize
	}
	n := copy(p.header[p.have:want], b)
	p.have += n
	if p.have < want {
		return n, nil
	}
	p.have = 0
	if !p.started {
		p.started = true
		if string(p.header[:3]) != "FLV" {
			return n, fmt.Errorf("stream begins with %q, want FLV", p.header[:3])
		}
		return n, nil
	}
	if size := binary.BigEndian.Uint32(p.header[:4]); p.skip > 0 && size != p.tagSize() {
		return n, fmt.Errorf("previous tag size %d, want %d", size, p.tagSize())
	}
	h := p.header[p.skip:]
	p.length = int(h[1])<<16 | int(h[2])<<8 | int(h[3])
	p.left = p.length
	if h[0] != flv.TypeAudio && h[0] != flv.TypeVideo && h[0] != flv.TypeScript {
		return n, fmt.Errorf("tag type %d", h[0])
	}
	if p.length == 0 {
		return n, fmt.Errorf("tag of type %d without a body", h[0])
	}
	return n, nil
}

func (p *tagParser) tagSize() uint32 { return uint32(flv.TagHeaderSize + p.length) }
