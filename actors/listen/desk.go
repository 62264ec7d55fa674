package listen

import (
	"context"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/ingest"
)

// Desk is where a listener takes the connections that it has negotiated.
type Desk struct {
	// Publish finds an owner for a publisher, or says why there is none.
	Publish func(ctx context.Context, key string, conn *ingest.Conn) error
	// Play finds an owner for a viewer, or says why there is none.
	Play func(ctx context.Context, key string, socket *edge.Socket) error
}
