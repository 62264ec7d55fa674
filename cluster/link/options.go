package link

import (
	"crypto/tls"
	"time"
)

// Options are what all links of a node have in common.
type Options struct {
	// Node is this node's name.
	Node string
	// TLS has both sides show certificates; nil is plain TCP.
	TLS *TLS
	// MaxBehind is how far a link may fall behind a broadcast before it goes on at the newest
	// keyframe.
	MaxBehind time.Duration
	// MaxUnit bounds a unit in bytes.
	MaxUnit int
	Metrics *Metrics
}

// TLS is how a node shows who it is and whom it takes: who has a certificate of the same authority.
type TLS struct{ Server, Client *tls.Config }
