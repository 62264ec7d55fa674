package splice

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// Name is the actor's name in the tree.
const Name = "splice"

// Options make a splice.
type Options struct {
	// Key names the broadcast, Rendition what of it is made one, "" the public one.
	Key, Rendition string
	// Own is the name of the backup publisher's broadcast at Directory, which tells where it is.
	Own       string
	Directory *actor.PID
	// Topic is the pinned edge's, which the splice feeds beside the edge's relay.
	Topic *actor.PID
	// Hold has whoever feeds that topic feed the splice too, until what it returns is called.
	Hold    func() (release func())
	Metrics *Metrics
}

// New returns the producer of the actor. What it knows of the two sides outlives its restarts.
func New(o Options) func(*supervise.Self) actor.Actor {
	m := &memory{machine: NewMachine()}
	return func(self *supervise.Self) actor.Actor {
		return &splice{Options: o, self: self, memory: m}
	}
}

// memory outlives the actor's restarts.
type memory struct {
	machine *Machine
	state   state
	release func() // nil while nothing is held
}

type splice struct {
	Options
	*memory
	self    *supervise.Self
	gate    *actor.PID // the own broadcast's, nil while there is none
	ring    *topic.Ring
	reader  *topic.Reader
	batch   []*topic.Unit
	ear     *ear
	woken   atomic.Bool // a moved message is on its way
	overdue *tick
	timer   *time.Timer
}

// Receive implements actor.Actor.
func (s *splice) Receive(ctx actor.Context) {
	now := time.Now()
	switch msg := ctx.Message().(type) {
	case *topic.Unit:
		s.machine.Mirror(msg, now)
	case *topic.Snapshot:
		for _, u := range msg.Units {
			s.machine.Mirror(u, now)
		}
	case *gate.Gone:
		s.machine.Lost(now)
	case *actor.Started:
		s.started(ctx)
	case *supervise.Rebind:
		s.follow(ctx)
	case *directory.Located:
		s.located(ctx, msg)
	case *gate.Tapped:
		s.tapped(msg)
	case *tick:
		if msg == s.overdue {
			s.overdue = nil
			s.machine.Tick(now)
		}
	case *Describe:
		ctx.Respond(s.describe())
	case *actor.Restarting:
		s.leave(ctx)
		return
	case *actor.Stopping:
		s.leave(ctx)
		s.ended()
		return
	}
	s.read(now)
	s.carryOut(ctx, now)
}

func (s *splice) started(ctx actor.Context) {
	if s.release == nil && s.Hold != nil {
		s.release = s.Hold()
		s.Metrics.begun(s.state, 1)
	}
	s.follow(ctx)
}

func (s *splice) ended() {
	if s.release != nil {
		s.release()
		s.release = nil
		s.Metrics.begun(s.state, -1)
	}
}

func (s *splice) describe() *State {
	m := s.machine
	state := &State{Epoch: m.Epoch(), Aligned: m.Aligned(), TookOver: m.TookOver()}
	state.Delta, state.Known = m.Delta()
	return state
}

func (s *splice) follow(ctx actor.Context) {
	if s.ear == nil {
		root, self := ctx.ActorSystem().Root, ctx.Self()
		s.ear = &ear{wake: func() {
			if !s.woken.Swap(true) {
				root.Send(self, &moved{})
			}
		}}
	}
	ctx.Send(s.Directory, &directory.Follow{Key: s.Own, Follower: ctx.Self()})
	s.tap(ctx)
}

// located follows the own broadcast from one epoch of its own to the next.
func (s *splice) located(ctx actor.Context, l *directory.Located) {
	if l.Gate != nil && l.Gate.Equal(s.gate) {
		s.tap(ctx) // it may have been restarted
		return
	}
	s.untap(ctx)
	if s.gate = l.Gate; s.gate == nil {
		s.machine.OwnEnded()
		return
	}
	s.tap(ctx)
}

func (s *splice) tap(ctx actor.Context) {
	if s.gate != nil {
		ctx.Send(s.gate, &gate.Tap{Rendition: s.Rendition, Follower: ctx.Self()})
	}
}

// tapped begins to read a ring, behind what the machine has of it.
func (s *splice) tapped(t *gate.Tapped) {
	if s.gate == nil {
		return
	}
	s.machine.OwnMade(t.Made)
	if t.Ring == s.ring {
		return
	}
	s.hush()
	s.ring, s.reader = t.Ring, topic.NewFollower(t.Ring, 0)
	s.reader.Resume(s.machine.ownEpoch, s.machine.ownSeq)
	s.ring.Watch(s.ear)
}

// most is how much is read at a time.
const most = 64

// read gives the machine what is new of the own stream.
func (s *splice) read(now time.Time) {
	if s.ring == nil {
		return
	}
	s.woken.Store(false) // before reading: what comes from here on wakes again
	if s.batch == nil {
		s.batch = make([]*topic.Unit, 0, most)
	}
	for {
		units := s.reader.Next(s.batch, mostBytes)
		for _, u := range units {
			s.machine.Own(u, now)
		}
		s.machine.OwnSealed(s.ring.Sealed(), now) // after the units: behind a seal comes what it spares
		if len(units) == 0 {
			return
		}
		clear(units)
	}
}

// carryOut gives what the machine gives, and wakes up when the mirror may have been silent for too
// long.
func (s *splice) carryOut(ctx actor.Context, now time.Time) {
	for _, msg := range s.machine.Take() {
		ctx.Send(s.Topic, msg)
		if _, unit := msg.(*topic.Unit); unit {
			s.Metrics.unit()
		}
	}
	if at, ok := s.machine.Deadline(); ok && s.overdue == nil {
		s.overdue = &tick{}
		s.timer = supervise.After(ctx, at.Sub(now), s.overdue)
	}
	is := s.machine.state()
	if is == s.state {
		return
	}
	s.Metrics.moved(s.state, is, s.machine.took.why)
	s.state = is
	s.self.Log.Info("splice of two publishers", slog.String("broadcast", s.Key),
		slog.String("rendition", s.Rendition), slog.Uint64("epoch", s.machine.Epoch()),
		slog.String("state", is.String()))
}

func (s *splice) leave(ctx actor.Context) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.untap(ctx)
	ctx.Send(s.Directory, &directory.Unfollow{Key: s.Own, Follower: ctx.Self()})
}

func (s *splice) untap(ctx actor.Context) {
	s.hush()
	if s.gate != nil {
		ctx.Send(s.gate, &gate.Untap{Follower: ctx.Self()})
	}
}

// hush ends reading.
func (s *splice) hush() {
	if s.ring != nil {
		s.ring.Unwatch(s.ear)
	}
	s.ring, s.reader = nil, nil
}
