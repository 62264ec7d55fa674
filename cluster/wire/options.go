package wire

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/headwater-live/headwater/actors/settings"
)

// Options make the actor.
type Options struct {
	// Node is this node's name.
	Node string
	// Socket is where others reach it.
	Socket *Socket
	// Advertise is that address as others have it; empty means the socket's own.
	Advertise string
	// Server and Client have both sides show certificates; nil is without TLS.
	Server, Client *tls.Config
	// Address tells where a node of the member list is reached. It is called by any goroutine.
	Address func(node string) (address string, ok bool)
	// Local answers the questions of others.
	Local Local
	// Shelf keeps settings for all nodes, and Standby names the node that is to have those of a
	// key, "" for none.
	Shelf   Shelf
	Standby func(key string) string
	// Backup names the node of a key's backup publisher, "" for none. It may be nil.
	Backup func(key string) string
	// Bind is given what asks other nodes by this actor, at each start of it. It may be nil.
	Bind    func(*Caller)
	Metrics *Metrics
}

// Local is what this node does for others. Each function is called by many goroutines.
type Local struct {
	Command func(context.Context, settings.Command) (settings.Answer, error)
	Adopt   func(context.Context, settings.Adopt) (settings.Adopted, error)
	State   func(context.Context, string) (Stated, error)
	List    func(context.Context) ([]Broadcast, error)
	Drain   func(ctx context.Context, order Drain) (Drained, error)
	Left    func(ctx context.Context) (Drained, error)
}

// Shelf keeps the settings of keys for all nodes.
type Shelf interface {
	// LoadSettings returns what is kept of a key, version 0 if nothing is.
	LoadSettings(ctx context.Context, key string) (version uint64, data []byte, err error)
	// StoreSettings keeps data as a version of a key's settings if what is kept is of the version
	// base, and returns what is kept then: data itself, or what others have stored meanwhile.
	StoreSettings(ctx context.Context, key string, base, version uint64, data []byte) (
		kept uint64, keptData []byte, err error)
}

const (
	// usual is how long an answer may take.
	usual = 3 * time.Second
	// commandTime is longer than a node takes to say that a command is not carried out.
	commandTime = 7 * time.Second
	// inFlight bounds the questions that one node has to answer, for this one or another.
	inFlight = 64
	// shelfTime is how long the shelf may take.
	shelfTime = 2 * time.Second
)

// within is how long the answer to a question may take.
func within(a *Ask) time.Duration {
	if a.Within > 0 {
		return a.Within
	}
	if _, ok := a.Question.(*settings.Command); ok {
		return commandTime
	}
	return usual
}
