package process

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// What is late gives up more and more, and takes it back when the backlog is half of what it was.
func TestPacer(t *testing.T) {
	var p pacer
	for i, c := range []struct {
		backlog int // ms
		pace    int
		skip    bool
	}{
		{0, 1, false},
		{150, 1, false},
		{151, 2, false},
		{100, 2, false},
		{75, 2, false},
		{74, 1, false},
		{501, 4, false},
		{300, 4, false},
		{249, 2, false},
		{200, 2, false},
		{70, 1, false},
		{2001, 4, true},
		{1100, 4, true},
		{999, 4, false},
		{2001, 4, true},
		{10, 1, false},
		{-5, 1, false},
	} {
		pace, skip := p.pace(time.Duration(c.backlog) * time.Millisecond)
		if pace != c.pace || skip != c.skip {
			t.Errorf("step %d, %d ms late: one in %d, skip %v; want %d, %v",
				i, c.backlog, pace, skip, c.pace, c.skip)
		}
	}
}

// tokens makes items: K is a keyframe, f a frame, ! the place where the subscription has caught up.
func tokens(word string) (items []item) {
	for i := range len(word) {
		it := item{live: word[i] == '!'}
		if !it.live {
			it.unit.DTS = media.Time(i)
			it.unit.Body = make([]byte, 10)
			if word[i] == 'K' {
				it.unit.Role = media.Keyframe
			}
		}
		items = append(items, it)
	}
	return items
}

// drained empties a queue: a unit with a gap before it is in brackets' stead after a dash.
func drained(q *queue) (word string) {
	for {
		w, ok := q.take()
		switch {
		case !ok:
			return word
		case w.order != nil:
			word += "o"
		case w.item.live:
			word += "!"
		default:
			if w.item.unit.Gap {
				word += "-"
			}
			word += map[media.Role]string{media.Keyframe: "K", media.Frame: "f"}[w.item.unit.Role]
		}
	}
}

func TestQueue(t *testing.T) {
	for _, c := range []struct {
		name, before string
		do           func(*queue) int
		after, want  string
		dropped      int
	}{
		{"in order", "Kff!ff", nil, "", "Kff!ff", 0},
		{"an order first", "Kf", func(q *queue) int { q.command(&Order{}); return 0 }, "", "oKf", 0},
		{"the latest order", "K", func(q *queue) int {
			q.command(&Order{})
			q.command(&Order{})
			return 0
		}, "", "oK", 0},
		{"too many", "KffffffffK", nil, "fK", "f-K", 0},
		{"too many, the place is kept", "Kff!ffffff", nil, "fKf", "!-fKf", 0},
		{"skip", "fffKff", (*queue).skip, "f", "-Kfff", 3},
		{"skip to the newest", "fKfKf!", (*queue).skip, "", "-Kf!", 3},
		{"skip nothing", "Kff", (*queue).skip, "", "Kff", 0},
		{"skip all", "ff!f", (*queue).skip, "fK", "!-fK", 3},
		{"one lost", "ff", func(q *queue) int { q.lost(); return 0 }, "f", "-fff", 0},
		{"one lost, nothing waits", "!", func(q *queue) int { q.lost(); return 0 }, "!ff", "!!-ff", 0},
	} {
		q := newQueue(Queue{Units: 9})
		overflow := 0
		for _, i := range tokens(c.before) {
			overflow += q.push(i)
		}
		n := 0
		if c.do != nil {
			n = c.do(q)
		}
		for _, i := range tokens(c.after) {
			q.push(i)
		}
		if got := drained(q); n != c.dropped || c.want != got && overflow == 0 {
			t.Errorf("%s: %q, %d dropped; want %q, %d", c.name, got, n, c.want, c.dropped)
		}
		if q.bytes != 0 {
			t.Errorf("%s: %d bytes in an empty queue", c.name, q.bytes)
		}
	}
}

// A queue that is too full is emptied, and what comes next is behind a gap.
func TestQueueOverflows(t *testing.T) {
	for _, bound := range []Queue{{Units: 9}, {Bytes: 95}} {
		q := newQueue(bound)
		dropped := 0
		for _, i := range tokens("Kff!ffffffffKff") {
			dropped += q.push(i)
		}
		if got := drained(q); dropped == 0 || !slices.Contains([]string{
			"!-ffKff", "!-fffKff", "!-fKff", "!-ffffKff", "!-Kff",
		}, got) {
			t.Errorf("%+v: %d dropped, %q is left", bound, dropped, got)
		}
	}
}

// fake is an engine that notes what it is asked.
type fake struct {
	mu     sync.Mutex
	paces  []int
	gaps   int
	block  chan struct{}
	closed bool
}

func (f *fake) order(o *Order) (media.Time, error) { return o.From, nil }

func (f *fake) resume(func(*Output) error) (Report, error) { return Report{Decoding: true}, nil }

func (f *fake) push(u *Unit, pace int, emit func(*Output) error) (Report, error) {
	if f.block != nil {
		<-f.block
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paces = append(f.paces, pace)
	if u.Gap {
		f.gaps++
	}
	return Report{Decoding: true}, emit(&Output{})
}

func (f *fake) segfault() error { return nil }

func (f *fake) close() { f.closed = true }

func newWorker(t *testing.T, e engine, now func() time.Time) (*worker, *[]any) {
	t.Helper()
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	sent := &[]any{}
	return &worker{
		Options: &Options{Name: "processed", Metrics: m, Slots: NewSlots(1)}, incarnation: 1,
		log: slog.New(slog.DiscardHandler), queue: newQueue(Queue{}), now: now,
		send: func(msg any) { *sent = append(*sent, msg) }, engine: e,
		open: func(context.Context) (engine, error) { return e, nil },
	}, sent
}

// step has the worker do all that waits.
func (w *worker) step(t *testing.T) {
	t.Helper()
	for {
		next, ok := w.queue.take()
		if !ok {
			return
		}
		if err := w.turn(t.Context(), next); err != nil {
			t.Fatal(err)
		}
	}
}

// A worker that falls behind encodes every second picture, then every fourth, and then goes on at
// the newest IDR picture; in time again it encodes every one.
func TestWorkerDegrades(t *testing.T) {
	clock := time.Unix(1000, 0)
	e := &fake{}
	w, _ := newWorker(t, e, func() time.Time { return clock })
	give := func(late time.Duration, word string) {
		for _, i := range tokens(word) {
			i.at = clock.Add(-late)
			w.queue.push(i)
		}
		w.step(t)
	}
	give(0, "Kff!f")
	give(200*time.Millisecond, "ff")
	give(600*time.Millisecond, "ff")
	give(3*time.Second, "fffKff")
	give(0, "K")
	want := []int{0, 0, 0, 1, 2, 2, 4, 4, 4, 1}
	if !slices.Equal(e.paces, want) {
		t.Errorf("paces %v, want %v", e.paces, want)
	}
	if e.gaps != 2 { // before the keyframe that was skipped to, and after what could not be
		t.Errorf("%d gaps", e.gaps)
	}
}

// What comes before the subscription has caught up is decoded only, and Ready comes once.
func TestWorkerCatchesUp(t *testing.T) {
	e := &fake{}
	w, sent := newWorker(t, e, time.Now)
	for _, i := range tokens("Kff!ff!f") {
		i.at = time.Now()
		w.queue.push(i)
	}
	w.step(t)
	if want := []int{0, 0, 0, 1, 1, 1}; !slices.Equal(e.paces, want) {
		t.Errorf("paces %v, want %v", e.paces, want)
	}
	ready := 0
	for _, msg := range *sent {
		if _, ok := msg.(*Ready); ok {
			ready++
		}
	}
	if ready != 1 {
		t.Errorf("%d times ready", ready)
	}
}

// A worker that is stuck shows it, gives its slot back when it is given up, and sends nothing more;
// its engine is closed when the call has returned, and not before.
func TestWorkerStuck(t *testing.T) {
	e := &fake{block: make(chan struct{})}
	w, sent := newWorker(t, e, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx)
	}()
	for _, i := range tokens("!K") {
		w.queue.push(i)
	}
	deadline := time.After(wait)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for w.stuck() < 20*time.Millisecond {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not get stuck")
		}
	}
	cancel()
	w.gone.Store(true)
	w.abandon()
	if l := w.Slots.take(t.Context(), w.Metrics.slots); l == nil {
		t.Error("the slot is not given back")
	}
	if e.closed {
		t.Error("the engine is closed while a call is in flight")
	}
	close(e.block)
	<-done
	for _, msg := range *sent {
		if _, ok := msg.(*Output); ok {
			t.Error("an output of a worker that was given up")
		}
	}
	if !e.closed {
		t.Error("the engine is left open")
	}
}

func video(seq uint64, role media.Role) *topic.Unit {
	return topic.NewUnit(1, seq, media.AccessUnit{
		Kind: media.Video, Role: role, Codec: media.AVC, Body: []byte{1},
	})
}

// What a subscription brings is taken once, and what is missing is noticed.
func TestIntake(t *testing.T) {
	header := video(1, media.SequenceHeader)
	audio := video(4, media.Keyframe)
	audio.Kind = media.Audio
	snapshot := func(units ...*topic.Unit) *topic.Snapshot {
		return &topic.Snapshot{Epoch: 1, Units: units}
	}
	var i intake
	if _, ok := i.unit(video(3, media.Frame)); ok {
		t.Error("a unit of a former incarnation's subscription is taken")
	}
	units, anew := i.snapshot(snapshot(header, video(2, media.Keyframe), video(3, media.Frame)))
	if len(units) != 2 || !anew || units[0].Gap || units[1].Gap {
		t.Errorf("at first %+v, %v", units, anew)
	}
	if _, ok := i.unit(audio); ok {
		t.Error("audio is taken")
	}
	for _, c := range []struct {
		seq     uint64
		ok, gap bool
	}{{3, false, false}, {5, true, false}, {7, true, true}, {8, true, false}} {
		u, ok := i.unit(video(c.seq, media.Frame))
		if ok != c.ok || u.Gap != c.gap {
			t.Errorf("%d: %v, gap %v", c.seq, ok, u.Gap)
		}
	}
	// After a restart of the topic: within reach, and out of it.
	units, anew = i.snapshot(snapshot(header, video(6, media.Keyframe), video(7, media.Frame),
		video(8, media.Frame), video(9, media.Frame)))
	if len(units) != 1 || anew || units[0].Gap {
		t.Errorf("within reach %+v, %v", units, anew)
	}
	units, anew = i.snapshot(snapshot(header, video(20, media.Keyframe), video(21, media.Frame)))
	if len(units) != 2 || !anew || !units[0].Gap || units[1].Gap {
		t.Errorf("out of reach %+v, %v", units, anew)
	}
	if units, _ = i.snapshot(snapshot()); units != nil {
		t.Errorf("of nothing %+v", units)
	}
	if u, ok := i.unit(video(22, media.Frame)); !ok || u.Gap {
		t.Errorf("then %v, %+v", ok, u)
	}
}
