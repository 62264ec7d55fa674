package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/settings"
)

// store keeps settings for all nodes, and at the one that takes over, on a goroutine of its own.
func (w *wire) store(ctx actor.Context, s *settings.Store) {
	to, root, self := ctx.Sender(), ctx.ActorSystem().Root, ctx.Self()
	w.self.Goroutines.Go("store", func(c context.Context) {
		root.Send(to, w.keep(c, root, self, s))
	})
}

// keep stores, and mirrors. While the shelf does not work, the other node comes first: a command is
// answered when one of the two has it.
func (w *wire) keep(
	ctx context.Context, root *actor.RootContext, self *actor.PID, s *settings.Store,
) *settings.Kept {
	k := &settings.Kept{Key: s.Key, Version: s.Version, Turn: s.Turn}
	if err := w.shelve(ctx, s, k); err != nil {
		w.Metrics.unstored.Inc()
		k.Reason = err.Error()
	}
	standby := ""
	if w.Standby != nil {
		standby = w.Standby(s.Key)
	}
	if len(k.Others) > 0 {
		return k // there will be another version at once
	}
	if standby == "" || standby == w.Node {
		return k
	}
	ask := &Ask{Node: standby, Question: &settings.Adopt{
		Key: s.Key, Version: s.Version, Data: s.Mirror, Stored: k.Stored,
	}}
	if k.Stored { // it need not be waited for
		root.Send(self, ask)
		return k
	}
	got, err := request[*settings.Adopted](ctx, root, self, ask)
	switch {
	case err != nil:
		k.Reason += "; " + err.Error()
	case got.Version > s.Version:
		k.Others = append(k.Others, settings.Adopt{Key: s.Key, Version: got.Version, Data: got.Data})
	case got.Reason != "":
		k.Reason += "; node " + standby + ": " + got.Reason
	default:
		k.Mirrored = true
	}
	return k
}

// shelve stores for all nodes and notes what others have stored meanwhile.
func (w *wire) shelve(ctx context.Context, s *settings.Store, k *settings.Kept) error {
	if w.Shelf == nil {
		return errors.New("there is nowhere to keep it")
	}
	ctx, cancel := context.WithTimeout(ctx, shelfTime)
	defer cancel()
	version, data, err := w.Shelf.StoreSettings(ctx, s.Key, s.Base, s.Version, s.Data)
	switch {
	case err != nil:
		return fmt.Errorf("it cannot be stored: %w", err)
	case version == s.Version && bytes.Equal(data, s.Data):
		k.Stored = true
		return nil
	}
	k.Others = append(k.Others, settings.Adopt{
		Key: s.Key, Version: version, Data: data, Stored: true,
	})
	return errors.New("others have stored another version")
}

// load tells what is kept for all nodes.
func (w *wire) load(ctx actor.Context, l *settings.Load) {
	to, root := ctx.Sender(), ctx.ActorSystem().Root
	w.self.Goroutines.Go("load", func(c context.Context) {
		k := &settings.Kept{Key: l.Key}
		if w.Shelf != nil {
			c, cancel := context.WithTimeout(c, shelfTime)
			defer cancel()
			version, data, err := w.Shelf.LoadSettings(c, l.Key)
			if err == nil && version > 0 {
				k.Others = []settings.Adopt{{Key: l.Key, Version: version, Data: data, Stored: true}}
			}
		}
		root.Send(to, k)
	})
}
