package process

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// childOptions are what a child is told first.
type childOptions struct {
	Pipeline PipelineOptions
	Memory   int64
	Nice     int
	Drills   bool
}

// remote is the engine whose pipeline runs in a child process. What the child says is checked: it
// has read what strangers sent.
type remote struct {
	*link
	o      childOptions
	end    func(error) error // tells why the child is gone
	header []byte
	record []byte
	orders uint64 // version of the latest order
	seq    uint64
}

// greet tells the child its options.
func (r *remote) greet() error {
	b, err := json.Marshal(&r.o)
	if err != nil {
		return err
	}
	return r.say(r.start(msgOptions), b)
}

// say sends a question.
func (r *remote) say(message, body []byte) error {
	if err := r.put(message, body); err != nil {
		return err
	}
	return r.w.Flush()
}

func (r *remote) order(o *Order) (media.Time, error) {
	r.orders = o.Version
	if err := r.say(appendOrder(r.start(msgOrder), o), nil); err != nil {
		return 0, r.end(err)
	}
	kind, n, err := r.head()
	if err == nil && kind != msgApplied {
		err = fmt.Errorf("%w: type %q in answer to an order", errWire, kind)
	}
	if err != nil {
		return 0, r.end(err)
	}
	b, err := r.rest(n)
	if err != nil {
		return 0, r.end(err)
	}
	f := fields{b: b}
	from := f.time()
	if err := f.end(kind); err != nil {
		return 0, r.end(err)
	}
	return from, nil
}

func (r *remote) resume(emit func(*Output) error) (Report, error) {
	return r.ask(r.start(msgResume), nil, emit)
}

func (r *remote) segfault() error {
	_, err := r.ask(r.start(msgDrill), nil, nil)
	return err
}

func (r *remote) push(u *Unit, pace int, emit func(*Output) error) (Report, error) {
	if u.Header != nil && !sameBytes(u.Header, r.header) {
		r.header = u.Header
		if err := r.put(r.start(msgHeader), u.Header); err != nil {
			return Report{}, r.end(err)
		}
	}
	return r.ask(appendUnit(r.start(msgUnit), u, pace), u.Body, emit)
}

// ask sends a question and takes the answer up to the report.
func (r *remote) ask(message, body []byte, emit func(*Output) error) (Report, error) {
	if err := r.say(message, body); err != nil {
		return Report{}, r.end(err)
	}
	for {
		report, done, err := r.answer(emit)
		if err != nil {
			return Report{}, r.end(err)
		}
		if done {
			return report, nil
		}
	}
}

// answer takes one message of an answer.
func (r *remote) answer(emit func(*Output) error) (report Report, done bool, err error) {
	kind, n, err := r.head()
	if err != nil {
		return Report{}, false, err
	}
	switch kind {
	case msgRecord:
		r.record = make([]byte, n)
		_, err = io.ReadFull(r.r, r.record)
	case msgOutput:
		err = r.output(n, emit)
	case msgReport:
		var b []byte
		if b, err = r.rest(n); err == nil {
			report, err = parseReport(b)
		}
		done = true
	default:
		err = fmt.Errorf("%w: type %q in an answer", errWire, kind)
	}
	return report, done, err
}

// output reads an output into the memory where it stays.
func (r *remote) output(n int, emit func(*Output) error) error {
	if n < outputFields || n-outputFields > flv.MaxBodySize || emit == nil {
		return fmt.Errorf("%w: an output of %d bytes", errWire, n)
	}
	b, err := r.rest(outputFields)
	if err != nil {
		return err
	}
	o := parseOutput(b)
	body, tail := flv.NewBody(n - outputFields)
	if _, err := io.ReadFull(r.r, body); err != nil {
		return err
	}
	dts, cts := o.Unit.DTS, o.Unit.CTS
	if o.Unit, err = flv.Unit(media.Video, dts, body, tail); err != nil {
		return fmt.Errorf("%w: %w", errWire, err)
	}
	if o.Version != r.orders || o.Seq != r.seq+1 || o.Unit.CTS != cts || len(r.record) == 0 {
		return fmt.Errorf("%w: output %d of version %d, want %d of %d",
			errWire, o.Seq, o.Version, r.seq+1, r.orders)
	}
	r.seq = o.Seq
	o.Name, o.Incarnation, o.Record = r.o.Pipeline.Name, r.o.Pipeline.Incarnation, r.record
	return emit(o)
}
