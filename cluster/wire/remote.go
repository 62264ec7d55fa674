package wire

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/cluster/wire/wirepb"
)

const (
	batchSize = 64
	queueSize = 1024
	// goodbye is how long the streams of others have to end once their connections are cut.
	goodbye = time.Second
)

// gateway is a Remote that runs, with the actor system it is of.
type gateway struct {
	system *actor.ActorSystem
	remote *remote.Remote
	conns  *connections
	guard  *guard
}

// again is the pause before Remote is started once more where it could not be: its address was
// free when the node began, and somebody took it while this actor was restarted. What the node
// carries goes on without.
const again = time.Second

// run has Remote work until ctx is done. All that Remote starts ends here.
func (w *wire) run(ctx context.Context, root *actor.RootContext, self *actor.PID) {
	for {
		g, err := w.start(ctx, root, self)
		if err == nil {
			root.Send(self, &up{of: w, gateway: g})
			<-ctx.Done()
			g.stop(w.self.Log)
			return
		}
		w.self.Log.Error("no control messages of other nodes are taken", slog.Any("error", err))
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
	}
}

// start starts Remote, which panics where it cannot, and passes on to self what comes.
func (w *wire) start(
	ctx context.Context, root *actor.RootContext, self *actor.PID,
) (g *gateway, err error) {
	if err := w.Socket.yield(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("remote: %v", value)
		}
	}()
	return w.begin(root, self), nil
}

func (w *wire) begin(root *actor.RootContext, self *actor.PID) *gateway {
	system := actors.NewSystem(slog.New(demoted{w.self.Log.Handler()}))
	g := &gateway{system: system, guard: &guard{
		log: w.self.Log, metrics: w.Metrics, envelope: envelopeType(),
	}}
	server, client := credentials.TransportCredentials(insecure.NewCredentials()),
		credentials.TransportCredentials(insecure.NewCredentials())
	if w.Server != nil {
		server, client = credentials.NewTLS(w.Server.Clone()), credentials.NewTLS(w.Client.Clone())
	}
	g.conns = newConnections(server)
	addr := w.Socket.addr
	config := remote.Configure(bracketed(addr.IP), addr.Port,
		remote.WithAdvertisedHost(w.advertised()),
		remote.WithEndpointWriterBatchSize(batchSize), remote.WithEndpointWriterQueueSize(queueSize),
		remote.WithEndpointManagerBatchSize(batchSize), remote.WithEndpointManagerQueueSize(queueSize),
		remote.WithServerOptions(serverOptions(g.conns, g.guard)...),
		remote.WithDialOptions(dialOptions(client)...),
	)
	config.MaxRetryCount = 1 // of several attempts all but the last leave a connection behind
	g.remote = remote.NewRemote(system, config)
	g.remote.Start()
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		if e, ok := ctx.Message().(*wirepb.Envelope); ok {
			root.Send(self, &arrived{of: w, envelope: e})
		}
	})
	if _, err := system.Root.SpawnNamed(props, gatewayName); err != nil {
		panic(fmt.Errorf("gateway: %w", err))
	}
	system.EventStream.Subscribe(func(event any) {
		if e, ok := event.(*remote.EndpointTerminatedEvent); ok {
			root.Send(self, &unreachable{of: w, address: e.Address})
		}
	})
	return g
}

func serverOptions(conns *connections, g *guard) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(conns),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(4), grpc.MaxHeaderListSize(16 << 10),
		grpc.ConnectionTimeout(dialTime),
		grpc.UnaryInterceptor(g.unary), grpc.StreamInterceptor(g.stream),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 10 * time.Second, Timeout: 3 * time.Second,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: 5 * time.Second, PermitWithoutStream: true,
		}),
	}
}

func dialOptions(creds credentials.TransportCredentials) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.DefaultConfig, MinConnectTimeout: dialTime,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
	}
}

// stop ends Remote: first what others have of it, as it waits for that as long as they like, and
// changes what its streams read.
func (g *gateway) stop(log *slog.Logger) {
	g.conns.cut()
	for end := time.Now().Add(goodbye); g.guard.streams.Load() > 0 && time.Now().Before(end); {
		<-time.After(goodbye / 100)
	}
	g.shutdown(log)
	g.remote.Shutdown(false) // its server, and with it the address
	g.system.Shutdown()
}

// shutdown has Remote end all but its server, which it does not come to if it meets a stream that
// has just ended: it panics then, as the last that it does.
func (g *gateway) shutdown(log *slog.Logger) {
	defer func() {
		if value := recover(); value != nil {
			log.Debug("remote panicked at its end", slog.Any("panic", value))
		}
	}()
	g.remote.Shutdown(true)
}

// send gives an envelope to the node at an address, which is in the member list.
func (g *gateway) send(address string, e *wirepb.Envelope) {
	g.system.Root.Send(actor.NewPID(address, gatewayName), e)
}
