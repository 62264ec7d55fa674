package process

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// decoder is what the pipeline needs of av.Decoder.
type decoder interface {
	Configure(record []byte) error
	Decode(unit []byte, pts, dts media.Time, emit func(*av.Frame) error) error
	Flush(emit func(*av.Frame) error) error
	Close()
}

// source decodes the source's units, from IDR picture to IDR picture where something is missing.
type source struct {
	open   func(record []byte, l av.Limits) (decoder, error)
	limits av.Limits

	decoder decoder
	header  []byte // body of the sequence header that it is configured with
	nalu    int    // the size of a NAL unit's length
	fps     float64
	measure measure

	waiting   bool       // for an IDR picture
	since     media.Time // DTS of the first unit that was dropped meanwhile
	counting  bool       // since holds
	delivered bool       // the decoder gave a picture since it was configured
	fault     string

	offset media.Time   // composition offset of the latest keyframe
	idrs   []media.Time // PTS of IDR pictures that have not been encoded
	latest media.Time   // PTS of the latest picture that was decoded
	any    bool         // latest holds

	// Of the present call.
	report *Report
	emit   func(*av.Frame) error
	broken bool
	each   func(*av.Frame) error
}

// maxIDRs bounds what is remembered of IDR pictures to come.
const maxIDRs = 32

// patience is how long a source may go without an IDR picture before that is a fault.
const patience = 10 * media.Second

// push decodes a unit.
func (s *source) push(u *Unit, r *Report, emit func(*av.Frame) error) {
	s.report, s.emit, s.broken = r, emit, false
	if s.each == nil {
		s.each = s.frame
	}
	if u.Gap {
		s.drain()
		s.lost()
	}
	if u.Role == media.SequenceHeader {
		s.configure(u.Codec, u.Body)
		return
	}
	info, err := flv.Parse(media.Video, u.Body)
	if err != nil || info.Flags.Has(flv.EndOfSequence) || info.Flags.Has(flv.CommandFrame) ||
		info.Flags.Has(flv.VideoMetadata) {
		return // no picture
	}
	if !s.ready(u, &info) {
		r.Dropped++
		return
	}
	s.picture(u, u.Body[info.Payload:])
}

// ready configures the decoder for a picture, and reports whether there is one for it.
func (s *source) ready(u *Unit, info *flv.Info) bool {
	switch {
	case info.Codec != media.AVC:
		s.refuse(fmt.Errorf("the video is %v; only H.264 (avc1) can be processed", info.Codec))
		return false
	case info.Flags.Has(flv.Multitrack):
		s.refuse(errors.New("the video has several tracks; only one can be processed"))
		return false
	case u.Header == nil:
		s.refuse(errors.New("no sequence header came before the picture"))
		return false
	}
	s.configure(media.AVC, u.Header)
	return s.decoder != nil
}

// configure makes the decoder one for the sequence header, unless it is.
func (s *source) configure(codec media.FourCC, header []byte) {
	if sameBytes(header, s.header) {
		return
	}
	s.header = header
	s.drain()
	if err := s.reconfigure(codec, header); err != nil {
		s.refuse(err)
		s.header = header
		return
	}
	s.fault, s.delivered = "", false
	s.lost()
}

func (s *source) reconfigure(codec media.FourCC, header []byte) error {
	if codec != media.AVC {
		return fmt.Errorf("the video is %v; only H.264 (avc1) can be processed", codec)
	}
	info, err := flv.Parse(media.Video, header)
	if err != nil {
		return fmt.Errorf("sequence header: %w", err)
	}
	record := header[info.Payload:]
	config, err := avc.ParseConfig(record)
	if err != nil {
		return fmt.Errorf("sequence header: %w", err)
	}
	w, h, fps, err := config.Size()
	if err != nil {
		return fmt.Errorf("sequence header: %w", err)
	}
	if l := s.limits; w > l.Width || h > l.Height || w*h > l.Pixels {
		return fmt.Errorf("a picture of %dx%d, at most %dx%d and %d pixels",
			w, h, l.Width, l.Height, l.Pixels)
	}
	s.nalu, s.fps = config.NALULengthSize, fps
	if s.decoder != nil {
		return s.decoder.Configure(record)
	}
	d, err := s.open(record, s.limits)
	if err != nil {
		return err
	}
	s.decoder = d
	return nil
}

// refuse gives the present video up, until another sequence header comes.
func (s *source) refuse(err error) {
	s.fault = err.Error()
	s.header, s.delivered = nil, false
	if s.decoder != nil {
		s.decoder.Close()
		s.decoder = nil
	}
	s.lost()
}

// lost has the pipeline wait for an IDR picture.
func (s *source) lost() { s.waiting, s.counting = true, false }

// picture decodes one.
func (s *source) picture(u *Unit, payload []byte) {
	s.measure.unit(u.DTS, len(payload))
	idr := avc.HasIDR(payload, s.nalu)
	if s.waiting && !idr {
		s.report.Dropped++
		s.await(u.DTS)
		return
	}
	s.waiting = false
	if u.Role == media.Keyframe {
		s.offset = u.CTS
	}
	pts := u.PTS()
	if idr {
		if len(s.idrs) == maxIDRs {
			s.idrs = append(s.idrs[:0], s.idrs[1:]...)
		}
		s.idrs = append(s.idrs, pts)
	}
	if err := s.decoder.Decode(payload, pts, u.DTS, s.each); err != nil {
		s.report.Errors++
		s.report.Dropped++
		s.fault = "the picture cannot be decoded: " + err.Error()
		s.broken = true
	}
	if s.broken { // so may be what the decoder holds back, and it would come behind the IDR picture
		_ = s.decoder.Flush(s.discard)
		s.lost()
	}
}

// await notes how long no IDR picture has come.
func (s *source) await(dts media.Time) {
	if !s.counting || dts < s.since {
		s.since, s.counting = dts, true
	}
	if dts-s.since >= patience && s.fault == "" {
		s.fault = fmt.Sprintf("no IDR picture for %v s: decoding cannot begin", patience.Seconds())
	}
}

// frame takes a picture from the decoder. One that the decoder knows to be damaged is not shown:
// what it concealed comes from elsewhere in the picture, and so might what had to be hidden.
func (s *source) frame(f *av.Frame) error {
	if s.broken = s.broken || f.Corrupt(); s.broken {
		s.report.Errors++
		s.report.Dropped++
		f.Release()
		return nil
	}
	pts := f.PTS()
	if s.any && pts <= s.latest && s.latest-pts < measurePause {
		s.report.Dropped++ // a timeline that does not rise
		f.Release()
		return nil
	}
	s.latest, s.any, s.delivered, s.fault = pts, true, true, ""
	return s.emit(f)
}

// discard drops a picture.
func (s *source) discard(f *av.Frame) error {
	s.report.Dropped++
	f.Release()
	return nil
}

// drain has the decoder give what it holds back for the sake of the order.
func (s *source) drain() {
	if s.decoder == nil || s.waiting {
		return
	}
	if err := s.decoder.Flush(s.each); err != nil {
		s.report.Errors++
	}
}

// takeIDR reports whether a picture is the source's IDR picture, or the first one after it.
func (s *source) takeIDR(pts media.Time) bool {
	n := len(s.idrs)
	s.forget(pts)
	return len(s.idrs) < n
}

// forget drops what is remembered of IDR pictures up to a PTS.
func (s *source) forget(pts media.Time) {
	n := 0
	for n < len(s.idrs) && s.idrs[n] <= pts {
		n++
	}
	s.idrs = append(s.idrs[:0], s.idrs[n:]...)
}

func (s *source) close() {
	if s.decoder != nil {
		s.decoder.Close()
		s.decoder = nil
	}
}

// sameBytes is bytes.Equal, at once for the same memory: a unit brings its header along.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (unsafe.SliceData(a) == unsafe.SliceData(b) || bytes.Equal(a, b))
}
