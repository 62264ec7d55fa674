package sim

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// What can be wrong with what a viewer gets.
var (
	errOrder   = errors.New("order: a unit comes again or too late")
	errTime    = errors.New("time: a track's DTS falls")
	errHeader  = errors.New("header: a frame comes without its sequence header")
	errDecode  = errors.New("decode: a picture comes without what it refers to")
	errLoss    = errors.New("loss: a GOP goes on after something was left out")
	errPayload = errors.New("payload: not what was published")
	errForm    = errors.New("form: the serialised header is not the unit's")
)

// ledger knows what was published.
type ledger struct{ digests map[[2]uint32]uint64 }

func newLedger() *ledger { return &ledger{digests: map[[2]uint32]uint64{}} }

func (l *ledger) publish(m mark, kind media.Kind, body []byte) {
	l.digests[[2]uint32{m.session, m.n}] = digest(kind, body)
}

// check follows what one viewer gets.
type check struct {
	ledger  *ledger
	began   bool
	epoch   uint64
	seq     uint64
	dts     [media.Kinds]media.Time
	timed   [media.Kinds]bool
	headers [media.Kinds]*topic.Unit
	picture mark // the last picture
	whole   bool // nothing is missing since the last keyframe
	units   int
	jumps   int // places where units of an epoch were left out
}

// unit checks the next unit.
func (c *check) unit(u *topic.Unit) error {
	c.units++
	if err := c.form(u); err != nil {
		return err
	}
	if c.timed[u.Kind] && u.DTS < c.dts[u.Kind] {
		return fmt.Errorf("%w: %v at %d after %d ns", errTime, u.Kind, u.DTS, c.dts[u.Kind])
	}
	c.dts[u.Kind], c.timed[u.Kind] = u.DTS, true
	if u.Role == media.SequenceHeader {
		return c.header(u)
	}
	if err := c.place(u); err != nil {
		return err
	}
	m, ok := markOf(u.Kind, u.Body)
	if !ok || c.ledger.digests[[2]uint32{m.session, m.n}] != digest(u.Kind, u.Body) {
		return fmt.Errorf("%w: %v of %d bytes, %+v", errPayload, u.Kind, len(u.Body), m)
	}
	if u.Kind == media.Data {
		return nil
	}
	if err := c.headed(u, m); err != nil {
		return err
	}
	if u.Kind == media.Video {
		return c.decodes(u, m)
	}
	return nil
}

// header takes a sequence header: never an older one than the track has. When a viewer begins, it
// gets the headers of a place together, in the order of the tracks.
func (c *check) header(u *topic.Unit) error {
	if h := c.headers[u.Kind]; h != nil &&
		(u.Epoch < h.Epoch || u.Epoch == h.Epoch && u.Seq <= h.Seq) {
		return fmt.Errorf("%w: header %d.%d after %d.%d", errOrder, u.Epoch, u.Seq, h.Epoch, h.Seq)
	}
	c.headers[u.Kind] = u
	if c.began && u.Epoch == c.epoch && u.Seq == c.seq+1 {
		c.seq++
	}
	return nil
}

// place holds the order, and notes where units are left out.
func (c *check) place(u *topic.Unit) error {
	switch {
	case !c.began || u.Epoch > c.epoch:
		c.whole = false
	case u.Epoch < c.epoch || u.Seq <= c.seq:
		return fmt.Errorf("%w: %d.%d after %d.%d", errOrder, u.Epoch, u.Seq, c.epoch, c.seq)
	case u.Seq != c.seq+1:
		c.jumps++
		c.whole = false
	}
	c.began, c.epoch, c.seq = true, u.Epoch, u.Seq
	return nil
}

// headed holds that the decoder was set up as the publisher set it up.
func (c *check) headed(u *topic.Unit, m mark) error {
	want := videoHeader(m.session, m.header)
	if u.Kind == media.Audio {
		want = audioHeader(m.session, m.header)
	}
	h := c.headers[u.Kind]
	if h == nil || h.Epoch != u.Epoch || !bytes.Equal(h.Body, want) {
		return fmt.Errorf("%w: %v %d.%d %+v", errHeader, u.Kind, u.Epoch, u.Seq, m)
	}
	return nil
}

// decodes holds that a picture comes after the one before it in its GOP.
func (c *check) decodes(u *topic.Unit, m mark) error {
	last := c.picture
	c.picture = m
	if (u.Role == media.Keyframe) != (m.index == 0) {
		return fmt.Errorf("%w: %v %+v", errPayload, u.Role, m)
	}
	if m.index == 0 {
		c.whole = true
		return nil
	}
	if last.session != m.session || last.gop != m.gop || last.index+1 != m.index {
		return fmt.Errorf("%w: %+v after %+v", errDecode, m, last)
	}
	if !c.whole {
		return fmt.Errorf("%w: %d.%d %+v", errLoss, u.Epoch, u.Seq, m)
	}
	return nil
}

// form holds what a unit says of itself to its bytes, and its serialised form to what it says.
func (c *check) form(u *topic.Unit) error {
	info, err := flv.Parse(u.Kind, u.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	var want [flv.TagHeaderSize]byte
	flv.PutTagHeader(&want, u.Kind, u.DTS, len(u.Body))
	header, rest := u.FLV()
	if info.CTS != u.CTS || info.Role != u.Role || !bytes.Equal(header, want[:]) ||
		!bytes.HasPrefix(rest, u.Body) {
		return fmt.Errorf("%w: %v %d.%d", errForm, u.Kind, u.Epoch, u.Seq)
	}
	return nil
}
