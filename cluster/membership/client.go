package membership

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/status"
)

// Times of a client.
const (
	// CallTime bounds a call to etcd that has no tighter bound of its own.
	CallTime = 1500 * time.Millisecond
	// A connection that has died without a word is noticed by the ping of gRPC. etcd refuses those
	// that ping more often than every five seconds.
	pingEvery = 5 * time.Second
	pingTime  = 2 * time.Second
	// authTime bounds the checking of a password, which is meant to cost etcd something.
	authTime = 5 * time.Second
	// redial caps gRPC's pauses between attempts, which would grow to two minutes: etcd is back long
	// before somebody notices.
	redial = time.Second
)

// ClientOptions make a Client.
type ClientOptions struct {
	// Endpoints are URLs or host:port.
	Endpoints []string
	// TLS is nil for none.
	TLS *tls.Config
	// User and Password are empty where etcd asks for none.
	User, Password string
	Log            *slog.Logger
	Metrics        *Metrics
}

// Client asks etcd. Every call has a bound in time and is measured.
type Client struct {
	etcd    *clientv3.Client
	metrics *Metrics
	log     *slog.Logger
	broken  atomic.Pointer[string] // why the last connection could not be made, or broke
}

// note notes what a call's error says of the connection: etcd's client tells no more than that the
// time was over.
func (c *Client) note(err error) {
	if _, why, found := strings.Cut(status.Convert(err).Message(), "latest balancer error: "); found {
		why = strings.TrimPrefix(why, "connection error: desc = ")
		c.broken.Store(&why)
	}
}

// connection is why there is none, as far as it is known.
func (c *Client) connection() string {
	if why := c.broken.Load(); why != nil {
		return *why
	}
	return "unknown"
}

// NewClient returns a client. It waits for nobody: whether etcd is there shows with the first call,
// except where there is a user, whose password is shown first.
func NewClient(o ClientOptions) (*Client, error) {
	c := &Client{metrics: o.Metrics, log: o.Log}
	always := &hush{}
	always.Store(true)
	config := clientv3.Config{
		Endpoints: o.Endpoints, TLS: o.TLS, Username: o.User, Password: o.Password,
		DialTimeout: authTime, DialKeepAliveTime: pingEvery, DialKeepAliveTimeout: pingTime,
		Logger: zapTo(o.Log, always), MaxUnaryRetries: 3, BackoffWaitBetween: 50 * time.Millisecond,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: grpcbackoff.Config{
				BaseDelay: redial / 10, Multiplier: 2, Jitter: 0.3, MaxDelay: redial,
			},
			MinConnectTimeout: 2 * time.Second,
		}), grpc.WithChainUnaryInterceptor(func(
			ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
			invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
		) error {
			err := invoke(ctx, method, request, reply, conn, opts...)
			c.note(err)
			return err
		})},
	}
	etcd, err := clientv3.New(config)
	if err != nil {
		if outcome, ours := classify(err); outcome != Failed {
			return nil, ours
		}
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c.etcd = etcd
	return c, nil
}

// Close ends it.
func (c *Client) Close() error { return c.etcd.Close() }

// call has etcd do something, in time and measured.
func (c *Client) call(
	ctx context.Context, op Operation, limit time.Duration, fn func(context.Context) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begin := time.Now()
	outcome, err := classify(fn(ctx))
	c.metrics.call(op, outcome, time.Since(begin))
	return err
}

// Txn runs a transaction: if all of ifs hold it does then, else otherwise.
func (c *Client) Txn(ctx context.Context, op Operation, ifs []clientv3.Cmp,
	then, otherwise []clientv3.Op,
) (resp *clientv3.TxnResponse, err error) {
	err = c.call(ctx, op, CallTime, func(ctx context.Context) error {
		resp, err = c.etcd.Txn(ctx).If(ifs...).Then(then...).Else(otherwise...).Commit()
		return err
	})
	return resp, err
}

// Get reads one key, or a range of them.
func (c *Client) Get(
	ctx context.Context, op Operation, key string, opts ...clientv3.OpOption,
) (resp *clientv3.GetResponse, err error) {
	err = c.call(ctx, op, CallTime, func(ctx context.Context) error {
		resp, err = c.etcd.Get(ctx, key, opts...)
		return err
	})
	return resp, err
}

// LoadTLS reads what etcd's certificate has to be of and, unless both are empty, the certificate
// and key that this node shows.
func LoadTLS(authorityFile, certFile, keyFile string) (*tls.Config, error) {
	text, err := os.ReadFile(authorityFile)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: there is no certificate in it", authorityFile)
	}
	if certFile == "" && keyFile == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// passwordMax bounds a password file.
const passwordMax = 4096

// ReadPassword reads a password from a file, without the end of its line.
func ReadPassword(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" || len(password) > passwordMax || strings.ContainsAny(password, "\r\n") {
		return "", fmt.Errorf("%s: want one line of 1 to %d bytes", path, passwordMax)
	}
	return password, nil
}
