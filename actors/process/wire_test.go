package process

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// What one side writes the other reads.
func TestWire(t *testing.T) {
	for _, o := range []Order{
		{},
		{Version: 1<<64 - 1, Emit: true, Mask: true, From: -5, Refresh: 9, Mode: settings.Solid},
		{Regions: []settings.Rect{{X: 0.1, Y: 0.25, W: math.Inf(1), H: -1}, {}}},
		{Regions: make([]settings.Rect, settings.MaxRects+1)},
	} {
		got, err := parseOrder(appendOrder(nil, &o))
		if err != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("%+v becomes %+v, %v", o, got, err)
		}
	}
	many := Order{Regions: make([]settings.Rect, 100_000)}
	got, err := parseOrder(appendOrder(nil, &many))
	if _, ok := regions(nil, &got, 640, 360); err != nil || ok {
		t.Errorf("too many regions become %d, %v", len(got.Regions), err)
	}
	r := Report{1, 2, 3, 4, 5, 6, 7, 8, 9, true, "why"}
	if got, err := parseReport(appendReport(nil, &r)); got != r || err != nil {
		t.Errorf("%+v becomes %+v, %v", r, got, err)
	}
	u := Unit{Gap: true, Header: []byte{1}}
	u.Kind, u.Role, u.DTS, u.CTS = media.Video, media.Keyframe, 5, -6
	u.Codec, u.Body = media.HEVC, []byte{7}
	back, pace, err := parseUnit(append(appendUnit(nil, &u, 4), u.Body...), u.Header)
	if !reflect.DeepEqual(back, u) || pace != 4 || err != nil {
		t.Errorf("%+v becomes %+v, %d, %v", u, back, pace, err)
	}
	o := Output{Seq: 1, Version: 2, Masked: true, Took: time.Second}
	o.Unit.DTS, o.Unit.CTS = 3, 4
	if got := parseOutput(appendOutput(nil, &o)); !reflect.DeepEqual(*got, o) {
		t.Errorf("%+v becomes %+v", o, got)
	}
}

// conversation is a reader of what the other side is to have said, which takes any answer.
type conversation struct {
	io.Reader
	said bytes.Buffer
}

func (c *conversation) Write(b []byte) (int, error) { return c.said.Write(b) }

// unconfined leaves the limits of the test's own process alone.
func unconfined(childOptions) error { return nil }

// talk is what an actor says to a child in a short life.
func talk(t testing.TB) []byte {
	var c conversation
	r := &remote{link: newLink(&c), end: func(err error) error { return err }}
	r.o.Pipeline.Name = "processed"
	if err := r.greet(); err != nil {
		t.Fatal(err)
	}
	o := blurring(1, settings.Box)
	_ = r.say(appendOrder(r.start(msgOrder), &o), nil)
	for _, u := range clip(t, recipe{input: "testsrc2=s=64x64", args: "-bf 0", frames: 4}) {
		if u.Header != nil {
			_ = r.put(r.start(msgHeader), u.Header)
		}
		_ = r.say(appendUnit(r.start(msgUnit), u, 1), u.Body)
	}
	_ = r.say(r.start(msgResume), nil)
	return c.said.Bytes()
}

// A child answers each question, in order.
func TestServe(t *testing.T) {
	c := &conversation{Reader: bytes.NewReader(talk(t))}
	if err := serve(c, unconfined, nil); err != nil {
		t.Fatal(err)
	}
	var answers string
	for l := newLink(&c.said); ; {
		kind, n, err := l.head()
		if err != nil {
			break
		}
		answers += string(kind)
		if _, err := l.rest(n); err != nil {
			t.Fatal(err)
		}
	}
	if want := "ADRODODODOD" + "D"; answers != want {
		t.Errorf("answers %s, want %s", answers, want)
	}
}

// FuzzServe has a child hear anything: it ends with an error, or at the end.
func FuzzServe(f *testing.F) {
	said := talk(f)
	f.Add(said)
	f.Add(said[:len(said)/2])
	f.Add([]byte{0, 0, 0, 3, 'c', '{', '}'})
	f.Add([]byte{255, 255, 255, 255, 'u'})
	f.Fuzz(func(t *testing.T, said []byte) {
		_ = serve(&conversation{Reader: bytes.NewReader(said)}, unconfined, func() {})
	})
}

// FuzzRemote has an actor hear anything from a child: what it takes for an output is a sound unit,
// and the rest an error.
func FuzzRemote(f *testing.F) {
	c := &conversation{Reader: bytes.NewReader(talk(f))}
	if err := serve(c, unconfined, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(c.said.Bytes())
	f.Add([]byte{0, 0, 0, 9, 'A', 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 'O'})
	f.Fuzz(func(t *testing.T, answers []byte) {
		r := &remote{
			link: newLink(&conversation{Reader: bytes.NewReader(answers)}),
			end:  func(err error) error { return err },
		}
		o := emitting(1)
		if _, err := r.order(&o); err != nil {
			return
		}
		u := &Unit{Header: []byte{1}}
		for range 5 {
			_, err := r.push(u, 1, func(o *Output) error {
				if len(o.Record) == 0 || o.Version != 1 || len(o.Unit.Tail) != len(o.Unit.Body)+4 {
					t.Fatalf("%+v", o)
				}
				return nil
			})
			if err != nil {
				return
			}
		}
	})
}

// A child that talks nonsense, or nothing more, is killed and its actor fails.
func TestNonsense(t *testing.T) {
	here, there := net.Pipe()
	defer func() { _ = here.Close() }()
	ended := errors.New("ended")
	r := &remote{link: newLink(here), end: func(err error) error { return errors.Join(ended, err) }}
	go func() {
		_, _ = there.Read(make([]byte, 1024))
		_, _ = there.Write([]byte{0, 0, 0, 1, 'O'})
		_ = there.Close()
	}()
	o := emitting(1)
	if _, err := r.order(&o); !errors.Is(err, ended) || !errors.Is(err, errWire) {
		t.Error(err)
	}
}
