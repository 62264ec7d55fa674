package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// Socket is a listening socket for links. It survives the restarts of the actor that accepts.
type Socket struct{ tcp *net.TCPListener }

// Listen opens a listening socket.
func Listen(ctx context.Context, address string) (*Socket, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("listen on %s: not TCP", address)
	}
	return &Socket{tcp}, nil
}

// Addr is where it listens.
func (s *Socket) Addr() net.Addr { return s.tcp.Addr() }

// Close closes it.
func (s *Socket) Close() error { return s.tcp.Close() }

func (s *Socket) pause()  { _ = s.tcp.SetDeadline(time.Unix(1, 0)) }
func (s *Socket) resume() { _ = s.tcp.SetDeadline(time.Time{}) }

// acceptPause is waited for after a failed Accept: most often the process is out of descriptors.
const acceptPause = 200 * time.Millisecond

// accept takes connections until the socket is closed or paused.
func (l *listener) accept(ctx context.Context) {
	for {
		conn, err := l.Socket.tcp.Accept()
		switch {
		case err == nil:
			l.admit(conn)
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
			return
		default:
			l.self.Log.Error("cannot accept", slog.Any("error", err))
			timer := time.NewTimer(acceptPause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
	}
}

// admit negotiates a connection on a goroutine of its own, if there is room for it.
func (l *listener) admit(conn net.Conn) {
	leave, err := l.young.Enter(conn.RemoteAddr().String())
	if err != nil { // of strangers there may be any number: none is worth a line in the log
		_ = conn.Close()
		return
	}
	started := l.self.Goroutines.Go("negotiate", func(ctx context.Context) {
		defer leave()
		l.negotiate(ctx, conn)
	})
	if !started {
		leave()
		_ = conn.Close()
	}
}

// negotiate exchanges hellos and gives the connection to an actor of its own.
func (l *listener) negotiate(ctx context.Context, conn net.Conn) {
	prepare(conn)
	raw := conn
	stop := context.AfterFunc(ctx, func() { abort(raw, false) })
	defer stop()
	err := conn.SetDeadline(time.Now().Add(helloTime))
	if l.TLS != nil && err == nil {
		secured := tls.Server(conn, l.TLS.Server)
		err = secured.HandshakeContext(ctx)
		conn = secured
	}
	w := newWire(conn, -1, &l.Metrics.origin)
	if err == nil {
		w.node, err = answer(conn, w.parser, spoken(), l.Node)
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err == nil && stop() {
		err = l.give(w)
	}
	if err == nil {
		return
	}
	l.Metrics.origin.ends[helloReason(err)].Inc()
	l.self.Log.Warn("a connection is no link", slog.String("remote", conn.RemoteAddr().String()),
		slog.Any("error", err))
	abort(conn, false)
}
