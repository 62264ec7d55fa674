package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/supervise"
)

// HTTPOptions make an HTTP listener.
type HTTPOptions struct {
	Socket  *ListenSocket
	Handler http.Handler
}

// Bounds of the HTTP server.
const (
	headerTimeout = 10 * time.Second
	headerBytes   = 16 << 10
	idleTimeout   = 60 * time.Second
	shutdownTime  = 2 * time.Second
)

// NewHTTP returns the producer of an HTTP listener's actor.
func NewHTTP(o HTTPOptions) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor { return &httpListener{HTTPOptions: o, self: self} }
}

type httpListener struct {
	HTTPOptions
	self   *supervise.Self
	server *http.Server
}

// Receive implements actor.Actor.
func (l *httpListener) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		l.server = &http.Server{
			Handler: l.Handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
			MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(l.self.Log.Handler(), slog.LevelDebug),
		}
		l.Socket.resume()
		l.self.Log.Info("listening", slog.String("address", l.Socket.Addr().String()))
		l.self.Goroutines.Go("serve", l.serve)
	case *actor.Restarting:
		l.Socket.pause()
		l.shutdown()
	case *actor.Stopping:
		_ = l.Socket.Close() // it accepts no more either way
		l.shutdown()
	}
}

func (l *httpListener) serve(context.Context) {
	err := l.server.Serve(&sharedListener{l.Socket})
	if !errors.Is(err, http.ErrServerClosed) {
		l.self.Log.Debug("http server ends", slog.Any("error", err))
	}
}

// shutdown gives requests a little time; connections that viewers have taken over are not its own.
func (l *httpListener) shutdown() {
	if l.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		_ = l.server.Close()
	}
}

// sharedListener keeps the server from closing the socket, which outlives it.
type sharedListener struct{ *ListenSocket }

// Close implements net.Listener.
func (sharedListener) Close() error { return nil }

// FLVOptions make the handler of HTTP-FLV viewers.
type FLVOptions struct {
	Desk       *Desk
	SendBuffer int
	Caps       *Caps
}

// FLV returns the handler of GET /APP/NAME.flv: an endless FLV file. It takes the connection over
// from the server, which would spend several times a viewer's memory on it.
func FLV(o FLVOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch r.Method {
		case http.MethodGet:
		case http.MethodOptions:
			w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
			w.Header().Set("Access-Control-Allow-Headers", "Range")
			w.WriteHeader(http.StatusNoContent)
			return
		default:
			w.Header().Set("Allow", "GET, OPTIONS")
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
			return
		}
		o.serve(w, r)
	})
}

func (o FLVOptions) serve(w http.ResponseWriter, r *http.Request) {
	since := time.Now()
	app, name, _ := cutLast(strings.TrimSuffix(r.URL.Path, ".flv"))
	key, err := Key(app, name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rendition, err := Rendition(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	conn, err := o.takeOver(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	ready := make(chan struct{})
	close(ready)
	socket := &edge.Socket{
		Conn: conn, Protocol: edge.HTTPFLV, Ready: ready, Since: since, SendBuffer: o.SendBuffer,
		Rendition: rendition,
	}
	if err = o.Desk.Play(r.Context(), key, socket); err != nil && socket.Own() {
		_, _ = conn.Write(edge.Refusal(http.StatusServiceUnavailable, err.Error())) // he may have left
		_ = conn.Close()
	}
}

// takeOver takes the connection from the HTTP server, if there is room for it.
func (o FLVOptions) takeOver(w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return nil, errors.New("this connection cannot carry a stream; use HTTP/1.1")
	}
	leave, err := o.Caps.Enter(r.RemoteAddr)
	if err != nil {
		return nil, err
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		leave()
		return nil, err
	}
	return &countedConn{Conn: conn, leave: leave}, nil
}

func cutLast(path string) (dir, name string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
