package actors

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/load"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/splice"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// Options make a node.
type Options struct {
	// Node is the node's name.
	Node string
	// Runtime is what all actors share.
	Runtime *supervise.Runtime
	// Registry takes the metrics.
	Registry prometheus.Registerer

	// RTMP are the listening sockets for RTMP and RTMPS, HTTP the one for HTTP, nil for none.
	RTMP []RTMPSocket
	HTTP *listen.ListenSocket
	// Handler makes what the HTTP socket serves; the handler it is given serves HTTP-FLV.
	Handler func(flv http.Handler) http.Handler

	// Policy says what becomes of a second publisher of a key, Grace how long a lost one is
	// awaited.
	Policy directory.Policy
	Grace  time.Duration
	// Ring bounds what a topic keeps.
	Ring topic.Limits
	// Viewer bounds what a viewer may cost.
	Viewer edge.Bounds
	// SendBuffer bounds what the kernel holds for a viewer, in bytes.
	SendBuffer int
	// Linger is how long an edge outlives its last viewer.
	Linger time.Duration
	// Window is the merge window; Adaptive lets it follow the load.
	Window   time.Duration
	Adaptive bool
	// Caps bound the connections, Guard what a peer may send before it publishes, Handshake the
	// time it has for that, Idle how long a publisher may be silent.
	Caps      *listen.Caps
	Guard     rtmp.Limits
	Handshake time.Duration
	Idle      time.Duration

	// Elsewhere names where else a key is published, or watched, for whom a draining node refuses;
	// "" is nowhere. It may be nil.
	Elsewhere func(key string, publish bool) string

	// Links are those to other nodes.
	Links Links
	// Cluster makes the node one of many.
	Cluster Cluster

	// Processing says how pictures are processed.
	Processing ProcessingOptions

	// Seams are the simulation's. A node in earnest has none.
	Seams Seams
}

// RTMPSocket is a listening socket and the name of its actor.
type RTMPSocket struct {
	Name   string
	Socket *listen.ListenSocket
}

// log is the tree's logger.
func (o *Options) log() *slog.Logger { return o.Runtime.Log }

// metrics are those of every part of the tree.
type metrics struct {
	origin, rendition, edge *topic.Metrics

	gates    *gate.Metrics
	process  *process.Metrics
	loudness *loudness.Metrics
	ingest   *ingest.Metrics
	viewers  *edge.Metrics
	listen   *listen.Metrics
	load     *load.Metrics
	splice   *splice.Metrics
}

func newMetrics(reg prometheus.Registerer) (m metrics, err error) {
	if m.origin, err = topic.NewMetrics(reg, "origin"); err != nil {
		return m, err
	}
	if m.rendition, err = topic.NewMetrics(reg, "rendition"); err != nil {
		return m, err
	}
	if m.gates, err = gate.NewMetrics(reg); err != nil {
		return m, err
	}
	if m.process, err = process.NewMetrics(reg); err != nil {
		return m, err
	}
	if m.edge, err = topic.NewMetrics(reg, "edge"); err != nil {
		return m, err
	}
	if m.ingest, err = ingest.NewMetrics(reg); err != nil {
		return m, err
	}
	if m.viewers, err = edge.NewMetrics(reg); err != nil {
		return m, err
	}
	if m.listen, err = listen.NewMetrics(reg); err != nil {
		return m, err
	}
	if m.load, err = load.NewMetrics(reg); err != nil {
		return m, err
	}
	if m.splice, err = splice.NewMetrics(reg); err != nil {
		return m, err
	}
	m.loudness, err = loudness.NewMetrics(reg)
	return m, err
}
