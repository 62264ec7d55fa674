package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// server is the child's side of the conversation.
type server struct {
	*link
	pipeline *Pipeline
	o        childOptions
	header   []byte
	record   []byte
	segfault func()
	scratch  []byte // of what is written while a unit's bytes, in the link's, are being decoded
}

// serve answers until the other side is gone, which is no error. limit is called with the options
// before anything of a stranger is touched.
func serve(rw io.ReadWriter, limit func(childOptions) error, segfault func()) error {
	s := &server{link: newLink(rw), segfault: segfault}
	if err := s.options(limit); err != nil {
		return err
	}
	defer s.pipeline.Close()
	for {
		kind, n, err := s.head()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b, err := s.rest(n)
		if err != nil {
			return err
		}
		if err := s.answer(kind, b); err != nil {
			return err
		}
		if err := s.w.Flush(); err != nil {
			return err
		}
	}
}

func (s *server) options(limit func(childOptions) error) error {
	kind, n, err := s.head()
	if err == nil && kind != msgOptions {
		err = fmt.Errorf("%w: type %q at first", errWire, kind)
	}
	if err != nil {
		return err
	}
	b, err := s.rest(n)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &s.o); err != nil {
		return fmt.Errorf("%w: %w", errWire, err)
	}
	if err := limit(s.o); err != nil {
		return err
	}
	s.o.Pipeline.Now = time.Now
	s.pipeline = NewPipeline(s.o.Pipeline)
	return nil
}

func (s *server) answer(kind byte, b []byte) error {
	switch kind {
	case msgOrder:
		o, err := parseOrder(b)
		if err != nil {
			return err
		}
		return s.reply(appendTime(s.begin(msgApplied), s.pipeline.Order(o)), nil)
	case msgHeader:
		s.header = append([]byte(nil), b...) // the pipeline keeps it
		return nil
	case msgUnit:
		u, pace, err := parseUnit(b, s.header)
		if err != nil {
			return err
		}
		if u.Role == media.SequenceHeader {
			u.Body = append([]byte(nil), u.Body...)
		}
		report, err := s.pipeline.Push(&u, pace, s.emit)
		return errors.Join(err, s.report(&report))
	case msgResume:
		report, err := s.pipeline.Resume(s.emit)
		return errors.Join(err, s.report(&report))
	case msgDrill:
		if s.o.Drills {
			s.segfault()
		}
		return s.report(&Report{})
	}
	return fmt.Errorf("%w: question of type %q", errWire, kind)
}

// begin begins an answer, beside the question's memory.
func (s *server) begin(kind byte) []byte { return append(s.scratch[:0], 0, 0, 0, 0, kind) }

func (s *server) reply(message, body []byte) error {
	question := s.buf
	err := s.put(message, body)
	s.scratch, s.buf = message[:0], question
	return err
}

func (s *server) report(r *Report) error {
	return s.reply(appendReport(s.begin(msgReport), r), nil)
}

func (s *server) emit(o *Output) error {
	if !sameBytes(o.Record, s.record) {
		s.record = o.Record
		if err := s.reply(s.begin(msgRecord), o.Record); err != nil {
			return err
		}
	}
	return s.reply(appendOutput(s.begin(msgOutput), o), o.Unit.Body)
}
