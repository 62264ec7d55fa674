package topic

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// claim is what a unit's payload says of itself: which header it was made under, for a picture
// which GOP it is of and the how manieth of it.
type claim struct{ epoch, header, gop, index uint32 }

func (c claim) body() (body, tail []byte) {
	body, tail = flv.NewBody(16)
	for i, v := range []uint32{c.epoch, c.header, c.gop, c.index} {
		binary.BigEndian.PutUint32(body[4*i:], v)
	}
	return body, tail
}

func claimOf(u *Unit) (c claim) {
	for i, v := range []*uint32{&c.epoch, &c.header, &c.gop, &c.index} {
		*v = binary.BigEndian.Uint32(u.Body[4*i:])
	}
	return c
}

// encoder makes a broadcast of random shape, epoch after epoch.
type encoder struct {
	epoch   uint64
	seq     uint64
	dts     media.Time
	counter uint32
	headers Headers
	picture claim
}

// next gives the next unit of a kind; fresh wants a new header, for video with a keyframe to come.
func (e *encoder) next(kind media.Kind, fresh bool) *Unit {
	e.dts += 10 * ms
	e.seq++
	au := media.AccessUnit{Kind: kind, DTS: e.dts, Role: media.Keyframe, Codec: media.AAC}
	header := e.headers[kind]
	c := claim{epoch: uint32(e.epoch)}
	switch {
	case header == nil || fresh:
		e.counter++
		au.Role, c.header, header = media.SequenceHeader, e.counter, nil
		if kind == media.Video {
			e.picture = claim{}
		}
	case kind == media.Video:
		au.Role, e.picture.index = media.Frame, e.picture.index+1
		if e.picture.gop == 0 {
			e.counter++
			au.Role, e.picture = media.Keyframe, claim{gop: e.counter}
		}
		c.gop, c.index = e.picture.gop, e.picture.index
		fallthrough
	default:
		c.header = claimOf(header).header
	}
	if kind == media.Video {
		au.Codec = media.AVC
	}
	au.Body, au.Tail = c.body()
	u := NewUnit(e.epoch, e.seq, au)
	u.Header = header
	if au.Role == media.SequenceHeader {
		e.headers[kind] = u
	}
	return u
}

// restart begins another epoch, perhaps earlier than the last one ended.
func (e *encoder) restart(back media.Time) {
	*e = encoder{epoch: e.epoch + 1, dts: max(0, e.dts-back), counter: e.counter}
}

// decoder checks that what a viewer gets decodes, in order.
type decoder struct {
	reader  *Reader
	last    [media.Kinds]media.Time
	headers [media.Kinds]claim
	picture claim
	epoch   uint64
	units   int
}

func (d *decoder) take(t *testing.T, u *Unit) {
	t.Helper()
	d.units++
	c := claimOf(u)
	switch {
	case u.DTS < d.last[u.Kind]:
		t.Fatalf("%v falls from %v to %v", u.Kind, d.last[u.Kind], u.DTS)
	case u.Epoch < d.epoch || uint64(c.epoch) != u.Epoch:
		t.Fatalf("epoch %d comes after %d, its payload is of %d", u.Epoch, d.epoch, c.epoch)
	}
	d.last[u.Kind], d.epoch = u.DTS, u.Epoch
	if u.Role == media.SequenceHeader {
		d.headers[u.Kind] = c
		return
	}
	if want := d.headers[u.Kind]; want.header != c.header || want.epoch != c.epoch {
		t.Fatalf("%v %v of header %d is given under header %d", u.Kind, u.Role, c.header, want.header)
	}
	if u.Kind != media.Video {
		return
	}
	if u.Role == media.Frame && (c.gop != d.picture.gop || c.index != d.picture.index+1) {
		t.Fatalf("frame %d of GOP %d comes after frame %d of GOP %d",
			c.index, c.gop, d.picture.index, d.picture.gop)
	}
	d.picture = c
}

// chain is a broadcast's way: encoder, origin, edge, viewers, with faults between each two.
type chain struct {
	encoder      encoder
	origin, edge *Machine
	decoders     []*decoder
	stale        []*Unit
	script       []byte
}

func newChain(script []byte) *chain {
	limits := Limits{Bytes: 120 * (20 + overhead), Time: 800 * ms}
	c := &chain{
		origin: NewMachine(NewRing(limits)), edge: NewMachine(NewRing(limits)), script: script,
	}
	c.encoder.restart(0)
	for i := range 6 {
		c.decoders = append(c.decoders, &decoder{
			reader: NewReader(c.edge.ring, media.Time(i%3)*300*ms),
		})
	}
	return c
}

// draw is the next byte of the script modulo n.
func (c *chain) draw(n int) int {
	if len(c.script) == 0 {
		return n - 1 // which is never a fault
	}
	b := c.script[0]
	c.script = c.script[1:]
	return int(b) % n
}

// pass gives a unit to the origin and on to the edge, unless it is lost on the way.
func (c *chain) pass(t *testing.T, u *Unit) {
	fault := c.draw(24)
	if fault == 0 {
		return // lost before the origin
	}
	entered, err := c.origin.Push(u)
	if fault == 1 {
		if _, again := c.origin.Push(u); again == nil {
			t.Fatal("a unit enters twice")
		}
	}
	if err != nil || fault == 2 {
		return // lost before the edge
	}
	switch _, err := c.edge.Push(entered); {
	case fault == 3:
		_, _ = c.edge.Push(entered)
	case errors.Is(err, ErrNoHeader) && entered.Header != nil:
		t.Fatalf("%v that brings its header is refused: %v", entered.Kind, err)
	}
}

// resync has the edge subscribe anew, sometimes as another actor than before.
func (c *chain) resync() {
	if c.draw(2) == 0 {
		c.edge = NewMachine(c.edge.ring)
	}
	for _, u := range c.origin.Snapshot() {
		_, _ = c.edge.Adopt(u)
	}
}

func (c *chain) step(t *testing.T) {
	switch action := c.draw(40); action {
	case 0:
		c.stale = append(c.stale, c.encoder.next(media.Video, false))
		c.encoder.restart(media.Time(c.draw(100)) * 10 * ms)
	case 1:
		c.resync()
	case 2:
		c.origin = NewMachine(c.origin.ring)
	case 3, 4:
		c.pass(t, c.encoder.next([]media.Kind{media.Video, media.Audio}[action-3], true))
	case 5, 6:
		c.encoder.picture = claim{} // the next picture is a keyframe
	case 7:
		for _, u := range c.stale {
			c.pass(t, u)
		}
	case 8:
		c.pass(t, c.encoder.next(media.Data, c.draw(2) == 0))
	default:
		c.pass(t, c.encoder.next([]media.Kind{media.Video, media.Audio}[action%2], false))
	}
	if c.draw(3) > 0 {
		c.edge.ring.Publish()
	}
	d := c.decoders[c.draw(len(c.decoders))]
	batch := make([]*Unit, 0, MinBatch+c.draw(20))
	for _, u := range d.reader.Next(batch, 1+c.draw(100)*20) {
		d.take(t, u)
	}
}

// finish ends the faults: then everybody gets to the last GOP, to its last unit.
func (c *chain) finish(t *testing.T) {
	c.encoder.picture = claim{}
	var last *Unit
	for range 8 {
		for _, kind := range []media.Kind{media.Video, media.Audio} {
			last = c.encoder.next(kind, false)
			c.pass(t, last)
		}
	}
	c.edge.ring.Publish()
	for i, d := range c.decoders {
		for {
			units := d.reader.Next(make([]*Unit, 0, 64), 1<<20)
			if len(units) == 0 {
				break
			}
			for _, u := range units {
				d.take(t, u)
			}
		}
		if d.epoch != c.encoder.epoch || d.picture != claimOf(c.latest()) {
			t.Fatalf("reader %d ends at %+v of epoch %d, the encoder at %+v of epoch %d",
				i, d.picture, d.epoch, claimOf(c.latest()), c.encoder.epoch)
		}
	}
}

// latest is the newest picture at the edge.
func (c *chain) latest() *Unit {
	for pos := c.edge.ring.head.Load(); pos > 0; pos-- {
		if u := c.edge.ring.at(pos - 1); u.Kind == media.Video && u.Role != media.SequenceHeader {
			return u
		}
	}
	return nil
}

func runChain(t *testing.T, script []byte) *chain {
	c := newChain(script)
	for len(c.script) > 0 {
		c.step(t)
	}
	c.finish(t)
	return c
}

// Whatever is lost, repeated, late or restarted between publisher and viewer, what a viewer gets
// decodes, in order, and in the end he has it all.
func TestChain(t *testing.T) {
	units, skips := 0, uint64(0)
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 4000)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		for _, d := range runChain(t, script).decoders {
			units += d.units
			times, _ := d.reader.Skips()
			skips += times
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if units == 0 || skips == 0 {
		t.Errorf("%d units and %d skips: the test tests nothing", units, skips)
	}
}

func FuzzChain(f *testing.F) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 2))
		script := make([]byte, 500)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 1<<12 {
			return
		}
		runChain(t, script)
	})
}
