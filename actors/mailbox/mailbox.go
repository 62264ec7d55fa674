// Package mailbox is the bounded mailbox of every Headwater actor.
//
// The drop rule: a mailbox holds at most its capacity of user messages. When it is full, the oldest
// message that is Droppable (media, which a receiver can do without by skipping to the next
// keyframe) makes room. When none is, the new message is refused. Both are counted and handed to
// the drop hook, so that nothing is lost in silence. System messages (stop, restart, watch) and
// Urgent ones are never dropped, never counted, overtake user messages in the order of their
// posting, and are handled while the mailbox is suspended. A poison pill waits its turn, but is
// never refused.
package mailbox

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Droppable marks a message that may be dropped when its receiver's mailbox is full.
type Droppable interface{ Droppable() }

// Urgent marks a message of supervision itself: the actor's share of what stop and restart are to
// protoactor. It goes with the system messages. Whoever declares one bounds how many there can be.
type Urgent interface{ Urgent() }

// Options configure a mailbox.
type Options struct {
	// Capacity is the bound in user messages; 0 means DefaultCapacity.
	Capacity int
	// Batch is how many messages one run handles before the mailbox is scheduled anew; 0 means as
	// many as the dispatcher's throughput, yielding in between. The simulation sets 1, so that its
	// dispatcher can interleave actors message by message.
	Batch int
	// Owner is told of what becomes of messages. It may be nil.
	Owner Owner
}

// Owner is whoever a mailbox is for.
type Owner interface {
	// Dropped is told of each message lost to the bound, on the sender's goroutine.
	Dropped(msg any)
	// Handled is told how long each user message took.
	Handled(time.Duration)
	// Unread is told of each user message that was waiting, or still came, when the actor had ended
	// (see Stats.Close).
	Unread(msg any)
}

// DefaultCapacity is ample for control messages, which come one at a time.
const DefaultCapacity = 256

// Stats is what a mailbox shows of itself. It is safe for concurrent use and outlives the mailbox.
type Stats struct {
	length   atomic.Int64
	oldest   atomic.Int64 // Unix nanoseconds; 0 when empty
	drops    atomic.Uint64
	closed   atomic.Bool
	capacity int
}

// Len is the number of user messages waiting.
func (s *Stats) Len() int { return int(s.length.Load()) }

// Cap is the bound in user messages.
func (s *Stats) Cap() int { return s.capacity }

// Drops counts the messages lost to the bound.
func (s *Stats) Drops() uint64 { return s.drops.Load() }

// Age is how long the oldest waiting message has waited; 0 when there is none.
func (s *Stats) Age(now time.Time) time.Duration {
	at := s.oldest.Load()
	if at == 0 {
		return 0
	}
	return max(0, time.Duration(now.UnixNano()-at))
}

// Close says that the actor has ended: what waits and what still comes is not handled, but counted
// out by Options.Unread. It is called by the actor itself, last of all.
func (s *Stats) Close() { s.closed.Store(true) }

// Panic is what an actor's panic is escalated as.
type Panic struct {
	// Value is what it panicked with.
	Value any
	// On is the type of the message that it was handling.
	On string
	// Stack is where.
	Stack []byte
}

// Error implements error.
func (p *Panic) Error() string {
	if err := p.Unwrap(); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("panic: %v", p.Value)
}

// Unwrap returns what it panicked with, if that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// New returns a producer of one mailbox with the given options, and the stats that it will keep.
func New(o Options) (actor.MailboxProducer, *Stats) {
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	b := &box{opts: o, stats: Stats{capacity: o.Capacity}}
	return func() actor.Mailbox { return b }, &b.stats
}

type box struct {
	opts  Options
	stats Stats

	mu        sync.Mutex
	user      queue
	system    []any
	suspended bool

	running    atomic.Bool
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	begun      atomic.Bool // it was told that its actor starts
	process    func()      // made once: a method value is an allocation a wake-up
}

// RegisterHandlers implements actor.Mailbox.
func (b *box) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	b.invoker, b.dispatcher, b.process = invoker, dispatcher, b.work
}

// Start implements actor.Mailbox.
func (b *box) Start() {}

// UserMessageCount implements actor.Mailbox.
func (b *box) UserMessageCount() int { return b.stats.Len() }

// PostUserMessage implements actor.Mailbox.
func (b *box) PostUserMessage(msg any) {
	if _, ok := actor.UnwrapEnvelopeMessage(msg).(Urgent); ok {
		b.PostSystemMessage(msg)
		return
	}
	now := time.Now().UnixNano()
	b.mu.Lock()
	lost, full := b.makeRoom(msg)
	if !full {
		b.user.push(msg, now)
		b.note()
	}
	b.mu.Unlock()
	if lost != nil {
		b.stats.drops.Add(1)
		if b.opts.Owner != nil {
			b.opts.Owner.Dropped(lost)
		}
	}
	if !full {
		b.schedule()
	}
}

// makeRoom applies the drop rule. It returns the message that is lost, if any, and whether the
// mailbox stays too full to take msg (which then is the one lost).
func (b *box) makeRoom(msg any) (lost any, full bool) {
	if b.user.n < b.opts.Capacity {
		return nil, false
	}
	if lost = b.user.dropOldest(); lost != nil {
		return lost, false
	}
	if _, ok := msg.(*actor.PoisonPill); ok {
		return nil, false
	}
	return msg, true
}

// note publishes length and age. The caller holds mu.
func (b *box) note() {
	b.stats.length.Store(int64(b.user.n))
	b.stats.oldest.Store(b.user.oldest())
}

// PostSystemMessage implements actor.Mailbox.
func (b *box) PostSystemMessage(msg any) {
	b.mu.Lock()
	if _, ok := msg.(*actor.Started); ok && !b.begun.Load() {
		b.system = append([]any{msg}, b.system...)
		b.begun.Store(true)
	} else {
		b.system = append(b.system, msg)
	}
	b.mu.Unlock()
	b.schedule()
}

// schedule has the mailbox run, unless it does. One that has not been told that its actor starts
// does not: protoactor makes its identity known a moment earlier, and whoever sends by name in that
// moment would find no dispatcher, or an actor that knows of nothing yet.
func (b *box) schedule() {
	if b.begun.Load() && b.running.CompareAndSwap(false, true) {
		b.dispatcher.Schedule(b.process)
	}
}

// work runs the mailbox until it has nothing to do, or for one batch.
func (b *box) work() {
	for {
		b.run()
		b.running.Store(false)
		if !b.runnable() || !b.running.CompareAndSwap(false, true) {
			return
		}
		if b.opts.Batch > 0 {
			b.dispatcher.Schedule(b.process)
			return
		}
	}
}

func (b *box) runnable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.system) > 0 || b.readable()
}

// readable tells whether a user message may be taken out. The caller holds mu.
func (b *box) readable() bool {
	return b.user.n > 0 && (!b.suspended || b.stats.closed.Load())
}

// run handles messages until none is left, the batch is full, or one panics: then the failure goes
// to the supervisor and the rest waits until it has decided.
func (b *box) run() {
	var current any
	defer func() {
		if reason := recover(); reason != nil {
			b.invoker.EscalateFailure(&Panic{
				Value: reason,
				On:    fmt.Sprintf("%T", actor.UnwrapEnvelopeMessage(current)),
				Stack: debug.Stack(),
			}, current)
		}
	}()
	throughput := max(1, b.dispatcher.Throughput())
	for done := 0; ; done++ {
		if b.opts.Batch > 0 && done == b.opts.Batch {
			return
		}
		if done > 0 && done%throughput == 0 {
			runtime.Gosched()
		}
		system, user := b.next()
		switch {
		case system != nil:
			current = system
			b.handleSystem(system)
		case user != nil:
			current = user
			b.handleUser(user)
		default:
			return
		}
	}
}

// next takes a system message if there is one, else a user message unless suspended.
func (b *box) next() (system, user any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.system) > 0 {
		system = b.system[0]
		b.system[0] = nil
		if b.system = b.system[1:]; len(b.system) == 0 {
			b.system = nil
		}
		return system, nil
	}
	if !b.readable() {
		return nil, nil
	}
	user = b.user.pop()
	b.note()
	return nil, user
}

func (b *box) handleSystem(msg any) {
	switch msg.(type) {
	case *actor.SuspendMailbox:
		b.suspend(true)
	case *actor.ResumeMailbox:
		b.suspend(false)
	case Urgent, *actor.MessageEnvelope: // the envelope is that of an urgent message
		b.invoker.InvokeUserMessage(msg)
	default:
		b.invoker.InvokeSystemMessage(msg)
	}
}

func (b *box) suspend(on bool) {
	b.mu.Lock()
	b.suspended = on
	b.mu.Unlock()
}

func (b *box) handleUser(msg any) {
	if b.stats.closed.Load() {
		if b.opts.Owner != nil {
			b.opts.Owner.Unread(msg)
		}
		return
	}
	if b.opts.Owner == nil {
		b.invoker.InvokeUserMessage(msg)
		return
	}
	begin := time.Now()
	b.invoker.InvokeUserMessage(msg)
	b.opts.Owner.Handled(time.Since(begin))
}
