package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/mailbox"
	"github.com/headwater-live/headwater/actors/own"
)

// shell is what supervisors and workers have in common: their entry in the census, and handlers of
// their own end that cannot fail. A panic in Stopping would resurrect the actor, one in Stopped
// would leave its supervisor waiting for ever.
type shell struct {
	rt        *Runtime
	vital     *Vital
	start     int64 // which start of the actor this incarnation is, from 1
	hasFailed bool  // this incarnation has panicked, or is about to find out
}

func (s *shell) log() *slog.Logger {
	return slog.New(signed{s.rt.Log.Handler(), s.vital.Spec})
}

// signed is a log handler that tells which actor it is. Logger.With would do the same, but format
// it beforehand: a fifth of a kilobyte for each actor, most of which never log.
type signed struct {
	slog.Handler
	spec *Spec
}

func (s signed) sign() slog.Handler {
	return s.Handler.WithAttrs([]slog.Attr{
		slog.String("actor", s.spec.Name), slog.String("kind", s.spec.Kind),
	})
}

// Handle implements slog.Handler.
func (s signed) Handle(ctx context.Context, r slog.Record) error { return s.sign().Handle(ctx, r) }

// WithAttrs implements slog.Handler.
func (s signed) WithAttrs(attrs []slog.Attr) slog.Handler { return s.sign().WithAttrs(attrs) }

// WithGroup implements slog.Handler.
func (s signed) WithGroup(name string) slog.Handler { return s.sign().WithGroup(name) }

// begin enters the incarnation into the census.
func (s *shell) begin(ctx actor.Context) {
	s.start = s.vital.starts.Load()
	s.rt.Census.enter(ctx.Self(), s.vital)
}

// up tells the actor's supervisor that the next one can start.
func (s *shell) up(ctx actor.Context) {
	s.vital.state.Store(int32(Running))
	if ctx.Parent() != nil && s.vital.parent != nil {
		ctx.Send(ctx.Parent(), &childUp{name: s.vital.Spec.Name, n: s.start})
	}
}

// left strikes the actor off the census, last of all.
func (s *shell) left(ctx actor.Context) {
	s.rt.Census.leave(ctx.Self(), s.vital)
	s.vital.mailbox.Close()
	if s.vital.ended != nil {
		s.vital.ended()
	}
}

// safely runs a handler of the actor's end.
func (s *shell) safely(stage string, handle func()) {
	defer func() {
		if value := recover(); value != nil {
			s.log().Error("actor panicked while it ended", slog.String("stage", stage),
				slog.String("panic", fmt.Sprint(value)), slog.String("stack", string(debug.Stack())))
			s.vital.counts.EndPanics.Add(1)
		}
	}()
	handle()
}

// failure makes an error of what an actor panicked with.
func failure(reason any) error {
	if err, ok := reason.(error); ok {
		return err
	}
	return fmt.Errorf("panic: %v", reason)
}

// on says at which message an actor failed.
func on(err error) string {
	var p *mailbox.Panic
	if errors.As(err, &p) {
		return p.On
	}
	return ""
}

// stack says where it failed: on its own goroutine, or on one that it owns.
func stack(err error) string {
	var owned *own.Panic
	if errors.As(err, &owned) {
		return string(owned.Stack)
	}
	var p *mailbox.Panic
	if errors.As(err, &p) {
		return string(p.Stack)
	}
	return ""
}
