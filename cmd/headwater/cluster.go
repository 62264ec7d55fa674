package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/cluster/directory"
	"github.com/headwater-live/headwater/cluster/link"
	"github.com/headwater-live/headwater/cluster/membership"
	"github.com/headwater-live/headwater/cluster/wire"
	"github.com/headwater-live/headwater/cmd/headwater/config"
	"github.com/headwater-live/headwater/halide"
)

// clusterNode is what this process has of a cluster; nil is a node by itself.
type clusterNode struct {
	cfg       *config.Config
	advertise string
	server    *membership.Server // nil where etcd is elsewhere
	client    *membership.Client
	others
}

// openCluster starts what a cluster needs before anything else: an embedded etcd, and the client.
// It has the node take links, as nobody could follow it otherwise.
func openCluster(
	ctx context.Context, cfg *config.Config, log *slog.Logger, registry prometheus.Registerer,
) (*clusterNode, error) {
	if cfg.Cluster.Etcd == "" {
		return nil, nil //nolint:nilnil // a node by itself
	}
	c := &clusterNode{cfg: cfg}
	endpoints := cfg.Cluster.Etcd.Endpoints()
	towards := string(cfg.Cluster.EmbedListen)
	if len(endpoints) > 0 {
		towards = hostPort(endpoints[0])
	}
	if c.advertise = cfg.Node.Advertise; c.advertise == "" {
		c.advertise = localAddress(ctx, towards)
	}
	if cfg.Link.Listen == "" {
		cfg.Link.Listen = config.Address(net.JoinHostPort(c.advertise, "0"))
	}
	if cfg.Cluster.Listen == "" {
		cfg.Cluster.Listen = config.Address(net.JoinHostPort(c.advertise, "0"))
	}
	if cfg.Cluster.Etcd == config.Embed {
		var err error
		if c.server, err = c.embed(ctx, log); err != nil {
			return nil, err
		}
		endpoints = []string{c.reachable(c.server.Endpoint())}
	}
	if err := c.connect(endpoints, log, registry); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// embed starts the etcd of a cluster that has none elsewhere.
func (c *clusterNode) embed(ctx context.Context, log *slog.Logger) (*membership.Server, error) {
	k := &c.cfg.Cluster
	begin := time.Now()
	server, err := membership.StartServer(ctx, membership.ServerOptions{
		Dir: k.EmbedDir, Listen: string(k.EmbedListen), Peer: string(k.EmbedPeer),
		CertFile: k.TLSCert, KeyFile: k.TLSKey, AuthorityFile: k.TLSCA,
		Log: log.With(slog.String("part", "etcd")),
	})
	if err != nil {
		return nil, fmt.Errorf("cluster.embed-listen, cluster.embed-peer, cluster.embed-dir: %w", err)
	}
	log.Info("etcd is up in this process", slog.String("endpoint", c.reachable(server.Endpoint())),
		slog.String("dir", k.EmbedDir), slog.Duration("took", time.Since(begin)))
	return server, nil
}

func (c *clusterNode) connect(
	endpoints []string, log *slog.Logger, registry prometheus.Registerer,
) error {
	k := &c.cfg.Cluster
	metrics, err := membership.NewMetrics(registry)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	o := membership.ClientOptions{
		Endpoints: endpoints, User: k.User, Metrics: metrics,
		Log: log.With(slog.String("part", "etcd client")),
	}
	if k.TLSCA != "" {
		if o.TLS, err = membership.LoadTLS(k.TLSCA, k.TLSCert, k.TLSKey); err != nil {
			return fmt.Errorf("cluster.tls-ca, cluster.tls-cert, cluster.tls-key: %w", err)
		}
	}
	if k.PasswordFile != "" {
		if o.Password, err = membership.ReadPassword(k.PasswordFile); err != nil {
			return fmt.Errorf("cluster.password-file: %w", err)
		}
	}
	if c.client, err = membership.NewClient(o); err != nil {
		return fmt.Errorf("cluster.etcd: %w", err)
	}
	return nil
}

// close ends the client, and then the server, which others may still use.
func (c *clusterNode) close() {
	if c == nil {
		return
	}
	if c.client != nil {
		_ = c.client.Close() // of nothing but its connections
	}
	if c.server != nil {
		c.server.Close()
	}
}

// join makes the node one of many.
func (c *clusterNode) join(
	options *actors.Options, s sockets, registry *prometheus.Registry, started *startedNode,
) (err error) {
	if c == nil {
		return nil
	}
	c.started = started
	keys := directory.NewKeys(c.cfg.Cluster.Name)
	sampler := &directory.Sampler{Counts: counts(registry)}
	o := directory.Options{
		Client: c.client, Keys: keys, Fanout: c.cfg.Edge.Fanout,
		Store: directory.NewStore(c.client, keys, c.cfg.Node.Name),
		Grace: time.Duration(c.cfg.Publish.Grace), Node: c.record(s), Sample: sampler.Sample,
		Ask: c.state, Adopt: c.adopt, Viewed: func(v *directory.View) { c.view.Store(v) },
	}
	c.self = o.Node
	if o.Metrics, err = directory.NewMetrics(registry); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	w, err := c.wireOptions(s, registry, o.Store)
	if err != nil {
		return err
	}
	options.Elsewhere = c.elsewhere
	options.Cluster = actors.Cluster{
		Registrar: directory.NewRegistrar(o),
		Wire:      func(actors.ClusterPlace) link.Producer { return wire.New(w) },
	}
	return nil
}

// record says who this node is and where others reach it.
func (c *clusterNode) record(s sockets) directory.Node {
	n := directory.Node{
		Name: c.cfg.Node.Name, ID: rand.Text(), Protocol: directory.Protocol,
		Roles: c.cfg.Node.Roles.List(), State: directory.Ready, Limit: c.cfg.Limits.Broadcasts,
		Since: time.Now().UTC().Truncate(time.Millisecond),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		n.Version = buildOf(info, halide.Info()).Version
	}
	if s.link != nil {
		n.Link = c.at(s.link.Addr())
	}
	if s.rtmp != nil {
		n.RTMP = c.at(s.rtmp.Addr())
	}
	if s.http != nil {
		n.HTTP = c.at(s.http.Addr())
	}
	if s.wire != nil {
		n.Control = c.at(s.wire.Addr())
	}
	return n
}

// at is a listening address as others reach it.
func (c *clusterNode) at(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return ""
	}
	return net.JoinHostPort(c.advertise, strconv.Itoa(tcp.Port))
}

// reachable is an endpoint with a host that can be reached, where it was listened to on all.
func (c *clusterNode) reachable(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort(c.advertise, u.Port())
	}
	return u.String()
}

// counts says how many viewers there are and what they were given, by the node's own metrics.
func counts(registry prometheus.Gatherer) func() (viewers int, egress float64) {
	return func() (viewers int, egress float64) {
		families, err := registry.Gather()
		if err != nil {
			return 0, 0
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				switch f.GetName() {
				case "headwater_viewers":
					viewers += int(m.GetGauge().GetValue())
				case "headwater_egress_bytes_total":
					egress += m.GetCounter().GetValue()
				}
			}
		}
		return viewers, egress
	}
}

func hostPort(endpoint string) string {
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" {
		return u.Host
	}
	return endpoint
}

const resolveTime = 3 * time.Second

// localAddress is that of this machine on the way to another: a UDP socket is bound to one, and
// nothing is sent. If that is nowhere in particular, or unknown, it is that on the way to the
// world.
func localAddress(ctx context.Context, towards string) string {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	const world, loopback = "192.0.2.1:9", "127.0.0.1"
	host, _, err := net.SplitHostPort(towards)
	ip := net.ParseIP(host)
	if err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		towards = world
	}
	for _, to := range []string{towards, world} {
		if local, err := bound(ctx, to); err == nil {
			return local
		}
	}
	return loopback
}

func bound(ctx context.Context, to string) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", to)
	if err != nil {
		return "", err
	}
	udp, ok := conn.LocalAddr().(*net.UDPAddr)
	if err := conn.Close(); err != nil {
		return "", err
	}
	if !ok || udp.IP.IsUnspecified() {
		return "", errors.New("bound to no address")
	}
	return udp.IP.String(), nil
}
