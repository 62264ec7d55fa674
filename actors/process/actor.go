package process

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// New returns the producer of the actor of one rendition.
func New(o Options) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor {
		if o.Deadline <= 0 {
			o.Deadline = DefaultDeadline
		}
		return &process{Options: o, self: self}
	}
}

type process struct {
	Options
	self        *supervise.Self
	incarnation uint64
	intake      intake
	worker      *worker
	heard       bool // the gate has given an order
	timer       *time.Timer
}

// Receive implements actor.Actor.
func (p *process) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *topic.Unit:
		if u, ok := p.intake.unit(msg); ok {
			p.push(item{unit: u, at: time.Now()})
		}
	case *topic.Snapshot:
		p.snapshot(msg)
	case *Order:
		p.heard = true
		p.worker.queue.command(msg)
	case *actor.Started:
		p.started(ctx)
	case *supervise.Rebind:
		p.bind(ctx)
	case *Segfault:
		p.segfault()
	case *tick:
		if msg.of == p { // not a former incarnation's
			p.tick(ctx)
		}
	case *actor.Stopping, *actor.Restarting:
		p.stopping(ctx)
	}
}

// tick is when the actor looks after its worker.
type tick struct{ of *process }

const tickEvery = 250 * time.Millisecond

func (p *process) started(ctx actor.Context) {
	p.incarnation = uint64(time.Now().UnixNano()) //nolint:gosec // not before 1970
	system, gate := ctx.ActorSystem(), p.Gate
	p.worker = &worker{
		Options: &p.Options, incarnation: p.incarnation, log: p.self.Log, now: time.Now,
		queue: newQueue(p.Queue), open: p.open,
		send: func(msg any) { system.Root.Send(gate, msg) },
	}
	p.self.Goroutines.Go("worker", p.worker.run)
	p.bind(ctx)
	p.later(ctx)
}

// open makes the engine, on the worker's goroutine.
func (p *process) open(ctx context.Context) (engine, error) {
	if !p.Isolation.Process {
		return local{NewPipeline(p.pipeline())}, nil
	}
	memory := p.Isolation.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	return spawn(ctx, p.self.Goroutines, &p.Isolation, childOptions{
		Pipeline: p.pipeline(), Memory: memory, Nice: p.Isolation.Nice, Drills: p.Drills,
	}, p.Metrics, p.self.Log)
}

func (p *process) pipeline() PipelineOptions {
	return PipelineOptions{
		Name: p.Name, Incarnation: p.incarnation, Rendition: p.Rendition, Limits: p.Limits,
		Preset: p.Preset, Now: time.Now,
	}
}

// bind tells source and gate of the actor, at its start and when one of them was restarted.
func (p *process) bind(ctx actor.Context) {
	ctx.Send(p.Source, &topic.Subscribe{Subscriber: ctx.Self()})
	p.heard = false
	p.hello(ctx)
}

func (p *process) hello(ctx actor.Context) {
	ctx.Request(p.Gate, &Hello{Name: p.Name, Incarnation: p.incarnation, PID: ctx.Self()})
}

func (p *process) snapshot(s *topic.Snapshot) {
	units, anew := p.intake.snapshot(s)
	now := time.Now()
	for _, u := range units {
		p.push(item{unit: u, at: now, catchup: anew})
	}
	p.push(item{at: now, live: true})
}

func (p *process) push(i item) {
	if n := p.worker.queue.push(i); n > 0 {
		p.Metrics.dropped(n)
		p.self.Log.Warn("the queue is full; decoding goes on at the next IDR picture",
			slog.Int("dropped", n))
	}
}

func (p *process) segfault() {
	if !p.Drills {
		p.self.Log.Warn("drill refused: drills are off")
		return
	}
	p.worker.queue.segfault()
}

func (p *process) later(ctx actor.Context) {
	p.timer = supervise.After(ctx, tickEvery, &tick{of: p})
}

// tick fails the actor when its worker is stuck. A call into C cannot be interrupted: in this
// process the old worker's goroutine is left behind, counted as such, closes its pipeline if the
// call returns after all, and has given its slot back. A child process is killed.
func (p *process) tick(ctx actor.Context) {
	if took := p.worker.stuck(); took > p.Deadline {
		p.worker.abandon()
		panic(fmt.Errorf("rendition %s: one unit has taken %v, at most %v is allowed",
			p.Name, took.Round(time.Millisecond), p.Deadline))
	}
	if !p.heard {
		p.hello(ctx)
	}
	p.later(ctx)
}

func (p *process) stopping(ctx actor.Context) {
	ctx.Send(p.Source, &topic.Unsubscribe{Subscriber: ctx.Self()})
	if p.worker != nil {
		p.worker.gone.Store(true)
	}
	if p.timer != nil {
		p.timer.Stop()
	}
}
