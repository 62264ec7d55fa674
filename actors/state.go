package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// State is what a node knows of a broadcast that it carries or did.
type State struct {
	// Epoch is 0 if it neither carries nor follows the broadcast.
	Epoch      uint64
	Publishing bool
	// Last is how far the timeline had come at At.
	Last    media.Time
	HasLast bool
	At      time.Time
	// Settings are its record, as settings.Adopted has it.
	Settings settings.Adopted
}

// State tells what is known here of a broadcast.
func (n *Node) State(ctx context.Context, key string) (s State, err error) {
	answer, err := n.ask(ctx, n.tree.pid(settings.Name), &settings.Export{Key: key})
	if err != nil {
		return s, fmt.Errorf("state of %s: %w", key, err)
	}
	if adopted, ok := answer.(*settings.Adopted); ok {
		s.Settings = *adopted
	}
	located, err := n.locate(ctx, key)
	if errors.Is(err, ErrNotFound) {
		n.followed(ctx, key, &s)
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("state of %s: %w", key, err)
	}
	s.Epoch, s.Publishing = located.Epoch, located.Publishing
	answer, err = n.ask(ctx, located.Topic, &topic.Describe{})
	if d, ok := answer.(*topic.Description); ok && err == nil {
		s.Last, s.HasLast, s.At = d.Last, d.HasLast, d.LastTime
	}
	return s, nil
}

// followed tells how far a broadcast came that this node has from others: of a standby, whoever
// takes over wants to know.
func (n *Node) followed(ctx context.Context, key string, s *State) {
	answer, err := n.ask(ctx, n.tree.pid(edgesName, edgeName(key, ""), sourceName), &topic.Describe{})
	if d, ok := answer.(*topic.Description); ok && err == nil && d.HasLast {
		s.Epoch, s.Last, s.HasLast, s.At = d.LastEpoch, d.Last, true, d.LastTime
	}
}

// Here tells the epoch of a broadcast that this node carries, 0 if it does not.
func (n *Node) Here(ctx context.Context, key string) uint64 {
	located, err := n.locate(ctx, key)
	if err != nil {
		return 0
	}
	return located.Epoch
}

// Adopt gives the node the settings of a key as others have them.
func (n *Node) Adopt(ctx context.Context, a settings.Adopt) (settings.Adopted, error) {
	answer, err := n.ask(ctx, n.tree.pid(settings.Name), &a)
	if err != nil {
		return settings.Adopted{}, fmt.Errorf("settings of %s: %w", a.Key, err)
	}
	adopted, ok := answer.(*settings.Adopted)
	if !ok {
		return settings.Adopted{}, fmt.Errorf("settings of %s: unexpected answer %T", a.Key, answer)
	}
	if a.Await {
		pts, ok := n.shown(ctx, a.Key, adopted.PTS)
		if adopted.PTS = pts; !ok {
			adopted.PTS = 0
		}
	}
	return *adopted, nil
}

// AskRegistrar puts a question to the actor that speaks for this node in the cluster.
func (n *Node) AskRegistrar(ctx context.Context, question any) (any, error) {
	return n.ask(ctx, n.tree.pid(registrarName), question)
}

// NewSystem returns an actor system that is small, and quiet: for what has actors of its own beside
// the tree.
func NewSystem(log *slog.Logger) *actor.ActorSystem {
	log = quiet(log)
	system := actor.NewActorSystem(actor.WithLoggerFactory(
		func(*actor.ActorSystem) *slog.Logger { return log }))
	shrink(system.ProcessRegistry)
	return system
}
