package mailbox

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// nothing is an invoker that does nothing.
type nothing struct{}

func (nothing) InvokeSystemMessage(any)  {}
func (nothing) InvokeUserMessage(any)    {}
func (nothing) EscalateFailure(any, any) {}

// inline is a dispatcher that runs a mailbox on its sender's goroutine, one message at a time.
type inline struct{}

func (inline) Schedule(fn func()) { fn() }
func (inline) Throughput() int    { return 300 }

func TestSteadyStateAllocatesNothing(t *testing.T) {
	producer, stats := New(Options{
		Capacity: 8, Owner: owner{},
	})
	m := producer()
	d := &pausing{}
	m.RegisterHandlers(nothing{}, d)
	m.PostSystemMessage(&actor.Started{})
	d.fn()
	droppable, must := &media{}, &control{}
	burst := func() {
		d.fn = nil
		for range 20 {
			m.PostUserMessage(droppable)
		}
		m.PostUserMessage(must)
		d.fn()
	}
	burst()
	if n := testing.AllocsPerRun(1000, burst); n != 0 {
		t.Errorf("%v allocations a burst", n)
	}
	if stats.Drops() == 0 || stats.Len() != 0 {
		t.Errorf("drops %d, len %d", stats.Drops(), stats.Len())
	}
}

// pausing is a dispatcher that keeps the one mailbox it is given for later.
type pausing struct{ fn func() }

func (d *pausing) Schedule(fn func()) { d.fn = fn }
func (*pausing) Throughput() int      { return 300 }

// BenchmarkPostAndHandle compares the mailbox with protoactor's unbounded one, message by message.
func BenchmarkPostAndHandle(b *testing.B) {
	bounded, _ := New(Options{})
	timed, _ := New(Options{Owner: owner{}})
	for _, c := range []struct {
		name     string
		producer actor.MailboxProducer
	}{{"bounded", bounded}, {"bounded timed", timed}, {"stock unbounded", actor.Unbounded()}} {
		b.Run(c.name, func(b *testing.B) {
			m := c.producer()
			m.RegisterHandlers(nothing{}, inline{})
			m.PostSystemMessage(&actor.Started{})
			msg := &control{}
			b.ReportAllocs()
			for b.Loop() {
				m.PostUserMessage(msg)
			}
		})
	}
}

// BenchmarkActor compares them under a real actor that is fed by another goroutine.
func BenchmarkActor(b *testing.B) {
	bounded, _ := New(Options{Capacity: 1 << 30})
	timed, _ := New(Options{Capacity: 1 << 30, Owner: owner{}})
	for _, c := range []struct {
		name     string
		producer actor.MailboxProducer
	}{{"bounded", bounded}, {"bounded timed", timed}, {"stock unbounded", actor.Unbounded()}} {
		b.Run(c.name, func(b *testing.B) {
			system := newSystem()
			done := make(chan struct{})
			pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Stopped); ok {
					close(done)
				}
			}, actor.WithMailbox(c.producer)))
			msg := &control{}
			b.ReportAllocs()
			for range b.N {
				system.Root.Send(pid, msg)
			}
			system.Root.Poison(pid)
			<-done
		})
	}
}
