package link

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// ErrFormat says that what came is not of this protocol.
var ErrFormat = errors.New("malformed link frame")

// readBuffer takes what comes at once; what is larger is read past it.
const readBuffer = 64 << 10

// timeMax bounds the times of units, so that sums of them do not overflow.
const timeMax = media.Time(1) << 61

// parser reads frames. It takes no more memory than its buffer and one body of maxBody bytes,
// whatever comes.
type parser struct {
	br      *bufio.Reader
	maxBody int // negative where no units are taken
	head    [unitFixed]byte
	text    [maxText]byte
}

func newParser(r io.Reader, maxBody int) *parser {
	return &parser{br: bufio.NewReaderSize(r, readBuffer), maxBody: maxBody}
}

// next reads a frame into f. A connection that ends between two frames gives io.EOF.
func (p *parser) next(f *frame) error {
	prefix := p.head[:prefixSize]
	if _, err := io.ReadFull(p.br, prefix); err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(prefix)) - 1
	*f = frame{typ: frameType(prefix[4])}
	err := p.payload(f, size)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (p *parser) payload(f *frame, size int64) error {
	switch f.typ {
	case typeUnit:
		return p.unit(f, size)
	case typeHello, typeRefuse, typeSubscribe:
		return p.words(f, size)
	case typeUnsubscribe, typeEnd, typeGone, typeBegin, typeSeal, typePing, typePong:
		return p.fixed(f, size)
	}
	return fmt.Errorf("%w: type %d", ErrFormat, f.typ)
}

func (p *parser) fixed(f *frame, size int64) error {
	want := int64(4)
	switch f.typ {
	case typeBegin:
		want = 12
	case typeSeal:
		want = 20
	case typePing, typePong:
		want = 8
	}
	if size != want {
		return fmt.Errorf("%w: type %d of %d bytes", ErrFormat, f.typ, size)
	}
	b := p.head[:size]
	if _, err := io.ReadFull(p.br, b); err != nil {
		return err
	}
	if want == 8 {
		f.stamp = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // bits
		return nil
	}
	f.id = binary.BigEndian.Uint32(b)
	if want >= 12 {
		f.place.epoch = binary.BigEndian.Uint64(b[4:])
	}
	if want == 20 {
		f.place.seq = binary.BigEndian.Uint64(b[12:])
	}
	return nil
}

func (p *parser) words(f *frame, size int64) error {
	if size < 0 || size > maxText {
		return fmt.Errorf("%w: type %d of %d bytes", ErrFormat, f.typ, size)
	}
	b := p.text[:size]
	if _, err := io.ReadFull(p.br, b); err != nil {
		return err
	}
	switch f.typ {
	case typeHello:
		return f.hello(b)
	case typeSubscribe:
		if len(b) < subscribeHead {
			return fmt.Errorf("%w: subscription of %d bytes", ErrFormat, size)
		}
		n := int(b[20])
		rest := b[subscribeHead:]
		if n > len(rest) || len(rest)-n > maxRendition {
			return fmt.Errorf("%w: key of %d bytes", ErrFormat, n)
		}
		f.id = binary.BigEndian.Uint32(b)
		f.place = place{binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint64(b[12:])}
		f.text, f.rendition = string(rest[:n]), string(rest[n:])
	default:
		f.text = string(b)
	}
	return nil
}

// hello reads a hello. Of a later version than this node's it may have anything behind the range.
func (f *frame) hello(b []byte) error {
	if len(b) < helloFixed || string(b[:4]) != magic || b[4] <= 1 && len(b) > helloFixed+maxName {
		return fmt.Errorf("%w: no hello", ErrFormat)
	}
	f.versions, b = span{b[4], b[4]}, b[helloFixed:]
	if f.versions.most > 1 {
		if len(b) == 0 {
			return fmt.Errorf("%w: a hello without its least version", ErrFormat)
		}
		f.versions.least, b = b[0], b[1:]
	}
	f.text = string(b)
	return nil
}

// unit reads a unit, its body into the memory where it stays.
func (p *parser) unit(f *frame, size int64) error {
	if p.maxBody < 0 || size < unitFixed || size-unitFixed > int64(p.maxBody) {
		return fmt.Errorf("%w: unit of %d bytes", ErrFormat, size)
	}
	b := p.head[:]
	if _, err := io.ReadFull(p.br, b); err != nil {
		return err
	}
	f.id = binary.BigEndian.Uint32(b)
	u := &f.unit
	u.Kind, u.Role = media.Kind(b[4]), media.Role(b[5])
	u.Codec = media.FourCC(binary.BigEndian.Uint32(b[6:]))
	f.place = place{binary.BigEndian.Uint64(b[10:]), binary.BigEndian.Uint64(b[18:])}
	f.header = binary.BigEndian.Uint64(b[26:])
	u.DTS = media.Time(binary.BigEndian.Uint64(b[34:])) //nolint:gosec // bits
	u.CTS = media.Time(binary.BigEndian.Uint64(b[42:])) //nolint:gosec // bits
	if u.Kind >= media.Kinds || u.Role > media.SequenceHeader || f.place.seq == 0 ||
		outside(u.DTS) || outside(u.CTS) {
		return fmt.Errorf("%w: no such unit", ErrFormat)
	}
	u.Body, u.Tail = topic.NewBody(int(size - unitFixed))
	_, err := io.ReadFull(p.br, u.Body)
	return err
}

func outside(t media.Time) bool { return t > timeMax || t < -timeMax }
