package loudness

import (
	"bytes"
	"errors"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// decoder decodes AAC. It is av's, but for tests.
type decoder interface {
	Decode(unit []byte, emit func(av.Samples) error) error
	Close()
}

// openAAC opens av's decoder.
func openAAC(config []byte) (decoder, error) {
	d, err := av.NewAACDecoder(config)
	if err != nil {
		return nil, err // not a nil *av.AACDecoder in the interface
	}
	return d, nil
}

// Why nothing is measured.
const (
	noAudio    = "there was no audio yet"
	noHeader   = "audio without a sequence header"
	manyTracks = "audio of several tracks"
	notDecoded = "audio of codec "
	noDecoder  = "audio cannot be decoded: "
)

const (
	// eventsEvery is the media time between two events: a meter that moves five times a second.
	eventsEvery = 200 * media.Millisecond
	// errorsInARow is how many units may fail before the audio counts as not measured, a second.
	errorsInARow = 50
)

// errUnmeasured says that a unit is of audio that cannot be measured at all. Why is in the report.
var errUnmeasured = errors.New("audio is not measured")

// Machine measures the audio units of a broadcast, in sequence. It has no clock and starts nothing;
// it holds a decoder, which Close closes.
type Machine struct {
	open    func(config []byte) (decoder, error)
	decoder decoder
	config  *topic.Unit // what the decoder was opened with
	broken  string      // why it could not be
	header  *topic.Unit // the latest
	meter   *Meter
	emit    func(av.Samples) error // made once: a method value is an allocation a frame
	changes Change                 // of the unit at hand

	unavailable    string
	frames, errors uint64
	row            int // errors since the latest frame
	since, at      media.Time
	next           media.Time // when the next event is due
}

// newMachine returns a machine whose decoders open makes.
func newMachine(t Thresholds, open func(config []byte) (decoder, error)) *Machine {
	m := &Machine{open: open, meter: NewMeter(t), unavailable: noAudio}
	m.emit = m.samples
	return m
}

// Close closes the decoder.
func (m *Machine) Close() {
	if m.decoder != nil {
		m.decoder.Close()
		m.decoder = nil
	}
}

// Unit takes the next audio unit. An error is of this unit alone; it wraps errUnmeasured when the
// audio is not to be measured until something about it changes.
func (m *Machine) Unit(u *topic.Unit) (Change, error) {
	m.changes = 0
	if u.Role == media.SequenceHeader {
		m.header = u
		return 0, nil
	}
	if u.Header != nil {
		m.header = u.Header
	}
	info, err := flv.Parse(media.Audio, u.Body)
	switch {
	case err != nil:
		return m.failed(err)
	case info.Role != media.Keyframe: // the end of a sequence, a further track, a channel map
		return 0, nil
	case info.Codec != media.AAC:
		return 0, m.refuse(notDecoded + info.Codec.String())
	case info.Flags.Has(flv.Multitrack):
		return 0, m.refuse(manyTracks)
	}
	if err := m.configure(); err != nil {
		return 0, err
	}
	frames := m.frames
	if err := m.decoder.Decode(u.Body[info.Payload:], m.emit); err != nil {
		return m.failed(err)
	}
	if m.frames > frames {
		m.unavailable, m.row = "", 0
		if frames == 0 {
			m.since, m.next = u.DTS, u.DTS+eventsEvery
		}
		m.at = u.DTS
	}
	return m.changes, nil
}

// samples measures what a unit was decoded to.
func (m *Machine) samples(s av.Samples) error {
	left, right := s.Planes[0], s.Planes[1]
	if s.Channels < 2 {
		right = nil
	}
	change, err := m.meter.Push(s.Rate, left, right)
	if err != nil {
		return err
	}
	m.changes |= change
	m.frames++
	return nil
}

func (m *Machine) failed(err error) (Change, error) {
	m.errors++
	if m.row++; m.row >= errorsInARow {
		m.unavailable = noDecoder + err.Error()
	}
	return m.changes, err
}

func (m *Machine) refuse(why string) error {
	m.unavailable = why
	return errUnmeasured
}

// configure opens a decoder when the header is another one. A configuration that cannot be opened
// is not tried again.
func (m *Machine) configure() error {
	if m.header == nil {
		return m.refuse(noHeader)
	}
	if m.config == nil || m.config != m.header && !bytes.Equal(m.config.Body, m.header.Body) {
		m.reopen()
	}
	m.config = m.header // so that its address tells the next time
	if m.decoder == nil {
		return m.refuse(m.broken)
	}
	return nil
}

func (m *Machine) reopen() {
	m.Close()
	info, err := flv.Parse(media.Audio, m.header.Body)
	if err == nil {
		m.decoder, err = m.open(m.header.Body[info.Payload:])
	}
	if err != nil {
		m.decoder, m.broken = nil, noDecoder+err.Error()
	}
}

// Event returns the event that is due after the latest unit, or nil.
func (m *Machine) Event() *Event {
	if m.frames == 0 || m.at < m.next {
		return nil
	}
	if m.next += eventsEvery; m.next <= m.at { // the timeline has jumped
		m.next = m.at + eventsEvery
	}
	r := m.meter.Reading()
	return newEvent(m.at, &r, m.meter.Lap())
}

// report fills in what the machine knows.
func (m *Machine) report(r *Report) {
	r.Unavailable, r.Reading = m.unavailable, m.meter.Reading()
	r.Since, r.At, r.Frames, r.Errors = m.since, m.at, m.frames, m.errors
}
