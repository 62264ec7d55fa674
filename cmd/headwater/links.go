package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/cluster/link"
	"github.com/headwater-live/headwater/cmd/headwater/config"
)

// linkOptions are the node's links: to the origins that it follows, and of those that follow it.
func linkOptions(
	cfg *config.Config, registry prometheus.Registerer, socket *link.Socket,
) (links actors.Links, err error) {
	o := link.Options{
		Node: cfg.Node.Name, MaxBehind: time.Duration(cfg.Link.MaxBehind),
		MaxUnit: int(cfg.Limits.Message),
	}
	if o.Metrics, err = link.NewMetrics(registry); err != nil {
		return links, fmt.Errorf("metrics: %w", err)
	}
	if cfg.Link.TLSCert != "" {
		o.TLS, err = link.LoadTLS(cfg.Link.TLSCert, cfg.Link.TLSKey, cfg.Link.TLSCA)
		if err != nil {
			return links, fmt.Errorf("link.tls-cert, link.tls-key, link.tls-ca: %w", err)
		}
	}
	for _, origin := range cfg.Link.Origins.List() {
		follow, dial := link.NewOrigin(o, origin.Name, origin.Address)
		links.Origins = append(links.Origins, actors.Origin{
			Name: origin.Name, Link: follow, Dial: dial,
		})
	}
	if cfg.Cluster.Etcd != "" {
		links.Dial = func(node, address string) (follow, dial link.Producer) {
			return link.NewOrigin(o, node, address)
		}
	}
	if socket != nil {
		links.Listener = link.NewListener(o, socket)
	}
	return links, nil
}
