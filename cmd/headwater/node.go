package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/cluster/control"
	"github.com/headwater-live/headwater/cluster/link"
	"github.com/headwater-live/headwater/cluster/wire"
	"github.com/headwater-live/headwater/cmd/headwater/config"
	"github.com/headwater-live/headwater/cmd/headwater/demo"
	"github.com/headwater-live/headwater/cmd/headwater/publish"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
	"github.com/headwater-live/headwater/halide"
)

// runNode is the composition root: it opens the sockets, starts the tree and takes it down again.
func runNode(
	ctx context.Context, cfg config.Config, log *slog.Logger, withDemo bool, out io.Writer,
) error {
	log = log.With(slog.String("node", cfg.Node.Name))
	kernels := halide.Info()
	log.Info("kernels", slog.String("cpu", kernels.CPU), slog.String("digest", kernels.Kernels))
	registry := prometheus.NewRegistry()
	started := &startedNode{}
	cluster, err := openCluster(ctx, &cfg, log, registry)
	if err != nil {
		return err
	}
	defer cluster.close()
	sockets, err := openSockets(ctx, cfg)
	if err != nil {
		return errors.Join(err, sockets.close())
	}
	options, err := nodeOptions(cfg, log, registry, sockets)
	if err == nil {
		err = cluster.join(&options, sockets, registry, started)
	}
	if err != nil {
		return errors.Join(err, sockets.close())
	}
	api := control.Options{
		Node: started, Gatherer: registry, Log: log, RTMPPort: port(sockets.rtmp),
		Drills: options.Processing.Drills, Drainer: started, Cluster: cluster.control(&cfg, sockets),
	}
	options.Handler = func(flv http.Handler) http.Handler {
		api.FLV = flv
		return control.Handler(api)
	}
	node, err := actors.Start(options)
	if err != nil {
		return errors.Join(fmt.Errorf("start: %w", err), sockets.close())
	}
	started.Store(node)
	welcome(out, sockets, withDemo)
	helpers := own.NewGroup(&own.Counts{}, func(p *own.Panic) {
		log.Error("a helper failed", slog.Any("error", p))
	})
	emptied := make(chan struct{})
	helpers.Go("empty", func(ctx context.Context) { started.awaitEmpty(ctx, api.Empty, emptied) })
	if withDemo {
		helpers.Go("demo", func(ctx context.Context) { publishDemo(ctx, sockets, log) })
	}
	select {
	case <-ctx.Done():
	case <-emptied:
		log.Info("the node is drained and empty: it ends")
	case spent := <-node.Spent():
		err = fmt.Errorf("%w: %w", errSpent, spent)
	}
	deadline := time.Duration(cfg.Stop.Deadline)
	helpers.Stop(deadline)
	if err != nil {
		return err
	}
	stop, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	return node.Stop(stop, "the node is stopped")
}

// sockets are the listening sockets of a node; those that are not configured are nil.
type sockets struct {
	rtmp, rtmps, http *listen.ListenSocket
	link              *link.Socket
	wire              *wire.Socket
}

// close closes what was opened.
func (s sockets) close() error {
	var errs []error
	for _, socket := range []*listen.ListenSocket{s.rtmp, s.rtmps, s.http} {
		if socket != nil {
			errs = append(errs, socket.Close())
		}
	}
	if s.link != nil {
		errs = append(errs, s.link.Close())
	}
	if s.wire != nil {
		errs = append(errs, s.wire.Close())
	}
	return errors.Join(errs...)
}

func openSockets(ctx context.Context, cfg config.Config) (s sockets, err error) {
	if cfg.RTMP.Listen != "" {
		if s.rtmp, err = listen.Listen(ctx, string(cfg.RTMP.Listen), nil); err != nil {
			return s, fmt.Errorf("rtmp.listen: %w", err)
		}
	}
	if cfg.RTMP.TLSListen != "" {
		pair, err := tls.LoadX509KeyPair(cfg.RTMP.TLSCert, cfg.RTMP.TLSKey)
		if err != nil {
			return s, fmt.Errorf("rtmp.tls-cert, rtmp.tls-key: %w", err)
		}
		settings := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		s.rtmps, err = listen.Listen(ctx, string(cfg.RTMP.TLSListen), func(l net.Listener) net.Listener {
			return tls.NewListener(l, settings)
		})
		if err != nil {
			return s, fmt.Errorf("rtmp.tls-listen: %w", err)
		}
	}
	if cfg.HTTP.Listen != "" {
		if s.http, err = listen.Listen(ctx, string(cfg.HTTP.Listen), nil); err != nil {
			return s, fmt.Errorf("http.listen: %w", err)
		}
	}
	if cfg.Link.Listen != "" {
		if s.link, err = link.Listen(ctx, string(cfg.Link.Listen)); err != nil {
			return s, fmt.Errorf("link.listen: %w", err)
		}
	}
	if cfg.Cluster.Listen != "" {
		if s.wire, err = wire.Listen(ctx, string(cfg.Cluster.Listen)); err != nil {
			return s, fmt.Errorf("cluster.listen: %w", err)
		}
	}
	return s, nil
}

func nodeOptions(
	cfg config.Config, log *slog.Logger, registry *prometheus.Registry, s sockets,
) (actors.Options, error) {
	census := supervise.NewCensus()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	for _, c := range []prometheus.Collector{
		control.NewBuildInfo(buildOf(info, halide.Info())),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		supervise.NewCollector(census),
	} {
		if err := registry.Register(c); err != nil {
			return actors.Options{}, fmt.Errorf("metrics: %w", err)
		}
	}
	processing, err := processingOptions(&cfg.Processing)
	if err != nil {
		return actors.Options{}, err
	}
	links, err := linkOptions(&cfg, registry, s.link)
	if err != nil {
		return actors.Options{}, err
	}
	o := actors.Options{
		Node:     cfg.Node.Name,
		Runtime:  &supervise.Runtime{Census: census, Log: log},
		Registry: registry,
		HTTP:     s.http,
		Policy:   directory.Takeover,
		Grace:    time.Duration(cfg.Publish.Grace),
		Ring:     topic.Limits{Bytes: int(cfg.Topic.Bytes), Time: media.Time(cfg.Topic.Time)},
		Viewer: edge.Bounds{
			Wait:   time.Duration(cfg.Viewer.Wait),
			Grace:  time.Duration(cfg.Publish.Grace),
			Behind: time.Duration(cfg.Viewer.MaxBehind),
			Stall:  time.Duration(cfg.Viewer.MaxStall),
			Skips:  cfg.Viewer.MaxSkips,
		},
		SendBuffer: int(cfg.Viewer.SendBuffer),
		Linger:     time.Duration(cfg.Viewer.Linger),
		Adaptive:   cfg.Viewer.MergeWindow == config.Adaptive,
		Caps: &listen.Caps{
			Total: cfg.Limits.Connections, Address: cfg.Limits.PerAddress,
			Negotiating: cfg.Limits.Negotiating,
		},
		Guard:     guardLimits(&cfg),
		Handshake: time.Duration(cfg.Limits.Handshake),
		Idle:      time.Duration(cfg.Limits.Idle),

		Links:      links,
		Processing: processing,
	}
	if window, fixed := cfg.Viewer.MergeWindow.Fixed(); fixed {
		o.Window = window
	}
	if cfg.Publish.Policy == config.Reject {
		o.Policy = directory.Reject
	}
	if s.rtmp != nil {
		o.RTMP = append(o.RTMP, actors.RTMPSocket{Name: "rtmp", Socket: s.rtmp})
	}
	if s.rtmps != nil {
		o.RTMP = append(o.RTMP, actors.RTMPSocket{Name: "rtmps", Socket: s.rtmps})
	}
	return o, nil
}

// guardLimits bound what a peer may send.
func guardLimits(cfg *config.Config) rtmp.Limits {
	limits := rtmp.DefaultLimits()
	limits.MaxMedia = int(cfg.Limits.Message)
	return limits
}

// demoKey is the demo broadcast's.
const demoKey = "demo"

// publishDemo publishes the demo broadcast through the node's own RTMP address, as anybody would.
func publishDemo(ctx context.Context, s sockets, log *slog.Logger) {
	if s.rtmp == nil {
		log.Error("the demo needs rtmp.listen")
		return
	}
	err := publish.Run(ctx, local(s.rtmp.Addr()), "live", demoKey, demo.FLV(), log)
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("the demo publisher ends", slog.Any("error", err))
	}
}

// port is that of a listening socket, 0 if there is none.
func port(s *listen.ListenSocket) int {
	if s == nil {
		return 0
	}
	if tcp, ok := s.Addr().(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 0
}

// local is how this machine reaches a listening address.
func local(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return addr.String()
	}
	if tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return tcp.String()
}

// welcome says where to publish and where to watch.
func welcome(out io.Writer, s sockets, withDemo bool) {
	line := func(label, text string) { _, _ = fmt.Fprintf(out, "  %-9s %s\n", label, text) }
	_, _ = fmt.Fprintln(out, "Headwater is up.")
	if s.rtmp != nil {
		line("publish", "rtmp://"+local(s.rtmp.Addr())+"/live/KEY")
	}
	if s.rtmps != nil {
		line("", "rtmps://"+local(s.rtmps.Addr())+"/live/KEY")
	}
	key := "KEY"
	if withDemo {
		key = demoKey
	}
	if s.http != nil {
		base := "http://" + local(s.http.Addr())
		line("watch", base+"/")
		line("", base+"/live/"+key+".flv")
		if s.rtmp != nil {
			line("", "rtmp://"+local(s.rtmp.Addr())+"/live/"+key)
		}
		line("look", base+"/debug/tree and "+base+"/metrics")
	}
	if s.link != nil {
		line("links", s.link.Addr().String())
	}
	line("stop", "Ctrl-C")
}
