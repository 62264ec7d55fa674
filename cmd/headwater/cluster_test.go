package main

import (
	"log/slog"
	"net"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/cluster/wire"
	"github.com/headwater-live/headwater/cmd/headwater/config"
)

func TestLocalAddress(t *testing.T) {
	for _, towards := range []string{"127.0.0.1:2379", "localhost:2379"} {
		if got := localAddress(t.Context(), towards); net.ParseIP(got) == nil ||
			!net.ParseIP(got).IsLoopback() {
			t.Errorf("towards %s: %s", towards, got)
		}
	}
	for _, towards := range []string{":2379", "0.0.0.0:2379", "[::]:2379", "nonsense"} {
		got := net.ParseIP(localAddress(t.Context(), towards))
		if got == nil || got.IsUnspecified() {
			t.Errorf("towards %s: %v", towards, got)
		}
	}
}

func TestReachable(t *testing.T) {
	c := &clusterNode{advertise: "10.0.0.1"}
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:2379": "http://127.0.0.1:2379",
		"http://[::]:2379":      "http://10.0.0.1:2379",
		"https://0.0.0.0:2379":  "https://10.0.0.1:2379",
		"http://etcd-1:2379":    "http://etcd-1:2379",
	} {
		if got := c.reachable(endpoint); got != want {
			t.Errorf("%s is reached as %s", endpoint, got)
		}
	}
	c.advertise = "fd00::1"
	if got := c.at(&net.TCPAddr{Port: 1936}); got != "[fd00::1]:1936" {
		t.Error(got)
	}
	for endpoint, want := range map[string]string{
		"http://h:1": "h:1", "10.0.0.1:2379": "10.0.0.1:2379", "h:1": "h:1",
	} {
		if got := hostPort(endpoint); got != want {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
}

func TestCounts(t *testing.T) {
	r := prometheus.NewRegistry()
	viewers := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "headwater_viewers"}, []string{"p"})
	bytes := prometheus.NewCounterVec(
		prometheus.CounterOpts{Name: "headwater_egress_bytes_total"}, []string{"p"})
	r.MustRegister(viewers, bytes)
	viewers.WithLabelValues("rtmp").Set(2)
	viewers.WithLabelValues("flv").Set(3)
	bytes.WithLabelValues("flv").Add(1000)
	if n, sum := counts(r)(); n != 5 || sum != 1000 {
		t.Errorf("%d viewers, %v bytes", n, sum)
	}
}

// TestOpenCluster has a node begin a cluster of its own, and one by itself.
func TestOpenCluster(t *testing.T) {
	cfg := config.Default()
	log, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	if c, err := openCluster(t.Context(), &cfg, log, registry); c != nil || err != nil ||
		cfg.Link.Listen != "" {
		t.Errorf("by itself: %v, %v", c, err)
	}
	cfg.Node.Name = "n"
	cfg.Cluster.Etcd, cfg.Cluster.EmbedDir = config.Embed, t.TempDir()
	cfg.Cluster.EmbedListen, cfg.Cluster.EmbedPeer = "127.0.0.1:0", "127.0.0.1:0"
	c, err := openCluster(t.Context(), &cfg, log, registry)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if cfg.Link.Listen != "127.0.0.1:0" || c.advertise != "127.0.0.1" {
		t.Errorf("links at %q, advertised %q", cfg.Link.Listen, c.advertise)
	}
	var s sockets
	if s.wire, err = wire.Listen(t.Context(), string(cfg.Cluster.Listen)); err != nil {
		t.Fatal(err)
	}
	defer s.wire.Close()
	var o actors.Options
	err = c.join(&o, s, registry, &startedNode{})
	if err != nil || o.Cluster.Registrar == nil || o.Cluster.Wire == nil ||
		c.self.Control != s.wire.Addr().String() {
		t.Errorf("%+v, %v", c.self, err)
	}
}
