package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"
)

// ListenSocket is a listening socket that survives the restarts of the actor that accepts from it:
// a restart costs no connection that has not been accepted yet.
type ListenSocket struct {
	net.Listener
	tcp *net.TCPListener
}

// Listen opens a listening TCP socket. With wrap, for TLS, its connections pass through wrap.
func Listen(ctx context.Context, address string, wrap func(net.Listener) net.Listener) (
	*ListenSocket, error,
) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("listen on %s: not TCP", address)
	}
	s := &ListenSocket{Listener: l, tcp: tcp}
	if wrap != nil {
		s.Listener = wrap(l)
	}
	return s, nil
}

func (s *ListenSocket) pause()  { _ = s.tcp.SetDeadline(time.Unix(1, 0)) }
func (s *ListenSocket) resume() { _ = s.tcp.SetDeadline(time.Time{}) }

// Pauses after a failed Accept, which most often means that the process is out of file descriptors.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// accept takes connections until the socket is closed or paused.
func (l *rtmpListener) accept(ctx context.Context) {
	pause := firstPause
	for {
		conn, err := l.Socket.Accept()
		switch {
		case err == nil:
			pause = firstPause
			l.admit(conn)
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
			return
		default:
			l.Metrics.acceptErrors.Inc()
			l.self.Log.Error("cannot accept", slog.Any("error", err), slog.Duration("pause", pause))
			if !rest(ctx, pause) {
				return
			}
			pause = min(2*pause, lastPause)
		}
	}
}

// rest waits for d or for the end of ctx, and reports which.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// admit negotiates a connection on a goroutine of its own, if there is room for it.
func (l *rtmpListener) admit(conn net.Conn) {
	leave, settled, err := l.Caps.enterYoung(conn.RemoteAddr().String())
	if err != nil {
		l.Metrics.refused.Inc()
		l.self.Log.Warn("connection is refused", slog.String("remote", conn.RemoteAddr().String()),
			slog.Any("error", err))
		_ = conn.Close()
		return
	}
	owned := &countedConn{Conn: conn, leave: leave}
	started := l.self.Goroutines.Go("negotiate", func(ctx context.Context) {
		defer settled()
		l.negotiate(ctx, owned)
	})
	if !started {
		settled()
		_ = owned.Close()
	}
}

func (l *rtmpListener) negotiate(ctx context.Context, conn *countedConn) {
	s := newSession(ctx, &l.RTMPOptions, l.self.Log, conn)
	stop := context.AfterFunc(ctx, s.interrupt)
	defer stop()
	defer s.abandon()
	err := s.negotiate()
	switch {
	case err == nil:
		l.Metrics.negotiated.Inc()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		l.Metrics.failed.Inc()
	default:
		l.Metrics.failed.Inc()
		l.self.Log.Info("connection is closed before it published or played",
			slog.String("remote", conn.RemoteAddr().String()), slog.Any("error", err))
	}
}
