package wire

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/headwater-live/headwater/cluster/wire/wirepb"
)

const (
	// gatewayName is the one actor that other nodes reach.
	gatewayName = "gateway"
	// maxBatch bounds the envelopes of a batch: what this side writes, and room to change that.
	maxBatch = 256
	// receiveMethod is the one call that other nodes make.
	receiveMethod = "/remote.Remoting/Receive"
)

// envelopeType is the one type of message that may come.
func envelopeType() string { return string(proto.MessageName(&wirepb.Envelope{})) }

// guard lets nothing through to Remote but envelopes to the gateway: Remote would stop, watch or
// spawn any actor for whoever asks, and fails as a whole on what it does not expect.
type guard struct {
	log      *slog.Logger
	metrics  *Metrics
	envelope string // the type's name
	streams  atomic.Int64
}

// unary refuses every call that is no stream: Remote has but such as panic.
func (g *guard) unary(
	_ context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler,
) (any, error) {
	g.metrics.refused.Inc()
	return nil, status.Errorf(codes.PermissionDenied, "%s is not for nodes", info.FullMethod)
}

// stream guards what is read, and turns a panic of Remote into the end of one stream.
func (g *guard) stream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) (err error) {
	g.streams.Add(1)
	defer g.streams.Add(-1)
	defer func() {
		if value := recover(); value != nil {
			g.metrics.refused.Inc()
			g.log.Error("remote panicked on what a node sent", slog.Any("panic", value))
			err = status.Error(codes.Internal, "that was too much")
		}
	}()
	if info.FullMethod != receiveMethod {
		g.metrics.refused.Inc()
		return status.Errorf(codes.PermissionDenied, "%s is not for nodes", info.FullMethod)
	}
	return handler(server, &guarded{ServerStream: stream, guard: g})
}

// guarded is a stream of another node.
type guarded struct {
	grpc.ServerStream
	guard     *guard
	connected bool
}

// RecvMsg implements grpc.ServerStream.
func (s *guarded) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	msg, ok := m.(*remote.RemoteMessage)
	if !ok {
		return status.Errorf(codes.PermissionDenied, "%T is nothing that nodes say", m)
	}
	if err := s.check(msg); err != nil {
		s.guard.metrics.refused.Inc()
		s.guard.log.Warn("a node sent what it must not", slog.Any("error", err))
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return nil
}

// check says what is wrong with a message.
func (s *guarded) check(m *remote.RemoteMessage) error {
	switch m := m.GetMessageType().(type) {
	case *remote.RemoteMessage_ConnectRequest:
		server := m.ConnectRequest.GetServerConnection()
		if server == nil || s.connected {
			return fmt.Errorf("a connect request of another kind, or a second one")
		}
		s.connected = true
		// What else it says is nothing to us: who answers does so to the node's own address.
		server.BlockList, server.Address, server.MemberId = nil, "", ""
		return nil
	case *remote.RemoteMessage_MessageBatch:
		if !s.connected {
			return fmt.Errorf("messages before the connect request")
		}
		return s.guard.batch(m.MessageBatch)
	}
	return fmt.Errorf("a message of another kind: %T", m.GetMessageType())
}

// batch holds a batch to what this side would write: every index is one, every target is the
// gateway, every type the envelope.
func (g *guard) batch(b *remote.MessageBatch) error {
	if len(b.GetEnvelopes()) > maxBatch {
		return fmt.Errorf("a batch of %d messages", len(b.GetEnvelopes()))
	}
	if len(b.GetTargets()) != 1 || b.GetTargets()[0] != gatewayName {
		return fmt.Errorf("a message to another actor: %.100q", b.GetTargets())
	}
	if len(b.GetTypeNames()) != 1 || b.GetTypeNames()[0] != g.envelope {
		return fmt.Errorf("a message of another type: %.100q", b.GetTypeNames())
	}
	for _, e := range b.GetEnvelopes() {
		switch {
		case e.GetTarget() != 0, e.GetTypeId() != 0, e.GetTargetRequestId() != 0:
			return fmt.Errorf("a message to actor %d, of type %d", e.GetTarget(), e.GetTypeId())
		case e.GetSender() != 0, e.GetSenderRequestId() != 0, e.GetMessageHeader() != nil:
			return fmt.Errorf("a message with a sender or a header")
		case e.GetSerializerId() != 0:
			return fmt.Errorf("serializer %d", e.GetSerializerId())
		}
	}
	return nil
}
