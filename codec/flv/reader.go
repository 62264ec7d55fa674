package flv

import (
	"errors"
	"fmt"
	"io"

	"github.com/headwater-live/headwater/codec/media"
)

// DefaultMaxBody is the largest tag body that a Reader takes when it is given no bound of its own.
const DefaultMaxBody = 8 << 20

// maxFileHeader bounds the DataOffset of a file header. Version 1 has 9.
const maxFileHeader = 1 << 10

// Tag is one tag of an FLV stream.
type Tag struct {
	Kind media.Kind
	// Time is the timestamp, from 0 to 2^32-1 ms. It is as the stream has it: it may wrap.
	Time media.Time
	// Body and Tail are as NewBody gives them, and the caller's to keep.
	Body, Tail []byte
}

// Reader reads an FLV stream tag by tag. It reads no further than the tag it returns, so wrap what
// is costly to read in small pieces in a bufio.Reader. It is not safe for concurrent use.
type Reader struct {
	r       io.Reader
	maxBody int
	offset  int64
	begun   bool
	video   bool
	audio   bool
	err     error
	buf     [FileHeaderSize]byte
}

// NewReader returns a Reader of r that refuses tag bodies of more than maxBody bytes, or of
// DefaultMaxBody when maxBody is not positive.
func NewReader(r io.Reader, maxBody int) *Reader {
	if maxBody <= 0 {
		maxBody = DefaultMaxBody
	}
	return &Reader{r: r, maxBody: min(maxBody, MaxBodySize)}
}

// Header reads the file header, if it was not read yet, and returns which tracks it announces.
// Live streams may announce a track that never comes and carry one that was not announced.
func (r *Reader) Header() (video, audio bool, err error) {
	if !r.begun && r.err == nil {
		r.begun = true
		r.err = r.readHeader()
	}
	return r.video, r.audio, r.err
}

// Next reads the next tag. The error is io.EOF at the end of a stream that ends between tags, and
// otherwise names the byte offset at which the tag began; it repeats on further calls.
func (r *Reader) Next() (Tag, error) {
	if _, _, err := r.Header(); err != nil {
		return Tag{}, err
	}
	at := r.offset
	tag, err := r.readTag()
	if err == nil || err == io.EOF {
		r.err = err
		return tag, err
	}
	r.err = fmt.Errorf("tag at byte %d: %w", at, err)
	return Tag{}, r.err
}

// Offset returns how many bytes of the stream were read.
func (r *Reader) Offset() int64 { return r.offset }

func (r *Reader) readHeader() error {
	h := r.buf[:9]
	if err := r.fill(h); err != nil {
		return fmt.Errorf("file header at byte 0: %w", noEOF(err))
	}
	if string(h[:3]) != "FLV" || h[3] != 1 {
		return fmt.Errorf("%w: file header at byte 0 is % x, want FLV version 1", ErrInvalid, h[:4])
	}
	size := be32(h[5:])
	if size < 9 || size > maxFileHeader {
		return fmt.Errorf("%w: file header of %d bytes, want 9 to %d",
			ErrInvalid, size, maxFileHeader)
	}
	r.video, r.audio = h[4]&headerVideo != 0, h[4]&headerAudio != 0
	// What a later version may have behind the nine bytes, and PreviousTagSize0.
	n, err := io.CopyN(io.Discard, r.r, int64(size)-9+previousTagSize)
	r.offset += n
	if err != nil {
		return fmt.Errorf("file header at byte %d: %w", r.offset, noEOF(err))
	}
	return nil
}

func (r *Reader) readTag() (Tag, error) {
	h := r.buf[:TagHeaderSize]
	if err := r.fill(h); err != nil {
		return Tag{}, err
	}
	kind, ok := kindOf(h[0])
	if !ok {
		return Tag{}, fmt.Errorf("%w: tag type %d", ErrInvalid, h[0])
	}
	if h[8]|h[9]|h[10] != 0 {
		return Tag{}, fmt.Errorf("%w: stream id % x, want 0", ErrInvalid, h[8:11])
	}
	size := int(h[1])<<16 | int(h[2])<<8 | int(h[3])
	if size > r.maxBody {
		return Tag{}, fmt.Errorf("%w: body of %d bytes, at most %d are taken",
			ErrInvalid, size, r.maxBody)
	}
	ms := uint32(h[7])<<24 | uint32(h[4])<<16 | uint32(h[5])<<8 | uint32(h[6])
	body, tail := NewBody(size)
	if err := r.fill(tail); err != nil {
		return Tag{}, noEOF(err)
	}
	if got := be32(tail[size:]); got != uint32(TagHeaderSize+size) {
		return Tag{}, fmt.Errorf("%w: PreviousTagSize %d behind a tag of %d bytes",
			ErrInvalid, got, TagHeaderSize+size)
	}
	return Tag{Kind: kind, Time: media.FromMillis(int64(ms)), Body: body, Tail: tail}, nil
}

func (r *Reader) fill(b []byte) error {
	n, err := io.ReadFull(r.r, b)
	r.offset += int64(n)
	return err
}

// noEOF turns an end between two reads into an end inside a tag.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
