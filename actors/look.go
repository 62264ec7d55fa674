package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/snapshot"
)

// Snapshot returns a JPEG of what the viewers of a rendition see, "" for the public one. The error
// is ErrNotFound if there is no such broadcast or rendition here, a *snapshot.Refused if there is
// no picture that may be shown.
func (n *Node) Snapshot(ctx context.Context, key, rendition string) (*snapshot.Picture, error) {
	located, err := n.answersFor(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", key, err)
	}
	answer, err := n.ask(ctx, located.Gate, &gate.Newest{Rendition: rendition})
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

// Loudness returns how loud a broadcast is. The error is ErrNotFound if it is not here, or if
// nothing is measured here.
func (n *Node) Loudness(ctx context.Context, key string) (*loudness.Report, error) {
	if !n.tree.Processing.Loudness {
		return nil, fmt.Errorf("%w: this node does not measure loudness", ErrNotFound)
	}
	located, err := n.answersFor(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("loudness of %s: %w", key, err)
	}
	answer, err := n.ask(ctx, n.tree.pid(broadcastsName, broadcastName(located.Key, located.Epoch),
		processingName, loudness.Name), &loudness.Describe{})
	if err != nil {
		return nil, fmt.Errorf("loudness of %s: %w", key, err)
	}
	if report, ok := answer.(*loudness.Report); ok {
		return report, nil
	}
	return nil, fmt.Errorf("loudness of %s: unexpected answer %T", key, answer)
}

// answersFor returns where on this node a broadcast is, or else the publisher's backup of it.
func (n *Node) answersFor(ctx context.Context, key string) (directory.Located, error) {
	located, err := n.locate(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return n.locate(ctx, directory.Beside(key))
	}
	return located, err
}

// locate returns where on this node a broadcast is.
func (n *Node) locate(ctx context.Context, key string) (located directory.Located, err error) {
	answer, err := n.ask(ctx, n.tree.pid(directory.Name), &directory.List{})
	if err != nil {
		return located, err
	}
	listing, ok := answer.(*directory.Listing)
	if !ok {
		return located, fmt.Errorf("unexpected answer %T", answer)
	}
	for _, located := range listing.Broadcasts {
		if located.Key == key && located.Gate != nil {
			return located, nil
		}
	}
	return located, fmt.Errorf("%w: there is no such broadcast here", ErrNotFound)
}
