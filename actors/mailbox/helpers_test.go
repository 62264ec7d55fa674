package mailbox

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// control is a message that must arrive, media one that may be dropped, urgent one of supervision.
type (
	control struct{ n int }
	media   struct{ n int }
	urgent  struct{ n int }
)

func (*media) Droppable() {}
func (*urgent) Urgent()   {}

// recorder is an invoker that writes down what a mailbox hands it.
type recorder struct {
	mu       sync.Mutex
	got      []any
	failures []any
	handle   func(msg any) // may be nil
}

func (r *recorder) InvokeSystemMessage(msg any) { r.InvokeUserMessage(msg) }

func (r *recorder) InvokeUserMessage(msg any) {
	r.mu.Lock()
	r.got = append(r.got, msg)
	r.mu.Unlock()
	if r.handle != nil {
		r.handle(msg)
	}
}

func (r *recorder) EscalateFailure(reason, _ any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, reason)
}

// manual is a dispatcher that runs a mailbox when it is told to, and counts how often it was asked.
type manual struct {
	mu        sync.Mutex
	ready     []func()
	scheduled int
}

func (d *manual) Schedule(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = append(d.ready, fn)
	d.scheduled++
}

func (*manual) Throughput() int { return 300 }

// step runs what was scheduled first and tells whether there was anything.
func (d *manual) step() bool {
	d.mu.Lock()
	if len(d.ready) == 0 {
		d.mu.Unlock()
		return false
	}
	fn := d.ready[0]
	d.ready = d.ready[1:]
	d.mu.Unlock()
	fn()
	return true
}

func (d *manual) run() {
	for d.step() {
	}
}

// build returns a mailbox with its invoker and dispatcher.
func build(o Options) (actor.Mailbox, *Stats, *recorder, *manual) {
	producer, stats := New(o)
	m, r, d := producer(), &recorder{}, &manual{}
	m.RegisterHandlers(r, d)
	m.PostSystemMessage(&actor.Started{})
	d.run()
	r.got, d.scheduled = nil, 0
	m.Start()
	return m, stats, r, d
}

// owner hands on what it is told to whatever is set.
type owner struct {
	dropped, unread func(any)
	handled         func(time.Duration)
}

func (o owner) Dropped(msg any) {
	if o.dropped != nil {
		o.dropped(msg)
	}
}

func (o owner) Unread(msg any) {
	if o.unread != nil {
		o.unread(msg)
	}
}

func (o owner) Handled(d time.Duration) {
	if o.handled != nil {
		o.handled(d)
	}
}
