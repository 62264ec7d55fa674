package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// dialTime bounds a connection's making, TLS included.
const dialTime = 3 * time.Second

// dial connects to an origin and exchanges hellos. The connection is nil if there is an error.
func (d *dialer) dial(ctx context.Context) (*wire, Reason, error) {
	tcp := net.Dialer{Timeout: dialTime}
	conn, err := tcp.DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, Unreachable, err
	}
	prepare(conn)
	stop := context.AfterFunc(ctx, func() { abort(conn, false) })
	defer stop()
	if d.TLS != nil {
		if conn, err = d.secure(ctx, conn); err != nil {
			return nil, Refused, err
		}
	}
	w := newWire(conn, d.MaxUnit, &d.Metrics.edge)
	err = conn.SetDeadline(time.Now().Add(helloTime))
	if err == nil {
		w.node, err = greet(conn, w.parser, d.said.speaks(), d.Node)
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	d.said.heard(err)
	switch {
	case err == nil:
		return w, 0, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	abort(conn, false)
	return nil, helloReason(err), err
}

// secure has both sides show their certificates.
func (d *dialer) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	config := d.TLS.Client.Clone()
	host, _, err := net.SplitHostPort(d.address)
	if err == nil {
		config.ServerName = host
		secured := tls.Client(conn, config)
		short, cancel := context.WithTimeout(ctx, dialTime)
		defer cancel()
		if err = secured.HandshakeContext(short); err == nil {
			return secured, nil
		}
	}
	abort(conn, false)
	return nil, fmt.Errorf("tls: %w", err)
}

// helloReason is why there is no link, of a connection that was made.
func helloReason(err error) Reason {
	switch {
	case errors.Is(err, context.Canceled):
		return Stopped
	case errors.Is(err, ErrRefused):
		return Refused
	case errors.Is(err, ErrFormat):
		return Malformed
	}
	var alert *tls.CertificateVerificationError
	var remote *net.OpError
	if errors.As(err, &alert) || errors.As(err, &remote) && remote.Op == "remote error" {
		return Refused
	}
	return Closed
}
