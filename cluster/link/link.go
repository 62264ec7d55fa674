package link

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
)

// NewOrigin returns the producers of the two actors by which this node follows another: the link,
// which knows who follows what and lives as long as the node, and the dialer, which owns the
// connection and ends with it.
//
// The link answers gate.Subscribe and gate.Unsubscribe as a gate does. Who subscribes may do so
// before the broadcast, or the connection, is there.
func NewOrigin(o Options, name, address string) (link, dial Producer) {
	t := newTable()
	said := &said{}
	link = func(*supervise.Self) actor.Actor { return &desk{table: t, name: name} }
	dial = func(self *supervise.Self) actor.Actor {
		return &dialer{Options: o, name: name, address: address, table: t, self: self, said: said}
	}
	return link, dial
}

// desk is the link's actor.
type desk struct {
	table *table
	name  string // of the node that is followed
}

// Receive implements actor.Actor.
func (d *desk) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		for _, who := range d.table.subscribers() {
			ctx.Watch(who)
		}
	case *gate.Subscribe:
		ctx.Watch(msg.Subscriber)
		d.table.subscribe(msg.Key, msg.Rendition, msg.Subscriber)
	case *gate.Unsubscribe:
		ctx.Unwatch(msg.Subscriber)
		d.table.unsubscribe(msg.Subscriber)
	case *directory.Heard:
		ctx.Respond(&directory.HeardAt{Key: msg.Key, Node: d.name, At: d.table.heard(msg.Key)})
	case *actor.Terminated:
		d.table.unsubscribe(msg.Who)
	}
}
