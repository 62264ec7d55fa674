package process

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// New is not there yet.
func New(Options) func(*supervise.Self) actor.Actor {
	return func(*supervise.Self) actor.Actor { return actor.ReceiveFunc(func(actor.Context) {}) }
}
