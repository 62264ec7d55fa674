package actors

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/snapshot"
)

// Snapshot returns a JPEG of what the viewers of a rendition see, "" for the public one. The error
// is ErrNotFound if there is no such broadcast or rendition here, a *snapshot.Refused if there is
// no picture that may be shown.
func (n *Node) Snapshot(ctx context.Context, key, rendition string) (*snapshot.Picture, error) {
	gateway, err := n.gateOf(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", key, err)
	}
	answer, err := n.ask(ctx, gateway, &gate.Newest{Rendition: rendition})
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", key, err)
	}
	newest, ok := answer.(*gate.Picture)
	switch {
	case !ok:
		return nil, fmt.Errorf("snapshot of %s: unexpected answer %T", key, answer)
	case newest.Unknown:
		return nil, fmt.Errorf("%w: %s: %s", ErrNotFound, key, newest.Reason)
	case newest.Unit == nil:
		return nil, &snapshot.Refused{Reason: newest.Reason}
	}
	answer, err = n.ask(ctx, n.tree.pid(snapshotsName, snapshot.Name), &snapshot.Take{
		Key: key, Rendition: rendition, Unit: newest.Unit,
		Version: newest.Version, Floor: newest.Floor,
	})
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", key, err)
	}
	switch answer := answer.(type) {
	case *snapshot.Picture:
		return answer, nil
	case *snapshot.Refused:
		return nil, answer
	}
	return nil, fmt.Errorf("snapshot of %s: unexpected answer %T", key, answer)
}

// gateOf returns the gate of a broadcast that is on this node.
func (n *Node) gateOf(ctx context.Context, key string) (*actor.PID, error) {
	answer, err := n.ask(ctx, n.tree.pid(directory.Name), &directory.List{})
	if err != nil {
		return nil, err
	}
	listing, ok := answer.(*directory.Listing)
	if !ok {
		return nil, fmt.Errorf("unexpected answer %T", answer)
	}
	for _, located := range listing.Broadcasts {
		if located.Key == key && located.Gate != nil {
			return located.Gate, nil
		}
	}
	return nil, fmt.Errorf("%w: there is no such broadcast here", ErrNotFound)
}
