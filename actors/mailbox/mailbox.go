// Package mailbox is the bounded mailbox of every Headwater actor.
//
// The drop rule: a mailbox holds at most its capacity of user messages. When it is full, the oldest
// message that is Droppable (media, which a receiver can do without by skipping to the next
// keyframe) makes room. When none is, the new message is refused. Both are counted and handed to the
// drop hook, so that nothing is lost in silence. System messages (stop, restart, watch) are never
// dropped, never counted, and overtake user messages.
package mailbox

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Droppable marks a message that may be dropped when its receiver's mailbox is full.
type Droppable interface{ Droppable() }

// Options configure a mailbox.
type Options struct {
	// Capacity is the bound in user messages; 0 means DefaultCapacity.
	Capacity int
	// Batch is how many messages one run handles before the mailbox is scheduled anew; 0 means as
	// many as the dispatcher's throughput, yielding in between. The simulation sets 1, so that its
	// dispatcher can interleave actors message by message.
	Batch int
	// Dropped is told of each message lost to the bound, on the sender's goroutine. It may be nil.
	Dropped func(msg any)
	// Handled is told how long each user message took. It may be nil.
	Handled func(time.Duration)
}

// DefaultCapacity is ample for control messages, which come one at a time.
const DefaultCapacity = 256

// Stats is what a mailbox shows of itself. It is safe for concurrent use and outlives the mailbox.
type Stats struct {
	length   atomic.Int64
	oldest   atomic.Int64 // nanoseconds since the process began; 0 when empty
	drops    atomic.Uint64
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

// New returns a producer of one mailbox with the given options, and the stats that it will keep.
func New(o Options) (actor.MailboxProducer, *Stats) {
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	stats := &Stats{capacity: o.Capacity}
	return func() actor.Mailbox { return &box{opts: o, stats: stats} }, stats
}

type box struct {
	opts  Options
	stats *Stats

	mu        sync.Mutex
	user      queue
	system    []any
	suspended bool

	running    atomic.Bool
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
}

// RegisterHandlers implements actor.Mailbox.
func (b *box) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	b.invoker, b.dispatcher = invoker, dispatcher
}

// Start implements actor.Mailbox.
func (b *box) Start() {}

// UserMessageCount implements actor.Mailbox.
func (b *box) UserMessageCount() int { return b.stats.Len() }

// PostUserMessage implements actor.Mailbox.
func (b *box) PostUserMessage(msg any) {
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
		if b.opts.Dropped != nil {
			b.opts.Dropped(lost)
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
	b.system = append(b.system, msg)
	b.mu.Unlock()
	b.schedule()
}

func (b *box) schedule() {
	if b.running.CompareAndSwap(false, true) {
		b.dispatcher.Schedule(b.process)
	}
}

// process runs the mailbox until it has nothing to do, or for one batch.
func (b *box) process() {
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
	return len(b.system) > 0 || (!b.suspended && b.user.n > 0)
}

// run handles messages until none is left, the batch is full, or one panics: then the failure goes
// to the supervisor and the rest waits until it has decided.
func (b *box) run() {
	var current any
	defer func() {
		if reason := recover(); reason != nil {
			b.invoker.EscalateFailure(reason, current)
		}
	}()
	for done := 0; ; done++ {
		if b.opts.Batch > 0 && done == b.opts.Batch {
			return
		}
		if done > 0 && done%b.dispatcher.Throughput() == 0 {
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
	if b.suspended || b.user.n == 0 {
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
	if b.opts.Handled == nil {
		b.invoker.InvokeUserMessage(msg)
		return
	}
	begin := time.Now()
	b.invoker.InvokeUserMessage(msg)
	b.opts.Handled(time.Since(begin))
}
