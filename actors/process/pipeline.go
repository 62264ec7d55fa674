package process

import (
	"time"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

// PipelineOptions make a pipeline.
type PipelineOptions struct {
	// Name and Incarnation are what the outputs are tagged with.
	Name        string
	Incarnation uint64
	Rendition   settings.Rendition
	Limits      av.Limits
	Preset      string
	// Now is the clock that the stages are timed by; nil times nothing.
	Now func() time.Time `json:"-"`
}

// Pipeline makes the outputs of one rendition out of the source's access units. It is used by one
// goroutine at a time.
//
// What goes wrong with the source's bytes is no error of a call: it is counted and told in the
// Report, the unit is dropped, and what follows up to the next IDR picture with it.
type Pipeline struct {
	o        PipelineOptions
	order    *Order // nil: nothing is put out
	retained retained

	source  source
	filters filters
	out     encoding
	picker  picker
	wantIDR bool
	fault   string // of filters or encoder

	// Of the present call.
	pace    int
	emit    func(*Output) error
	emitErr error
	report  Report
	begun   time.Time
	onFrame func(*av.Frame) error
}

// codecs are what a pipeline works with; a test has its own.
type codecs struct {
	decoder func(record []byte, l av.Limits) (decoder, error)
	encoder func(av.EncoderOptions) (av.Encoder, error)
	blur    func(dst, src *halide.Frame, regions []halide.Region, rest bool) error
}

// NewPipeline returns a pipeline that waits for an Order and for an IDR picture.
func NewPipeline(o PipelineOptions) *Pipeline {
	return newPipeline(o, codecs{
		decoder: func(record []byte, l av.Limits) (decoder, error) { return av.NewDecoder(record, l) },
		encoder: av.NewEncoder,
		blur:    halide.BlurRegions,
	})
}

func newPipeline(o PipelineOptions, c codecs) *Pipeline {
	if o.Limits == (av.Limits{}) {
		o.Limits = DefaultLimits()
	}
	p := &Pipeline{
		o:       o,
		source:  source{open: c.decoder, limits: o.Limits, waiting: true},
		filters: filters{blur: c.blur, shorter: o.Rendition.Height},
		out:     encoding{open: c.encoder},
		picker:  newPicker(o.Rendition.FPS),
	}
	p.onFrame = p.decoded
	return p
}

// DefaultLimits are those of pictures up to 4K, upright or not.
func DefaultLimits() av.Limits { return av.Limits{Width: 4096, Height: 4096, Pixels: 4096 * 2304} }

// Order changes what is put out, and returns the PTS from which it holds: every output of that PTS
// or later is made under it. Pictures that were retained are not encoded yet, see Resume.
func (p *Pipeline) Order(o Order) (from media.Time) {
	before := p.order
	if before == nil {
		before = &Order{}
	}
	if o.Emit && (!before.Emit || o.From != before.From) || o.Refresh > before.Refresh {
		p.wantIDR = true
	}
	p.order = &o
	if !o.Emit { // while it only keeps warm, a rendition costs its decoder and what it retains
		p.out.close()
		p.filters.close()
	}
	if p.out.begun {
		return max(o.From, p.out.last+media.Millisecond)
	}
	return o.From
}

// Resume puts out the retained pictures that the present order asks for.
func (p *Pipeline) Resume(emit func(*Output) error) (Report, error) {
	p.begin(1, emit)
	if p.order != nil && p.order.Emit {
		p.release()
	}
	return p.end()
}

// Push takes the next unit of the source. One in pace of its pictures is encoded; with a pace of 0
// none is, and the newest few are retained.
func (p *Pipeline) Push(u *Unit, pace int, emit func(*Output) error) (Report, error) {
	p.begin(pace, emit)
	p.source.push(u, &p.report, p.onFrame)
	if p.o.Now != nil {
		p.report.Decode = max(0, p.o.Now().Sub(p.begun)-p.report.Filter-p.report.Encode)
	}
	return p.end()
}

func (p *Pipeline) begin(pace int, emit func(*Output) error) {
	p.pace, p.emit, p.emitErr, p.report = pace, emit, nil, Report{}
	p.begun = p.now()
}

func (p *Pipeline) end() (Report, error) {
	p.emit = nil
	p.report.Decoding = !p.source.waiting && p.source.delivered
	p.report.Fault = p.source.fault
	if p.report.Fault == "" {
		p.report.Fault = p.fault
	}
	if len(p.report.Fault) > maxFault {
		p.report.Fault = p.report.Fault[:maxFault]
	}
	return p.report, p.emitErr
}

// Close lets go of decoder, encoder and pictures.
func (p *Pipeline) Close() {
	p.retained.clear()
	p.source.close()
	p.out.close()
	p.filters.close()
}

func (p *Pipeline) now() time.Time {
	if p.o.Now == nil {
		return time.Time{}
	}
	return p.o.Now()
}

// release puts out what is retained.
func (p *Pipeline) release() {
	for f := p.retained.take(); f != nil; f = p.retained.take() {
		p.show(f)
	}
}

// decoded takes a picture from the decoder.
func (p *Pipeline) decoded(f *av.Frame) error {
	p.report.Decoded++
	if p.pace > 0 && p.order != nil && p.order.Emit {
		p.release()
		p.show(f)
		return nil
	}
	if gone, ok := p.retained.keep(f); ok {
		p.source.forget(gone)
	}
	return nil
}

// show filters and encodes a picture, if it is one to be put out, and lets go of it.
func (p *Pipeline) show(f *av.Frame) {
	defer f.Release()
	pts := f.PTS()
	if pts < p.order.From {
		p.report.Passed++
		return
	}
	if p.out.begun && pts <= p.out.last { // a timeline that does not rise
		p.report.Dropped++
		return
	}
	p.wantIDR = p.source.takeIDR(pts) || p.wantIDR
	if !p.picker.take(pts, p.pace, p.wantIDR) {
		p.report.Passed++
		return
	}
	if err := p.put(f, pts); err != nil {
		p.report.Dropped++
		p.fault = err.Error()
		p.wantIDR = true
	}
}

// put filters, encodes and emits.
func (p *Pipeline) put(f *av.Frame, pts media.Time) error {
	begun := p.now()
	picture, masked, err := p.filters.apply(f, p.order)
	filtered := p.now()
	p.report.Filter += filtered.Sub(begun)
	if err != nil {
		return err
	}
	defer picture.Release()
	packet, err := p.encode(picture, f.Display(), pts)
	p.report.Encode += p.now().Sub(filtered)
	if err != nil || len(packet.Data) == 0 {
		return err
	}
	unit, err := p.out.unit(&packet, pts, p.source.offset)
	if err != nil {
		return err
	}
	p.fault = ""
	p.report.Encoded++
	if masked {
		p.report.Masked++
	}
	if p.emitErr != nil {
		return nil
	}
	p.emitErr = p.emit(&Output{
		Name: p.o.Name, Incarnation: p.o.Incarnation, Seq: p.out.seq, Version: p.order.Version,
		Unit: unit, Record: p.out.record, Masked: masked, Took: p.now().Sub(p.begun),
	})
	return nil
}

func (p *Pipeline) encode(f *av.Frame, d av.Display, pts media.Time) (av.Packet, error) {
	fresh, err := p.out.fit(p.encoder(d), pts, p.wantIDR)
	if err != nil {
		return av.Packet{}, err
	}
	packet, err := p.out.encode(f, pts, p.wantIDR || fresh)
	if packet.IDR {
		p.wantIDR = false
	}
	return packet, err
}

// encoder is what encoder the next picture wants.
func (p *Pipeline) encoder(d av.Display) av.EncoderOptions {
	out, r := p.filters.out, &p.o.Rendition
	fps := frameRate(p.source.fps, p.source.measure.rate())
	bps := r.Bitrate
	if bps <= 0 {
		bps = bitrate(out.w, out.h, fps, p.source.measure.bitrate())
	}
	if r.FPS > 0 {
		fps = min(fps, float64(r.FPS))
	}
	return av.EncoderOptions{
		Width: out.w, Height: out.h, FPS: fps, Bitrate: bps, Preset: p.o.Preset, Display: d,
	}
}
