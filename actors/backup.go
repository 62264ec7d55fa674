package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/splice"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/media"
)

// errBackupHere says that a backup would be on the node that the broadcast is on.
var errBackupHere = errors.New(
	"a backup belongs on another origin than the broadcast, and this node is by itself")

// join asks what a publisher who calls himself a backup is to be: under which name he publishes,
// and above which epoch.
func (n *Node) join(ctx context.Context, key string) (name string, floor uint64, err error) {
	if n.tree.Cluster.Registrar == nil {
		located, err := n.locate(ctx, key)
		switch {
		case errors.Is(err, ErrNotFound), err == nil && !located.Publishing:
			return key, 0, nil
		case err == nil:
			err = errBackupHere
		}
		return "", 0, err
	}
	answer, err := n.ask(ctx, n.tree.pid(registrarName), &directory.Join{Key: key})
	if err != nil {
		return "", 0, err
	}
	switch answer := answer.(type) {
	case *directory.Joined:
		if answer.Node == "" {
			return key, 0, nil
		}
		return directory.Beside(key), answer.Epoch, nil
	case *directory.Unjoined:
		return "", 0, errors.New(answer.Reason)
	}
	return "", 0, fmt.Errorf("unexpected answer %T", answer)
}

// spliced is the state of the splice of a key's public rendition: ok is false if there is none.
func (n *Node) spliced(ctx context.Context, key string) (s splice.State, ok bool) {
	if n.tree.pinned.of(edgeName(key, "")).spliced == 0 {
		return s, false
	}
	answer, err := n.ask(ctx, n.tree.splicePID(key, ""), &splice.Describe{})
	state, is := answer.(*splice.State)
	if err != nil || !is {
		return s, false
	}
	return *state, true
}

// shown is a time of the backup publisher's own broadcast on the timeline that viewers have. Where
// nothing of it was ever shown there is none.
func (n *Node) shown(ctx context.Context, key string, at media.Time) (pts media.Time, ok bool) {
	s, ok := n.spliced(ctx, key)
	return at + s.Delta, ok && s.Known
}

// splice makes one stream of the two of a publisher who publishes twice, for one rendition. It
// stands beside the pin by which this node mirrors the other.
func (t *tree) splice(key, rendition string) supervise.Spec {
	name := edgeName(key, rendition)
	return supervise.Spec{
		Name: spliceName(key, rendition), Kind: "splice", Mailbox: 2 * edgeMailbox,
		Note: "makes one stream of a publisher's two",
		New: splice.New(splice.Options{
			Key: key, Rendition: rendition, Own: directory.Beside(key),
			Directory: t.fixed.directory, Topic: t.pid(edgesName, name, sourceName),
			Hold: func() func() { return t.pinned.splice(name) }, Metrics: t.metrics.splice,
		}),
	}
}

func spliceName(key, rendition string) string {
	return splice.Name + "/" + nameOf(key) + "@" + rendition
}

func (t *tree) splicePID(key, rendition string) *actor.PID {
	return t.pid(pinsName, spliceName(key, rendition))
}

// beside is who a relay tells what it tells its topic, while there is one.
func (t *tree) beside(key, rendition string) edge.Beside {
	name, pid := edgeName(key, rendition), t.splicePID(key, rendition)
	return func() *actor.PID {
		if t.pinned.of(name).spliced == 0 {
			return nil
		}
		return pid
	}
}
