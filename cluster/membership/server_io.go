package membership

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// ServerOptions make a Server.
type ServerOptions struct {
	// Dir is where it keeps its data. It is made if it is not there.
	Dir string
	// Listen is where clients reach it, Peer what etcd needs for members besides: host:port.
	Listen, Peer string
	// CertFile, KeyFile and AuthorityFile have clients come by TLS with a certificate of the
	// authority's; empty for plain TCP.
	CertFile, KeyFile, AuthorityFile string
	Log                              *slog.Logger
}

// Server is an etcd in this process, for a cluster that has none of its own. It is as available as
// this node is.
type Server struct {
	etcd     *embed.Etcd
	endpoint string
	hush     *hush
}

// startTime bounds how long it takes to be ready, most of which is the reading of its data.
const startTime = 30 * time.Second

// quota bounds the data. What a cluster of hundreds of nodes keeps are a few megabytes.
const quota = 512 << 20

// StartServer starts it, and returns once it answers.
func StartServer(ctx context.Context, o ServerOptions) (*Server, error) {
	quiet := &hush{}
	quiet.Store(true)
	config, err := o.config(ctx, quiet)
	if err != nil {
		return nil, err
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("embedded etcd: %w", err)
	}
	s := &Server{etcd: etcd, endpoint: config.AdvertiseClientUrls[0].String(), hush: quiet}
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-etcd.Server.ReadyNotify():
		quiet.Store(false)
		return s, nil
	case err = <-etcd.Err():
	case <-etcd.Server.StopNotify():
		err = errors.New("it stopped while it started")
	case <-timer.C:
		err = fmt.Errorf("not ready within %v", startTime)
	case <-ctx.Done():
		err = ctx.Err()
	}
	etcd.Close()
	return nil, fmt.Errorf("embedded etcd: %w", err)
}

func (o *ServerOptions) config(ctx context.Context, quiet *hush) (*embed.Config, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded etcd: %w", err)
	}
	secure := o.CertFile != ""
	client, err := endpoint(ctx, o.Listen, secure)
	if err != nil {
		return nil, err
	}
	peer, err := endpoint(ctx, o.Peer, false)
	if err != nil {
		return nil, err
	}
	config := embed.NewConfig()
	config.Name, config.Dir = "headwater", o.Dir
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zapTo(o.Log, quiet))
	config.QuotaBackendBytes = quota
	config.AutoCompactionMode, config.AutoCompactionRetention = "periodic", "5m"
	config.GRPCKeepAliveMinTime = pingEvery / 2
	config.EnableGRPCGateway = false
	if secure {
		config.ClientTLSInfo = transport.TLSInfo{
			CertFile: o.CertFile, KeyFile: o.KeyFile, TrustedCAFile: o.AuthorityFile,
			ClientCertAuth: true,
		}
	}
	return config, nil
}

// endpoint is the URL of an address that is free. etcd would say of one that is not only that it
// could not, and after a while.
func endpoint(ctx context.Context, address string, secure bool) (url.URL, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return url.URL{}, fmt.Errorf("embedded etcd: %s is not free; set another address: %w",
			address, err)
	}
	at := l.Addr().String() // with the port, where any was asked for
	if err := l.Close(); err != nil {
		return url.URL{}, fmt.Errorf("embedded etcd: %w", err)
	}
	u := url.URL{Scheme: "http", Host: at}
	if secure {
		u.Scheme = "https"
	}
	return u, nil
}

// Endpoint is the URL where clients reach it.
func (s *Server) Endpoint() string { return s.endpoint }

// Close stops it and waits until it has.
func (s *Server) Close() {
	s.hush.Store(true)
	s.etcd.Close()
}
