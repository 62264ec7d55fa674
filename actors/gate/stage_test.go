package gate

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

const (
	ms    = media.Millisecond
	frame = 40 * ms // the interval of pictures and of audio frames
	gop   = 8       // pictures
)

// The record of a real Baseline encoder, and another's.
const (
	sourceRecord = "0142c00dffe100186742c00dd90141fb0110000003001000000303c0f142a48001000568cb83cb20"
	workerRecord = "014d4020ffe10019674d4020eca02802dd8088000003000800000303c078c18cb001000568ebe3cb20"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// stage plays a publisher, workers and topics around a machine.
type stage struct {
	t       *testing.T
	m       *Machine
	now     time.Time
	seq     uint64
	n       int // pictures sent
	header  *topic.Unit
	audio   *topic.Unit
	topics  map[string]*topic.Machine
	passed  map[string][]*topic.Unit
	workers map[string]*fake
	lanes   map[string]bool
	holds   []Holds
	stopped []string
	seals   []string // topics sealed
	codec   media.FourCC
	refused map[string]int // by the topics, by reason

	incarnations uint64 // of workers so far
}

// fake is a worker that makes a picture of each picture of the source, under its latest order.
type fake struct {
	name        string
	incarnation uint64
	seq         uint64
	order       *process.Order
	pid         *actor.PID
	wantIDR     bool
	refresh     uint64
}

func pid(name string) *actor.PID { return actor.NewPID("local", name) }

func newStage(t *testing.T) *stage {
	s := &stage{
		t: t, m: NewMachine(1, pid("public"), false), now: time.Unix(1000, 0), codec: media.AVC,
		topics: map[string]*topic.Machine{}, passed: map[string][]*topic.Unit{},
		workers: map[string]*fake{}, lanes: map[string]bool{}, refused: map[string]int{},
	}
	s.topics["public"] = topic.NewMachine(topic.NewRing(topic.DefaultLimits()))
	return s
}

// settings sends the next settings.
func (s *stage) settings(change func(*settings.Settings)) {
	next := settings.Settings{}
	if s.m.settings != nil {
		next = *s.m.settings
		next.Version++
	}
	if change != nil {
		change(&next)
	}
	s.do(func() { s.m.Settings(&next) })
}

func blurred(n *settings.Settings) {
	n.Blur = settings.Blur{Rects: []settings.Rect{{X: 0.1, Y: 0.1, W: 0.5, H: 0.5}}}
}

func unblurred(n *settings.Settings) { n.Blur = settings.Blur{} }

// do has the machine do something, and carries its effects out.
func (s *stage) do(what func()) {
	s.m.At(s.now)
	what()
	for _, effect := range append([]any(nil), s.m.Take()...) {
		switch e := effect.(type) {
		case *Pass:
			s.pass(e)
		case *SendOrder:
			s.ordered(e)
		case *StartWorker:
			if s.workers[e.Name] == nil {
				s.workers[e.Name] = &fake{name: e.Name, pid: pid("process/" + e.Name)}
			}
		case *StopWorker:
			delete(s.workers, e.Name)
			s.stopped = append(s.stopped, e.Name)
		case *StartLane:
			s.lanes[e.Name] = true
		case *StopLane:
			delete(s.lanes, e.Name)
			delete(s.topics, e.Name)
		case *Seal:
			s.seals = append(s.seals, e.Topic.Id)
		case *Holds:
			s.holds = append(s.holds, *e)
		}
	}
}

// pass pushes a unit into its topic, which refuses what would not decode.
func (s *stage) pass(p *Pass) {
	name := p.Topic.Id
	if s.topics[name] == nil {
		s.topics[name] = topic.NewMachine(topic.NewRing(topic.DefaultLimits()))
	}
	if _, err := s.topics[name].Push(p.Unit); err != nil {
		s.refused[err.Error()]++
		return
	}
	s.passed[name] = append(s.passed[name], p.Unit)
}

func (s *stage) ordered(e *SendOrder) {
	for _, w := range s.workers {
		if w.pid.Equal(e.To) {
			w.take(s, e.Order)
		}
	}
}

func (w *fake) take(s *stage, o *process.Order) {
	if o.Emit && (w.order == nil || !w.order.Emit) || o.Refresh > w.refresh {
		w.wantIDR = true
	}
	w.refresh = o.Refresh
	w.order = o
	from := max(o.From, s.pts(s.n-1)+ms)
	applied := &process.Applied{
		Name: w.name, Incarnation: w.incarnation, Version: o.Version, From: from,
	}
	s.do(func() { s.m.Applied(applied) })
}

// hello has a worker begin, or begin anew.
func (s *stage) hello(name string) {
	w := s.workers[name]
	s.incarnations++
	w.incarnation = s.incarnations
	w.seq, w.order, w.wantIDR = 0, nil, true
	s.do(func() {
		s.m.Hello(&process.Hello{Name: name, Incarnation: w.incarnation, PID: w.pid})
	})
}

func (s *stage) ready(name string) {
	w := s.workers[name]
	s.do(func() { s.m.Ready(&process.Ready{Name: name, Incarnation: w.incarnation}) })
}

func (s *stage) up(name string) { s.do(func() { s.m.LaneUp(name, pid(name)) }) }

// ends has a worker end together with its supervisor, which does not know it any more.
func (s *stage) ends(name string) {
	delete(s.workers, name)
	if w := s.m.workers[name]; w != nil && w.pid != nil {
		s.do(func() { s.m.Gone(w.pid) })
	}
}

func (s *stage) pts(n int) media.Time { return media.Time(n) * frame }

// unit makes the publisher's next unit.
func (s *stage) unit(kind media.Kind, role media.Role, dts media.Time, content []byte) *topic.Unit {
	s.seq++
	au := media.AccessUnit{Kind: kind, Role: role, DTS: dts, Codec: s.codec}
	if kind == media.Audio {
		au.Codec = media.AAC
	}
	au.Body, au.Tail = flv.NewBody(len(content))
	copy(au.Body, content)
	return topic.NewUnit(1, s.seq, au)
}

// begin sends the headers.
func (s *stage) begin() {
	content := append([]byte{0x17, 0, 0, 0, 0}, unhex(sourceRecord)...)
	s.header = s.unit(media.Video, media.SequenceHeader, 0, content)
	s.audio = s.unit(media.Audio, media.SequenceHeader, 0, []byte{0xaf, 0, 0x11, 0x90})
	s.do(func() { s.m.Source(s.header) })
	s.do(func() { s.m.Source(s.audio) })
}

// picture makes the body of picture n: an IDR slice, or another, which names who made it.
func picture(idr bool, mark string) []byte {
	b := []byte{0x27, 1, 0, 0, 0}
	nal := byte(0x41)
	if idr {
		b[0], nal = 0x17, 0x65
	}
	slice := append([]byte{nal}, mark...)
	b = append(b, 0, 0, 0, byte(len(slice)))
	return append(b, slice...)
}

// frames has the publisher send n pictures, each with an audio frame, and the workers keep up.
func (s *stage) frames(n int) {
	for range n {
		s.frame()
		for _, w := range s.workers {
			s.work(w)
		}
	}
}

// frame has the publisher send the next picture.
func (s *stage) frame() {
	role := media.Frame
	if s.n%gop == 0 {
		role = media.Keyframe
	}
	u := s.unit(media.Video, role, s.pts(s.n), picture(role == media.Keyframe, "source"))
	u.Header = s.header
	a := s.unit(media.Audio, media.Keyframe, s.pts(s.n), []byte{0xaf, 1, 0x21, 1, 2, 3})
	a.Header = s.audio
	s.n++
	s.do(func() { s.m.Source(u) })
	s.do(func() { s.m.Source(a) })
	s.now = s.now.Add(40 * time.Millisecond)
	s.do(s.m.Tick)
}

// work has a worker make its form of the latest picture.
func (s *stage) work(w *fake) {
	n := s.n - 1
	if w.order == nil || !w.order.Emit || s.pts(n) < w.order.From {
		return
	}
	idr := w.wantIDR || n%gop == 0
	w.wantIDR = false
	s.do(func() { s.m.Output(w.output(s.pts(n), idr)) })
}

func (w *fake) output(pts media.Time, idr bool) *process.Output {
	w.seq++
	au := media.AccessUnit{Kind: media.Video, Role: media.Frame, Codec: media.AVC, DTS: pts}
	if idr {
		au.Role = media.Keyframe
	}
	mark := fmt.Sprintf("%s v%d r%d", w.name, w.order.Version, len(w.order.Regions))
	content := picture(idr, mark)
	au.Body, au.Tail = flv.NewBody(len(content))
	copy(au.Body, content)
	return &process.Output{
		Name: w.name, Incarnation: w.incarnation, Seq: w.seq, Version: w.order.Version, Unit: au,
		Record: unhex(workerRecord),
	}
}

// pictures are the pictures that passed, by who made them.
func (s *stage) pictures(lane string) (out []string) {
	for _, u := range s.passed[lane] {
		if u.Kind == media.Video && u.Role != media.SequenceHeader {
			out = append(out, markOf(u))
		}
	}
	return out
}

func markOf(u *topic.Unit) string {
	body := string(u.Body)
	for _, name := range []string{"source", "main", "480p", "360p"} {
		if i := strings.LastIndex(body, name); i >= 0 {
			return body[i:]
		}
	}
	return "?"
}

// shown sums up the pictures of a lane: "source 5, main v1 r1 3".
func (s *stage) shown(lane string) string {
	var words []string
	last, count := "", 0
	for _, mark := range append(s.pictures(lane), "") {
		if mark == last {
			count++
			continue
		}
		if count > 0 {
			words = append(words, fmt.Sprintf("%s x%d", last, count))
		}
		last, count = mark, 1
	}
	return strings.Join(words, ", ")
}

func (s *stage) want(lane, want string) {
	s.t.Helper()
	if got := s.shown(lane); got != want {
		s.t.Errorf("%s shows %q, want %q", lane, got, want)
	}
	for reason, n := range s.refused {
		s.t.Errorf("topics refuse %d units: %s", n, reason)
	}
}

// held is the latest report.
func (s *stage) held() Holds {
	s.t.Helper()
	if len(s.holds) == 0 {
		s.t.Fatal("nothing is reported to hold")
	}
	return s.holds[len(s.holds)-1]
}
