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
	k := &keeping{wire: w, store: s, root: ctx.ActorSystem().Root, self: ctx.Self()}
	to := ctx.Sender()
	w.self.Goroutines.Go("store", func(c context.Context) {
		k.run(c, func(kept *settings.Kept) { k.root.Send(to, kept) })
	})
}

// keeping is one version of one key's settings on its way to where they are kept.
type keeping struct {
	*wire
	store *settings.Store
	root  *actor.RootContext
	self  *actor.PID
}

// run stores, and mirrors. A command is answered when one of the two is done: while the shelf does
// not work, and so takes its time, the other node comes first.
func (k *keeping) run(ctx context.Context, tell func(*settings.Kept)) {
	if k.Backup != nil {
		if backup := k.Backup(k.store.Key); backup != "" && backup != k.Node {
			k.back(ctx, backup, tell)
			return
		}
	}
	standby := ""
	if k.Standby != nil {
		standby = k.Standby(k.store.Key)
	}
	if standby == k.Node {
		standby = ""
	}
	mirrored := false
	if standby != "" && k.shelfAway.Load() {
		first := k.kept()
		k.mirror(ctx, standby, first)
		if mirrored = first.Mirrored; mirrored || len(first.Others) > 0 {
			tell(first)
		}
	}
	kept := k.kept()
	k.shelve(ctx, kept)
	switch {
	case mirrored && !kept.Stored && len(kept.Others) == 0:
		return // that is what was told
	case standby == "" || mirrored || len(kept.Others) > 0:
	case kept.Stored: // the other node need not be waited for
		k.root.Send(k.self, k.question(standby, true, false))
	default:
		k.mirror(ctx, standby, kept)
	}
	tell(kept)
}

// back stores, and has the backup carry the settings out: what the publisher sends there is shown
// too. That is told first: the two of them should do so at nearly the same time.
func (k *keeping) back(ctx context.Context, backup string, tell func(*settings.Kept)) {
	type answer struct {
		adopted *settings.Adopted
		err     error
	}
	asked := make(chan answer, 1)
	if !k.wire.self.Goroutines.Go("backup", func(ctx context.Context) {
		q := k.question(backup, false, true)
		got, err := request[*settings.Adopted](ctx, k.root, k.self, q)
		asked <- answer{got, err}
	}) {
		return // this actor ends, and the next is asked again
	}
	kept := k.kept()
	k.shelve(ctx, kept)
	got := <-asked
	kept.Backup = &settings.Backup{Node: backup}
	switch {
	case got.err != nil:
		kept.Backup.Reason = got.err.Error()
	case got.adopted.Version > k.store.Version:
		kept.Backup.Reason = "it has later settings"
		kept.Others = append(kept.Others, settings.Adopt{
			Key: k.store.Key, Version: got.adopted.Version, Data: got.adopted.Data,
		})
	case got.adopted.Reason != "":
		kept.Backup.Reason = got.adopted.Reason
	default:
		kept.Mirrored, kept.Backup.PTS = true, got.adopted.PTS
	}
	if kept.Stored && kept.Mirrored {
		k.root.Send(k.self, k.question(backup, true, false))
	}
	tell(kept)
}

func (k *keeping) kept() *settings.Kept {
	return &settings.Kept{Key: k.store.Key, Version: k.store.Version, Turn: k.store.Turn}
}

func (k *keeping) question(node string, stored, await bool) *Ask {
	return &Ask{Node: node, Question: &settings.Adopt{
		Key: k.store.Key, Version: k.store.Version, Data: k.store.Mirror, Stored: stored,
		Await: await,
	}}
}

// mirror gives the settings to the node that takes over, and notes if that has later ones.
func (k *keeping) mirror(ctx context.Context, standby string, kept *settings.Kept) {
	got, err := request[*settings.Adopted](ctx, k.root, k.self, k.question(standby, false, false))
	switch {
	case err != nil:
		kept.Reason += "; " + err.Error()
	case got.Version > k.store.Version:
		kept.Others = append(kept.Others, settings.Adopt{
			Key: k.store.Key, Version: got.Version, Data: got.Data,
		})
	case got.Reason != "":
		kept.Reason += "; node " + standby + ": " + got.Reason
	default:
		kept.Mirrored = true
	}
}

// shelve stores for all nodes, and notes what others have stored meanwhile.
func (k *keeping) shelve(ctx context.Context, kept *settings.Kept) {
	err := k.tryShelf(ctx, kept)
	if err != nil {
		k.Metrics.unstored.Inc()
		kept.Reason = err.Error()
	}
}

func (k *keeping) tryShelf(ctx context.Context, kept *settings.Kept) error {
	if k.Shelf == nil {
		return errors.New("there is nowhere to keep it")
	}
	ctx, cancel := context.WithTimeout(ctx, shelfTime)
	defer cancel()
	s := k.store
	version, data, err := k.Shelf.StoreSettings(ctx, s.Key, s.Base, s.Version, s.Data)
	k.shelfAway.Store(err != nil)
	switch {
	case err != nil:
		return fmt.Errorf("it cannot be stored: %w", err)
	case version == s.Version && bytes.Equal(data, s.Data):
		kept.Stored = true
		return nil
	}
	kept.Others = append(kept.Others, settings.Adopt{
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
