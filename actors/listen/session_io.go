package listen

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	rtmplib "github.com/yutopp/go-rtmp"
	rtmpmsg "github.com/yutopp/go-rtmp/message"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// session is one RTMP connection while it is negotiated. It stands between the socket and go-rtmp
// as the connection that go-rtmp reads, writes and closes.
type session struct {
	rtmplib.DefaultHandler
	opts   *RTMPOptions
	ctx    context.Context //nolint:containedctx // go-rtmp's callbacks have none
	log    *slog.Logger
	conn   net.Conn
	since  time.Time
	reader *edge.PollReader
	guard  *rtmp.Guard
	lib    *rtmplib.Conn // nil until the handshake is done
	hello  []byte        // our part of the handshake, until it is written
	app    string

	stage   atomic.Int32  // negotiating, granted or interrupted
	mute    atomic.Bool   // an answer could not be written
	ready   chan struct{} // closed when go-rtmp has let go of it
	once    sync.Once
	refusal error
	failure error // what the last Read failed with
}

// The stages of a session. One that is granted is not interrupted any more: its client would wait
// for the answer.
const (
	negotiating int32 = iota
	granted
	interrupted
)

func newSession(ctx context.Context, o *RTMPOptions, log *slog.Logger, conn net.Conn) *session {
	s := &session{
		opts: o, ctx: ctx, log: log, conn: conn, since: time.Now(),
		reader: edge.NewPollReader(conn), ready: make(chan struct{}),
	}
	s.guard = rtmp.NewGuard(s.reader, o.Limits)
	return s
}

// Bounds on what go-rtmp keeps for one connection, whose defaults are none.
const (
	libMessageStreams = 4
	libChunkStreams   = 16
	libIgnored        = 64
	libBuffer         = 4096
)

// negotiate runs go-rtmp on the connection until it is granted to somebody or over. It returns why
// it is over.
func (s *session) negotiate() error {
	if err := s.conn.SetDeadline(s.since.Add(s.opts.Handshake)); err != nil {
		return err
	}
	if err := s.ctx.Err(); err != nil { // which has set another deadline, perhaps before
		return err
	}
	server := rtmplib.NewServer(&rtmplib.ServerConfig{
		OnConnect: func(net.Conn) (io.ReadWriteCloser, *rtmplib.ConnConfig) { return s, s.config() },
	})
	once := &onceListener{session: s}
	once.close = server.Close
	_ = server.Serve(once) // it returns when the session is closed, always with the same error
	if s.stage.Load() != granted && s.refusal == nil {
		return s.failure
	}
	return s.refusal
}

func (s *session) config() *rtmplib.ConnConfig {
	return &rtmplib.ConnConfig{
		Handler:                                 s,
		SkipHandshakeVerification:               true, // many clients do not echo what they must
		IgnoreMessagesOnNotExistStream:          true,
		IgnoreMessagesOnNotExistStreamThreshold: libIgnored,
		ReaderBufferSize:                        libBuffer,
		WriterBufferSize:                        libBuffer,
		ControlState: rtmplib.StreamControlStateConfig{
			MaxChunkStreams: libChunkStreams, MaxMessageStreams: libMessageStreams,
		},
		Logger: silent(),
	}
}

// onceListener gives one connection and then waits for its end.
type onceListener struct {
	session *session
	close   func() error
	given   bool
}

// Accept implements net.Listener.
func (l *onceListener) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.session.conn, nil
	}
	<-l.session.ready
	_ = l.close() // go-rtmp asks again after an error, unless it is closed
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *onceListener) Close() error { return nil }

// Addr implements net.Listener.
func (l *onceListener) Addr() net.Addr { return l.session.conn.LocalAddr() }

// Read implements io.Reader for go-rtmp.
func (s *session) Read(p []byte) (int, error) {
	if err := s.flush(); err != nil {
		s.failure = err
		return 0, err
	}
	n, err := s.guard.Read(p)
	if err != nil {
		s.failure = err
	}
	return n, err
}

// Write implements io.Writer for go-rtmp. The handshake, which it writes in seven pieces on the
// goroutine that then reads, is gathered until it does.
func (s *session) Write(p []byte) (int, error) {
	if s.lib == nil {
		s.hello = append(s.hello, p...)
		return len(p), nil
	}
	n, err := s.conn.Write(p)
	if err != nil {
		s.mute.Store(true)
	}
	return n, err
}

// flush writes what was gathered.
func (s *session) flush() error {
	if len(s.hello) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.hello)
	s.hello = nil
	return err
}

// Close implements io.Closer for go-rtmp. It closes a connection that nobody owns, and lets go of
// one that somebody does: by now all of go-rtmp's answers are written.
func (s *session) Close() error {
	s.once.Do(func() {
		if s.stage.Load() != granted || s.mute.Load() {
			_ = s.conn.Close() // before its owner, if it has one, makes use of it
		}
		close(s.ready)
	})
	return nil
}

// interrupt ends a negotiation that is not as good as over: its connection is the listener's.
func (s *session) interrupt() {
	if s.stage.CompareAndSwap(negotiating, interrupted) {
		_ = s.conn.SetDeadline(time.Unix(1, 0))
	}
}

// abandon closes a connection that go-rtmp has not come to the end of.
func (s *session) abandon() {
	select {
	case <-s.ready:
	default:
		_ = s.conn.Close()
	}
}

// OnServe implements rtmp.Handler. Nothing has been answered yet, so that go-rtmp's writer is idle
// and its chunk size may be changed.
func (s *session) OnServe(conn *rtmplib.Conn) {
	s.lib = conn
	s.hello = rtmp.AppendSetChunkSize(s.hello, rtmp.ServerChunkSize)
	if err := s.flush(); err != nil {
		s.failure = err // the next read fails too
		return
	}
	s.failure = conn.GetChunkStreamer().SelfState().SetChunkSize(rtmp.ServerChunkSize)
}

// OnConnect implements rtmp.Handler.
func (s *session) OnConnect(_ uint32, cmd *rtmpmsg.NetConnectionConnect) error {
	s.app = cmd.Command.App
	return nil
}

// OnPublish implements rtmp.Handler.
func (s *session) OnPublish(
	_ *rtmplib.StreamContext, _ uint32, cmd *rtmpmsg.NetStreamPublish,
) error {
	key, err := Key(s.app, cmd.PublishingName)
	if err != nil {
		return s.refuse("NetStream.Publish.BadName", err)
	}
	_, query, _ := strings.Cut(cmd.PublishingName, "?")
	role, err := Role(query)
	if err != nil {
		return s.refuse("NetStream.Publish.BadName", err)
	}
	return s.grant(key, "NetStream.Publish.BadName", func() error {
		return s.opts.Desk.Publish(s.ctx, key, &ingest.Conn{
			Conn: s.conn, Guard: s.guard, Ready: s.ready, Idle: s.opts.Idle, Role: role,
		})
	})
}

// OnPlay implements rtmp.Handler.
func (s *session) OnPlay(_ *rtmplib.StreamContext, _ uint32, cmd *rtmpmsg.NetStreamPlay) error {
	key, err := Key(s.app, cmd.StreamName)
	if err != nil {
		return s.refuse("NetStream.Play.StreamNotFound", err)
	}
	_, query, _ := strings.Cut(cmd.StreamName, "?")
	rendition, err := Rendition(query)
	if err != nil {
		return s.refuse("NetStream.Play.StreamNotFound", err)
	}
	s.guard.SetLimits(rtmp.ViewerLimits())
	socket := &edge.Socket{
		Conn: s.conn, Protocol: edge.RTMP, Guard: s.guard, Ready: s.ready, Since: s.since,
		SendBuffer: s.opts.SendBuffer, Rendition: rendition,
	}
	return s.grant(key, "NetStream.Play.StreamNotFound", func() error {
		s.reader.Poll()
		err := s.opts.Desk.Play(s.ctx, key, socket)
		if err != nil && !socket.Own() {
			return nil // the viewer has started after all
		}
		return err
	})
}

// errAgain refuses a second stream on one connection, as media does not say which stream it is of,
// and the first when the listener stops.
var errAgain = errors.New("no further stream on this connection")

// grant gives the connection to whoever take finds. The guard's detaching makes go-rtmp finish.
func (s *session) grant(key, code string, take func() error) error {
	if !s.stage.CompareAndSwap(negotiating, granted) {
		return s.refuse(code, errAgain)
	}
	s.guard.Detach()
	if err := take(); err != nil {
		s.stage.Store(interrupted)
		return s.refuse(code, err)
	}
	s.log = s.log.With(slog.String("broadcast", key))
	return nil
}

// refuse tells the client why, before go-rtmp tells it only that. The library's writer is idle: it
// answers commands one by one.
func (s *session) refuse(code string, err error) error {
	s.refusal = err
	status := rtmp.AppendStatus(nil, 1, "error", code, err.Error(), rtmp.ServerChunkSize)
	if _, werr := s.conn.Write(status); werr != nil {
		return errors.Join(err, werr)
	}
	return err
}
