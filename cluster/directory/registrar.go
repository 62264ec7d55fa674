package directory

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors"
	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/membership"
)

// Name is the registrar's name in the tree.
const Name = "registrar"

// NewRegistrar returns what makes the producer of the actor that speaks for this node in the
// cluster.
func NewRegistrar(o Options) func(actors.ClusterPlace) func(*supervise.Self) actor.Actor {
	return func(place actors.ClusterPlace) func(*supervise.Self) actor.Actor {
		told := newMemory()
		return func(self *supervise.Self) actor.Actor {
			r := &registrar{options: &o, self: self}
			r.machine = newMachine(&o, place, told, r.bad)
			return r
		}
	}
}

// registrar feeds the machine, and has a session and a mirror of its own for each incarnation.
type registrar struct {
	options *Options
	machine *machine
	self    *supervise.Self
	session *membership.Session
	mirror  *membership.Mirror
	timer   *time.Timer
	claims  int // that are being served
}

// What its goroutines tell the actor, and of which incarnation they are.
type (
	leaseChanged struct{ of *registrar }
	viewChanged  struct{ of *registrar }
	sampled      struct {
		of   *registrar
		load Load
	}
	claimDone struct {
		of    *registrar
		claim *claim
		epoch uint64
		far   State
		err   error
	}
	joinDone struct {
		of   *registrar
		join *joining
		ok   bool
	}
	tick struct{ of *registrar }
)

// tickEvery is how often the machine is asked what time alone brings about.
const tickEvery = 500 * time.Millisecond

// Receive implements actor.Actor.
func (r *registrar) Receive(ctx actor.Context) {
	now := time.Now()
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		r.begin(ctx, now)
	case *actor.Stopping:
		if r.session != nil {
			r.session.RevokeAtEnd()
		}
		r.stopTimer()
		return
	case *actor.Restarting:
		r.stopTimer()
		return
	case *leaseChanged:
		r.changed(msg.of, now)
	case *viewChanged:
		r.changed(msg.of, now)
	case *sampled:
		if msg.of == r {
			r.machine.sampled(msg.load)
		}
	case *claimDone:
		r.done(msg, now)
	case *tick:
		if msg.of == r {
			r.machine.tick(now)
			r.timer = supervise.After(ctx, tickEvery, msg)
		}
	case *local.Reserve:
		r.machine.reserve(msg, ctx.Sender(), r.session.Lease() != 0, now)
	case *local.Join:
		r.machine.join(msg, ctx.Sender(), now)
	case *joinDone:
		if msg.of == r {
			r.machine.joined(msg.join, msg.ok, now)
		}
	case *local.Backup:
		r.machine.back(msg, now)
	case *local.NoBackup:
		r.machine.unback(msg, now)
	case *local.Here:
		r.machine.carry(msg, now)
	case *local.NotHere:
		r.machine.drop(msg, now)
	case *local.Locate:
		r.machine.locate(msg.Key, now)
	case *local.Forget:
		r.machine.forget(msg.Key, now)
	case *local.HeardAt:
		r.machine.heard(msg)
	case *settings.Current:
		r.machine.renditions(msg)
	case *supervise.Rebind:
		r.machine.rebind(msg.Sibling, now)
	case *supervise.ChildStarted:
		r.machine.childUp(msg.PID, now)
	case *supervise.ChildRefused:
		r.self.Log.Warn("no link or pin was started", slog.String("reason", msg.Reason))
	case *GetView:
		ctx.Respond(r.view())
	case *SetState:
		r.machine.setState(msg.State)
		ctx.Respond(&StateSet{r.machine.state})
	}
	r.carryOut(ctx)
}

// begin starts the incarnation's goroutines.
func (r *registrar) begin(ctx actor.Context, now time.Time) {
	system, self := ctx.ActorSystem(), ctx.Self()
	tell := func(msg any) { system.Root.Send(self, msg) }
	r.session = membership.NewSession(membership.SessionOptions{
		Client: r.options.Client, Log: r.self.Log,
		Changed: func(bool) { tell(&leaseChanged{r}) },
	})
	r.mirror = membership.NewMirror(membership.MirrorOptions{
		Client: r.options.Client, Prefix: r.options.Keys.Prefix(), Log: r.self.Log,
		Changed: func() { tell(&viewChanged{r}) },
	})
	r.machine.begin(now)
	r.register()
	r.session.Run(r.self.Goroutines)
	r.mirror.Run(r.self.Goroutines)
	if r.options.Sample != nil {
		r.self.Goroutines.Go("load", func(ctx context.Context) {
			r.sample(ctx, func(l Load) { tell(&sampled{r, l}) })
		})
	}
	r.timer = supervise.After(ctx, tickEvery, &tick{r})
}

func (r *registrar) stopTimer() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// sampleEvery is how often the load is looked at, and so the most often that it is written.
const sampleEvery = 2 * time.Second

func (r *registrar) sample(ctx context.Context, tell func(Load)) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		tell(r.options.Sample(time.Now()))
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// changed takes what is new in etcd and of the lease. With a new lease everything is read again:
// the data may be another's.
func (r *registrar) changed(of *registrar, now time.Time) {
	if of != r {
		return
	}
	held := r.session.Lease() != 0
	if held && !r.machine.atlas.view.Held && r.machine.atlas.view.Synced {
		r.mirror.Refresh()
	}
	changes, synced := r.mirror.Take()
	alone := !r.machine.twin
	if r.machine.apply(changes, synced, held, now); alone && r.machine.twin {
		r.self.Log.Error("another process has this node's name; give each its own",
			slog.String("name", r.options.Node.Name))
	}
	if r.options.Viewed != nil {
		r.options.Viewed(r.view())
	}
}

func (r *registrar) view() *View {
	v := r.machine.atlas.snapshot()
	v.Held = r.session.Lease() != 0
	return v
}

func (r *registrar) bad(key string, err error) {
	r.options.Metrics.bad.Inc()
	r.self.Log.Warn("a record of the cluster's directory is left out", slog.String("key", key),
		slog.Any("error", err))
}

// carryOut does what the machine has decided.
func (r *registrar) carryOut(ctx actor.Context) {
	r.register()
	for _, o := range r.machine.out.Take() {
		ctx.RequestWithCustomSender(o.To, o.Msg, ctx.Self())
	}
	if r.machine.told && r.options.Viewed != nil {
		r.options.Viewed(r.view())
	}
	r.machine.told = false
	r.joins(ctx)
	for r.claims < claimsAtOnce && len(r.machine.claims) > 0 {
		c := r.machine.claims[0]
		r.machine.claims = r.machine.claims[1:]
		system, self := ctx.ActorSystem(), ctx.Self()
		if r.self.Goroutines.Go("claim", func(ctx context.Context) {
			done := &claimDone{of: r, claim: c}
			done.epoch, done.far, done.err = r.serve(ctx, c)
			system.Root.Send(self, done)
		}) {
			r.claims++
		}
	}
}

// joins asks for what is commanded of keys.
func (r *registrar) joins(ctx actor.Context) {
	system, self := ctx.ActorSystem(), ctx.Self()
	for _, j := range r.machine.joins {
		r.self.Goroutines.Go("join", func(ctx context.Context) {
			system.Root.Send(self, &joinDone{of: r, join: j, ok: r.learn(ctx, j)})
		})
	}
	r.machine.joins = nil
}

func (r *registrar) register() {
	for _, reg := range r.machine.registers {
		if reg.value == nil {
			r.session.Unregister(reg.key)
		} else {
			r.session.Register(reg.key, reg.value)
		}
	}
	for _, key := range r.machine.rewrites {
		r.session.Rewrite(key)
	}
	r.machine.registers, r.machine.rewrites = nil, nil
}

func (r *registrar) done(d *claimDone, now time.Time) {
	if d.of != r {
		return // the directory has waited in vain, and asks again
	}
	r.claims--
	if d.err != nil {
		r.self.Log.Warn("a key was not granted", slog.String("key", d.claim.Key),
			slog.Any("error", d.err))
	}
	r.machine.claimed(d.claim, d.epoch, d.far, d.err, now)
}
