package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

// The pipeline of the property test works on pictures that are all white, with codecs that are as
// quick as they are simple: an output's payload is the luma of two places of its picture.
const (
	white     = 235
	nalIDR    = 0x65
	nalSlice  = 0x41
	reordered = 2 // pictures that the decoder holds back
)

// paper is a decoder whose every picture is white, and which fails now and then.
type paper struct {
	random *rand.Rand
	size   size
	pool   *av.Pool
	held   []*av.Frame
	opened *int
}

func (d *paper) Configure(record []byte) error {
	config, err := avc.ParseConfig(record)
	if err != nil {
		return err
	}
	w, h, _, err := config.Size()
	if err != nil || (size{w, h}) == d.size {
		return err
	}
	if d.pool != nil {
		d.pool.Close()
	}
	d.size = size{w, h}
	d.pool, err = av.NewPool(w, h, 64)
	return err
}

func (d *paper) Decode(_ []byte, pts, _ media.Time, emit func(*av.Frame) error) error {
	if d.random.IntN(20) == 0 {
		return av.ErrInvalidData
	}
	f, err := d.pool.Get()
	if err != nil {
		return err
	}
	v := view(f, d.size)
	for y := range v.Y.Height {
		row := v.Y.Row(y)
		for x := range row {
			row[x] = white
		}
	}
	f.SetPTS(pts)
	d.held = append(d.held, f)
	if len(d.held) <= reordered {
		return nil
	}
	f, d.held = d.held[0], d.held[1:]
	return emit(f)
}

func (d *paper) Flush(emit func(*av.Frame) error) error {
	for _, f := range d.held {
		if err := emit(f); err != nil {
			return err
		}
	}
	d.held = nil
	return nil
}

func (d *paper) Close() {
	for _, f := range d.held {
		f.Release()
	}
	d.held = nil
	d.pool.Close()
	*d.opened--
}

// note is an encoder that writes down what it sees in the middle of the upper left quarter, and at
// the lower right.
type note struct {
	random *rand.Rand
	size   size
	begun  bool
	record []byte
	data   []byte
	opened *int
}

func (e *note) Encode(f *av.Frame, pts media.Time, idr bool) (av.Packet, error) {
	if e.random.IntN(30) == 0 {
		return av.Packet{}, errors.New("the encoder fails")
	}
	w, h := f.Size()
	if (size{w, h}) != e.size {
		return av.Packet{}, fmt.Errorf("a picture of %dx%d, want %v", w, h, e.size)
	}
	idr = idr || !e.begun
	e.begun = true
	nal := byte(nalSlice)
	if idr {
		nal = nalIDR
	}
	v := view(f, e.size)
	inside, outside := v.Y.Row(h / 4)[w/4], v.Y.Row(h - 1)[w-1]
	e.data = append(e.data[:0], 0, 0, 0, 3, nal, inside, outside)
	return av.Packet{PTS: pts, IDR: idr, Data: e.data}, nil
}

func (e *note) SetBitrate(int) error { return nil }
func (e *note) Record() []byte       { return e.record }
func (e *note) Close()               { *e.opened-- }

// world drives a pipeline at random, and knows what must come of it.
type world struct {
	t       *testing.T
	random  *rand.Rand
	p       *Pipeline
	opened  int // codecs
	headers [][]byte
	header  []byte
	dts     media.Time
	since   int // pictures since the last IDR picture
	order   Order
	from    media.Time
	ordered bool
	outputs []*Output
	blind   bool // the filter fails
}

func newWorld(t *testing.T, seed uint64, headers [][]byte, height int) *world {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
	w := &world{t: t, random: random, headers: headers, header: headers[0]}
	w.p = newPipeline(PipelineOptions{Rendition: settings.Rendition{Height: height}}, codecs{
		decoder: func(record []byte, _ av.Limits) (decoder, error) {
			w.opened++
			d := &paper{random: random, opened: &w.opened}
			return d, d.Configure(record)
		},
		encoder: func(o av.EncoderOptions) (av.Encoder, error) {
			if random.IntN(20) == 0 {
				return nil, errors.New("no encoder")
			}
			w.opened++
			return &note{
				random: random, size: size{o.Width, o.Height}, opened: &w.opened,
				record: fmt.Append(nil, o.Width, o.Height, w.opened),
			}, nil
		},
		blur: func(dst, src *halide.Frame, regions []halide.Region, rest bool) error {
			if w.blind && random.IntN(2) == 0 {
				return errors.New("no kernel")
			}
			return halide.BlurRegions(dst, src, regions, rest)
		},
	})
	return w
}

func (w *world) step() {
	switch w.random.IntN(12) {
	case 0, 1:
		w.command()
	case 2:
		_, err := w.p.Resume(w.emit)
		w.check(err)
	case 3:
		w.blind = w.random.IntN(2) == 0
		w.header = w.headers[w.random.IntN(len(w.headers))]
		w.since = 0
	default:
		w.push()
	}
}

// command gives an order at random.
func (w *world) command() {
	o := Order{
		Version: w.order.Version + uint64(w.random.IntN(2)), Emit: w.random.IntN(4) > 0,
		Refresh: w.order.Refresh + uint64(w.random.IntN(2)), Mask: w.random.IntN(8) == 0,
		Mode: settings.Solid,
	}
	if w.random.IntN(2) == 0 {
		o.Regions = upperLeft
	}
	if w.random.IntN(3) == 0 {
		o.From = w.dts + media.Time(w.random.IntN(600)-300)*ms
	}
	w.order, w.ordered = o, true
	w.from = w.p.Order(o)
	if w.from < o.From {
		w.t.Fatalf("holds from %v, asked for %v", w.from, o.From)
	}
	if n := len(w.outputs); n > 0 && w.from <= w.outputs[n-1].Unit.PTS() {
		w.t.Fatalf("holds from %v, the last output is of %v", w.from, w.outputs[n-1].Unit.PTS())
	}
}

func (w *world) push() {
	w.dts += media.Time(20+w.random.IntN(30)) * ms
	idr := w.since == 0 || w.random.IntN(10) == 0
	w.since++
	body, tail := flv.NewBody(10)
	copy(body, "\x27\x01\x00\x00\x42\x00\x00\x00\x01\x41")
	role := media.Frame
	if idr {
		body[0], body[9], role = 0x17, nalIDR, media.Keyframe
	}
	u := &Unit{Header: w.header, Gap: w.random.IntN(25) == 0}
	u.AccessUnit = media.AccessUnit{
		Kind: media.Video, Codec: media.AVC, Role: role, DTS: w.dts, CTS: 66 * ms,
		Body: body, Tail: tail,
	}
	_, err := w.p.Push(u, []int{0, 1, 1, 1, 2, 4}[w.random.IntN(6)], w.emit)
	w.check(err)
}

func (w *world) check(err error) {
	if err != nil {
		w.t.Fatal(err)
	}
}

// emit holds each output to the order of the moment.
func (w *world) emit(o *Output) error {
	if err := sound(o, w.outputs); err != nil {
		return err
	}
	w.outputs = append(w.outputs, o)
	inside, outside := o.Unit.Body[10], o.Unit.Body[11]
	covered := len(w.order.Regions) > 0 || w.order.Mask
	switch {
	case !w.ordered || !w.order.Emit:
		return errors.New("an output that nobody asked for")
	case o.Version != w.order.Version:
		return fmt.Errorf("version %d, want %d", o.Version, w.order.Version)
	case o.Unit.PTS() < w.from:
		return fmt.Errorf("an output of %v, the order holds from %v", o.Unit.PTS(), w.from)
	case covered && inside != maskLuma:
		return fmt.Errorf("the region shows %d", inside)
	case w.order.Mask && !o.Masked:
		return errors.New("not masked")
	case o.Masked && outside != maskLuma:
		return fmt.Errorf("a masked picture shows %d", outside)
	case !o.Masked && outside != white:
		return fmt.Errorf("the rest shows %d", outside)
	case !covered && !o.Masked && inside != white:
		return fmt.Errorf("a picture without a blur shows %d", inside)
	}
	return nil
}

// Whatever the orders, the losses and the faults are, and in whatever order they come: an output is
// made under the order of the moment, of a time from which it holds, and shows nothing that the
// order hides.
func TestOrdersAtRandom(t *testing.T) {
	var headers [][]byte
	for _, size := range []string{"128x192", "192x128", "66x66"} {
		headers = append(headers, clip(t, recipe{
			input: "color=s=" + size, frames: 1, args: "-bf 0",
		})[0].Body)
	}
	_, before := av.Live()
	encoded := 0
	for seed := range uint64(300) {
		w := newWorld(t, seed, headers, []int{0, 64}[seed%2])
		for range 300 {
			w.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		encoded += len(w.outputs)
		w.p.Close()
		if w.opened != 0 {
			t.Fatalf("seed %d: %d codecs are left open", seed, w.opened)
		}
	}
	if _, after := av.Live(); after != before {
		t.Errorf("%d frames are left", after-before)
	}
	if encoded < 10_000 {
		t.Errorf("%d outputs in all: the test sees too little", encoded)
	}
}

// An error of whoever takes the outputs comes back, and no more are made for the same unit.
func TestEmitFails(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 5})
	p := NewPipeline(PipelineOptions{})
	defer p.Close()
	p.Order(emitting(1))
	full := errors.New("full")
	for _, u := range source[1:] {
		if _, err := p.Push(u, 1, func(*Output) error { return full }); !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
	}
}

// FuzzPush feeds what a stranger may send. Nothing but sound outputs may come of it, and a good
// stream afterwards is processed as if nothing had been.
func FuzzPush(f *testing.F) {
	good := clip(f, recipe{input: "testsrc2=s=64x64", args: "-bf 0", frames: 4})
	b := clip(f, recipe{input: "testsrc2=s=64x48", args: "-bf 2 -b_strategy 0", frames: 8})
	for _, u := range append(b, good...) {
		f.Add(u.Header, u.Body, []byte{1}, byte(1))
	}
	f.Add([]byte("\x17\x00\x00\x00\x00\x01"), []byte("\x17\x01\x00\x00\x00"), []byte{}, byte(0))
	f.Fuzz(func(t *testing.T, header, body, change []byte, pace byte) {
		p := NewPipeline(PipelineOptions{Limits: av.Limits{Width: 256, Height: 256, Pixels: 65536}})
		defer p.Close()
		p.Order(blurring(1, settings.Mode(pace%4)))
		var outputs []*Output
		emit := func(o *Output) error {
			if err := sound(o, outputs); err != nil {
				t.Fatal(err)
			}
			outputs = append(outputs, o)
			return nil
		}
		var dts media.Time
		push := func(u Unit) {
			dts += 33 * ms
			u.DTS = dts
			if _, err := p.Push(&u, 1+int(pace%3), emit); err != nil {
				t.Fatal(err)
			}
		}
		for _, u := range b {
			push(*u)
		}
		bad := Unit{Header: header, AccessUnit: media.AccessUnit{Kind: media.Video, Body: body}}
		if info, err := flv.Parse(media.Video, body); err == nil {
			bad.Role, bad.Codec, bad.CTS = info.Role, info.Codec, info.CTS
		}
		push(bad)
		for _, u := range b[2:] { // some bytes of each are others
			damaged := *u
			damaged.Body = append([]byte(nil), u.Body...)
			for i := 0; i+3 <= len(change); i += 3 {
				at := int(binary.BigEndian.Uint16(change[i:]))
				damaged.Body[at%len(damaged.Body)] ^= change[i+2]
			}
			push(damaged)
		}
		dts += 10 * media.Second
		n := len(outputs)
		for _, u := range good {
			push(*u)
		}
		if len(outputs) == n {
			t.Fatalf("a good stream does not come through: %+v %q", p.report, p.source.fault)
		}
	})
}
