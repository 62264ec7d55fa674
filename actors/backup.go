package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/headwater-live/headwater/actors/directory"
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
	pid := n.tree.pinned.beside(key, "")
	if pid == nil {
		return s, false
	}
	answer, err := n.ask(ctx, pid, &splice.Describe{})
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
	name := spliceName(key, rendition)
	return supervise.Spec{
		Name: name, Kind: "splice", Mailbox: 2 * edgeMailbox,
		Note: "makes one stream of a publisher's two",
		New: splice.New(splice.Options{
			Key: key, Rendition: rendition, Own: directory.Beside(key),
			Directory: t.fixed.directory,
			Topic:     t.pid(edgesName, edgeName(key, rendition), sourceName),
			Hold: func() func() {
				return t.pinned.splice(key, rendition, t.pid(pinsName, name))
			},
			Metrics: t.metrics.splice,
		}),
	}
}

func spliceName(key, rendition string) string {
	return splice.Name + "/" + nameOf(key) + "@" + rendition
}
