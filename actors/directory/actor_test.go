package directory

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// leaving is a topic that ends as soon as it is superseded, as one without a publisher does.
type leaving struct{ key string }

// Receive implements actor.Actor.
func (l *leaving) Receive(ctx actor.Context) {
	if s, ok := ctx.Message().(*Supersede); ok {
		ctx.Send(ctx.Sender(), &Superseded{
			Key: l.key, Epoch: s.Epoch - 1, Last: media.Second, HasLast: true, LastTime: time.Now(),
		})
		ctx.Stop(ctx.Self())
	}
}

// TestTheEndOvertakesNoWord has topics end at once after they have said how far they came: the
// timeline goes on from there all the same.
func TestTheEndOvertakesNoWord(t *testing.T) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
	defer system.Shutdown()
	root := system.Root
	pid := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return New()(nil) }))
	for i := range 300 {
		key := fmt.Sprint("live/", i)
		topic := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &leaving{key} }))
		root.Send(pid, &Announce{Key: key, Epoch: 1, Topic: topic})
		answer, err := root.RequestFuture(pid, &Claim{Key: key}, 10*time.Second).Result()
		if err != nil {
			t.Fatal(err)
		}
		if g, ok := answer.(*Granted); !ok || !g.HasStart || g.Start < media.Second || g.Epoch != 2 {
			t.Fatalf("claim %d is granted %+v", i, answer)
		}
	}
}
