package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// The messages between an actor and the child process that runs its pipeline: a length of four
// bytes, which counts what follows, a byte for the type, then the fields in order, big-endian. The
// actor asks and the child answers, one question at a time. An answer to unit or resume is any
// number of record and output, then report; to order it is applied.
const (
	msgOptions byte = 'c' // childOptions as JSON, once and first
	msgOrder   byte = 'o'
	msgHeader  byte = 'h' // the sequence header of the units that follow
	msgUnit    byte = 'u'
	msgResume  byte = 'r'
	msgDrill   byte = 'd'

	msgApplied byte = 'A'
	msgRecord  byte = 'R' // of the outputs that follow
	msgOutput  byte = 'O'
	msgReport  byte = 'D'
)

// maxMessage bounds a message: an FLV body and its fields.
const maxMessage = flv.MaxBodySize + 256

// maxControl bounds every message that carries no picture.
const maxControl = 1 << 18

// errWire says that the other side does not speak as agreed.
var errWire = errors.New("malformed message")

// link is one side of the conversation.
type link struct {
	r    *bufio.Reader
	w    *bufio.Writer
	buf  []byte
	next [5]byte // the head of the next message
}

func newLink(rw io.ReadWriter) *link {
	return &link{r: bufio.NewReaderSize(rw, 1<<16), w: bufio.NewWriterSize(rw, 1<<16)}
}

// put writes a message of fields, which the caller has appended behind start's five bytes, and a
// body.
func (l *link) put(message, body []byte) error {
	binary.BigEndian.PutUint32(message, uint32(len(message)-4+len(body)))
	l.buf = message[:0]
	if _, err := l.w.Write(message); err != nil {
		return err
	}
	_, err := l.w.Write(body)
	return err
}

// start begins a message.
func (l *link) start(kind byte) []byte { return append(l.buf[:0], 0, 0, 0, 0, kind) }

// head reads the length and type of the next message.
func (l *link) head() (kind byte, n int, err error) {
	h := l.next[:]
	if _, err := io.ReadFull(l.r, h); err != nil {
		return 0, 0, err
	}
	n = int(binary.BigEndian.Uint32(h)) - 1
	if n < 0 || n > maxMessage || n > maxControl && h[4] != msgUnit && h[4] != msgOutput {
		return 0, 0, fmt.Errorf("%w: %d bytes of type %q", errWire, n, h[4])
	}
	return h[4], n, nil
}

// rest reads n bytes into memory that the next call uses again.
func (l *link) rest(n int) ([]byte, error) {
	if cap(l.buf) < n {
		l.buf = make([]byte, n)
	}
	l.buf = l.buf[:n]
	_, err := io.ReadFull(l.r, l.buf)
	return l.buf, err
}

// fields reads the fields of a message. What is missing reads as zero, and is an error in the end.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if len(f.b) < n {
		f.short = true
		return make([]byte, n)
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u8() byte         { return f.take(1)[0] }
func (f *fields) u16() uint16      { return binary.BigEndian.Uint16(f.take(2)) }
func (f *fields) u32() uint32      { return binary.BigEndian.Uint32(f.take(4)) }
func (f *fields) u64() uint64      { return binary.BigEndian.Uint64(f.take(8)) }
func (f *fields) time() media.Time { return media.Time(f.u64()) }
func (f *fields) f64() float64     { return math.Float64frombits(f.u64()) }

func (f *fields) span() time.Duration { return max(0, time.Duration(f.u64())) }

// end tells whether the message was as long as its fields.
func (f *fields) end(kind byte) error {
	if f.short || len(f.b) > 0 {
		return fmt.Errorf("%w: length of type %q", errWire, kind)
	}
	return nil
}

func appendTime(b []byte, t media.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t))
}

// Flags of an order, a unit and an output.
const (
	flagEmit byte = 1 << iota
	flagMask
	flagGap
	flagHeader
)

func flag(on bool, f byte) byte {
	if on {
		return f
	}
	return 0
}

// appendOrder writes an order. Of more regions than there may be it writes one too many, which has
// the same effect.
func appendOrder(b []byte, o *Order) []byte {
	b = binary.BigEndian.AppendUint64(b, o.Version)
	b = append(b, byte(o.Mode), flag(o.Emit, flagEmit)|flag(o.Mask, flagMask))
	b = appendTime(b, o.From)
	b = binary.BigEndian.AppendUint64(b, o.Refresh)
	regions := o.Regions[:min(len(o.Regions), settings.MaxRects+1)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(regions)))
	for _, r := range regions {
		for _, v := range [...]float64{r.X, r.Y, r.W, r.H} {
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b
}

func parseOrder(b []byte) (Order, error) {
	f := fields{b: b}
	o := Order{Version: f.u64(), Mode: settings.Mode(f.u8())}
	flags := f.u8()
	o.Emit, o.Mask = flags&flagEmit != 0, flags&flagMask != 0
	o.From, o.Refresh = f.time(), f.u64()
	n := int(f.u16())
	if n > settings.MaxRects+1 {
		return o, fmt.Errorf("%w: %d regions", errWire, n)
	}
	for range n {
		o.Regions = append(o.Regions, settings.Rect{X: f.f64(), Y: f.f64(), W: f.f64(), H: f.f64()})
	}
	return o, f.end(msgOrder)
}

// unitFields is the size of a unit's fields in front of its body.
const unitFields = 8 + 8 + 4 + 1 + 1 + 1

func appendUnit(b []byte, u *Unit, pace int) []byte {
	b = appendTime(appendTime(b, u.DTS), u.CTS)
	b = binary.BigEndian.AppendUint32(b, uint32(u.Codec))
	flags := flag(u.Gap, flagGap) | flag(u.Header != nil, flagHeader)
	return append(b, byte(u.Role), flags, byte(pace))
}

func parseUnit(b, header []byte) (u Unit, pace int, err error) {
	if len(b) < unitFields {
		return u, 0, fmt.Errorf("%w: a unit of %d bytes", errWire, len(b))
	}
	f := fields{b: b[:unitFields]}
	u.DTS, u.CTS, u.Codec = f.time(), f.time(), media.FourCC(f.u32())
	u.Kind, u.Role = media.Video, media.Role(f.u8())
	flags := f.u8()
	u.Gap = flags&flagGap != 0
	if flags&flagHeader != 0 {
		u.Header = header
	}
	u.Body = b[unitFields:]
	return u, int(f.u8()), nil
}

// outputFields is the size of an output's fields in front of its body.
const outputFields = 8 + 8 + 8 + 8 + 8 + 1

func appendOutput(b []byte, o *Output) []byte {
	b = binary.BigEndian.AppendUint64(b, o.Seq)
	b = binary.BigEndian.AppendUint64(b, o.Version)
	b = appendTime(appendTime(b, o.Unit.DTS), o.Unit.CTS)
	b = binary.BigEndian.AppendUint64(b, uint64(o.Took))
	return append(b, flag(o.Masked, flagMask))
}

// parseOutput reads the fields of an output, whose unit is not made yet.
func parseOutput(b []byte) *Output {
	f := fields{b: b}
	o := &Output{Seq: f.u64(), Version: f.u64()}
	o.Unit.DTS, o.Unit.CTS = f.time(), f.time()
	o.Took = f.span()
	o.Masked = f.u8()&flagMask != 0
	return o
}

func appendReport(b []byte, r *Report) []byte {
	for _, n := range [...]uint32{
		r.Decoded, r.Encoded, r.Masked, r.Passed, r.Dropped, r.Errors,
	} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	for _, d := range [...]time.Duration{r.Decode, r.Filter, r.Encode} {
		b = binary.BigEndian.AppendUint64(b, uint64(d))
	}
	b = append(b, flag(r.Decoding, flagEmit))
	return append(b, r.Fault...)
}

func parseReport(b []byte) (Report, error) {
	f := fields{b: b}
	r := Report{
		Decoded: f.u32(), Encoded: f.u32(), Masked: f.u32(), Passed: f.u32(), Dropped: f.u32(),
		Errors: f.u32(), Decode: f.span(), Filter: f.span(), Encode: f.span(),
		Decoding: f.u8()&flagEmit != 0,
	}
	if f.short || len(f.b) > maxFault {
		return Report{}, fmt.Errorf("%w: a report of %d bytes", errWire, len(b))
	}
	r.Fault = string(f.b)
	return r, nil
}
