package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/headwater-live/headwater/cluster/wire/wirepb"
)

// raw is whoever reaches the port.
type raw struct {
	t      *testing.T
	client remote.RemotingClient
	stream remote.Remoting_ReceiveClient
}

func dialRaw(t *testing.T, address string, creds credentials.TransportCredentials) *raw {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r := &raw{t: t, client: remote.NewRemotingClient(conn)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	if r.stream, err = r.client.Receive(ctx, grpc.WaitForReady(true)); err != nil {
		t.Fatal(err)
	}
	return r
}

// connectAnew takes another stream of the same connection.
func (r *raw) connectAnew() {
	r.t.Helper()
	var err error
	if r.stream, err = r.client.Receive(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.connect()
}

func (r *raw) connect() {
	r.send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{
		ConnectRequest: &remote.ConnectRequest{ConnectionType: &remote.ConnectRequest_ServerConnection{
			ServerConnection: &remote.ServerConnection{MemberId: "x", Address: "127.0.0.1:1"},
		}},
	}})
	if _, err := r.stream.Recv(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) send(m *remote.RemoteMessage) { _ = r.stream.Send(m) }

// batch is what another node would send, of a message.
func batch(t testing.TB, target string, m proto.Message) *remote.MessageBatch {
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return &remote.MessageBatch{
		TypeNames: []string{string(proto.MessageName(m))}, Targets: []string{target},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
	}
}

func message(b *remote.MessageBatch) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// forbidden are messages that would have Remote do what it must not.
func forbidden(t *testing.T) map[string]*remote.RemoteMessage {
	question := &wirepb.Envelope{
		Version: 1, Id: 1, From: "other",
		Body: &wirepb.Envelope_List{List: &wirepb.List{}},
	}
	good := func(change func(*remote.MessageBatch)) *remote.RemoteMessage {
		b := batch(t, gatewayName, question)
		change(b)
		return message(b)
	}
	me := actor.NewPID("127.0.0.1:1", "me")
	return map[string]*remote.RemoteMessage{
		"stop":       message(batch(t, gatewayName, &actor.Stop{})),
		"stop other": message(batch(t, "EndpointSupervisor", &actor.Stop{})),
		"poison":     message(batch(t, gatewayName, &actor.PoisonPill{})),
		"watch":      message(batch(t, gatewayName, &actor.Watch{Watcher: me})),
		"terminated": message(batch(t, gatewayName, &actor.Terminated{Who: me})),
		"spawn":      message(batch(t, "activator", &remote.ActorPidRequest{Kind: "x", Name: "y"})),
		"activator":  message(batch(t, "activator", question)),
		"unknown type": good(func(b *remote.MessageBatch) {
			b.TypeNames = []string{"no.such.Type"}
		}),
		"index": good(func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 7 }),
		"negative": good(func(b *remote.MessageBatch) {
			b.Envelopes[0].Target = -1
		}),
		"sender": good(func(b *remote.MessageBatch) {
			b.Senders, b.Envelopes[0].Sender = []*actor.PID{me}, 1
		}),
		"no type": good(func(b *remote.MessageBatch) { b.TypeNames = nil }),
		"json":    good(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 1 }),
		"header": good(func(b *remote.MessageBatch) {
			b.Envelopes[0].MessageHeader = &remote.MessageHeader{HeaderData: map[string]string{"a": "b"}}
		}),
		"many": good(func(b *remote.MessageBatch) {
			for range maxBatch {
				b.Envelopes = append(b.Envelopes, b.Envelopes[0])
			}
		}),
		"disconnect": {MessageType: &remote.RemoteMessage_DisconnectRequest{
			DisconnectRequest: &remote.DisconnectRequest{},
		}},
		"client": {MessageType: &remote.RemoteMessage_ConnectRequest{
			ConnectRequest: &remote.ConnectRequest{ConnectionType: &remote.ConnectRequest_ClientConnection{
				ClientConnection: &remote.ClientConnection{},
			}},
		}},
		"nothing": {},
		"large": good(func(b *remote.MessageBatch) {
			b.Envelopes[0].MessageData = make([]byte, 2<<20)
		}),
		"malformed": good(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff} }),
	}
}

// TestStrangers has somebody try all that Remote would do for him.
func TestStrangers(t *testing.T) {
	node := newLonely(t)
	for name, m := range forbidden(t) {
		r := dialRaw(t, node.address, insecure.NewCredentials())
		r.connect()
		r.send(m)
		if got, err := r.stream.Recv(); err == nil {
			t.Errorf("%s: it is answered %v", name, got)
		} else if code := status.Code(err); code == codes.DeadlineExceeded {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := dialRaw(t, node.address, insecure.NewCredentials())
	r.send(message(batch(t, gatewayName, &wirepb.Envelope{})))
	if _, err := r.stream.Recv(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a message before the connect request: %v", err)
	}
	_, err := r.client.ListProcesses(t.Context(), &remote.ListProcessesRequest{})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("list of processes: %v", err)
	}
	_, err = r.client.GetProcessDiagnostics(t.Context(), &remote.GetProcessDiagnosticsRequest{})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("diagnostics: %v", err)
	}
	r.connectAnew()
	r.send(message(batch(t, gatewayName, &wirepb.Envelope{
		Id: 99, From: "later", Body: &wirepb.Envelope_State{State: &wirepb.State{Key: "a"}},
	})))
	if s, ok := reply(node.told()).(*Stated); !ok || s.Epoch != 7 {
		t.Errorf("the node does not live: %v", s)
	}
}

// TestOtherVersion has a node of a later version ask what this one does not know.
func TestOtherVersion(t *testing.T) {
	node := newLonely(t)
	r := dialRaw(t, node.address, insecure.NewCredentials())
	r.connect()
	for _, unknown := range []*wirepb.Envelope{
		{Version: 3, Id: 42, From: "later"},
		{Version: 3, Id: 42, From: "later", Body: &wirepb.Envelope_Command{
			Command: &wirepb.Command{Id: "1", Key: "live/a"},
		}},
	} {
		unknown.ProtoReflect().SetUnknown([]byte{0xfa, 0x03, 0x01, 'x'}) // field 63
		r.send(message(batch(t, gatewayName, unknown)))
		e := node.told()
		if err, _ := reply(e).(error); e.GetId() != 42 || err == nil || err.Error() !=
			"that node does not know the command: it has version 2" {
			t.Errorf("%v is answered %v", unknown, e)
		}
	}
	// A stranger is not answered, and an answer that nobody waits for is nothing.
	r.send(message(batch(t, gatewayName, &wirepb.Envelope{Id: 1, From: "stranger"})))
	r.send(message(batch(t, gatewayName, &wirepb.Envelope{
		Id: 1, From: "later", Body: &wirepb.Envelope_Drained{Drained: &wirepb.Drained{}},
	})))
	r.send(message(batch(t, gatewayName, &wirepb.Envelope{Id: 43, From: "later"})))
	if e := node.told(); e.GetId() != 43 {
		t.Errorf("the next answer is %v", e)
	}
}

// lonely is a node in another process that knows one other, which only listens.
type lonely struct {
	t       *testing.T
	address string
	answers chan *wirepb.Envelope
}

func newLonely(t *testing.T) *lonely {
	t.Helper()
	l := &lonely{t: t, answers: make(chan *wirepb.Envelope, 16)}
	other := startOther(t, "other", "127.0.0.1:0", "")
	other.knows("later", (&fakeNode{answers: l.answers}).listen(t))
	l.address = other.address
	return l
}

// told returns the next that the other node is told.
func (l *lonely) told() *wirepb.Envelope {
	l.t.Helper()
	select {
	case e := <-l.answers:
		return e
	case <-time.After(10 * time.Second):
		l.t.Fatal("the node says nothing")
		return nil
	}
}

// fakeNode is the server of a node that says nothing and notes what it is sent.
type fakeNode struct {
	remote.UnimplementedRemotingServer
	answers chan *wirepb.Envelope
}

// Receive implements remote.RemotingServer.
func (f *fakeNode) Receive(s remote.Remoting_ReceiveServer) error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		if m.GetConnectRequest() != nil {
			err = s.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{
				ConnectResponse: &remote.ConnectResponse{},
			}})
		}
		for _, e := range m.GetMessageBatch().GetEnvelopes() {
			envelope := &wirepb.Envelope{}
			if err := proto.Unmarshal(e.GetMessageData(), envelope); err != nil {
				return err
			}
			f.answers <- envelope
		}
		if err != nil {
			return err
		}
	}
}

// TestTLS has both sides show certificates, and refuses who has none.
func TestTLS(t *testing.T) {
	if alone(t) {
		return
	}
	dir := certificates(t)
	here, _ := pair(t, dir, nil)
	address := here.socket.Addr().String()
	for name, creds := range map[string]credentials.TransportCredentials{
		"plain":          insecure.NewCredentials(),
		"no certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
	} {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
		if err != nil {
			t.Fatal(err)
		}
		stream, err := remote.NewRemotingClient(conn).Receive(t.Context())
		if err == nil {
			_, err = stream.Recv()
		}
		if err == nil {
			t.Errorf("%s is let in", name)
		}
		_ = conn.Close()
	}
}

// FuzzGuard holds that what the guard lets through is read by this side without a panic.
func FuzzGuard(f *testing.F) {
	g := &guard{envelope: envelopeType()}
	for _, e := range []*wirepb.Envelope{
		{Version: 1, Id: 1, From: "a", Body: &wirepb.Envelope_List{List: &wirepb.List{}}},
		{Body: &wirepb.Envelope_Mirror{Mirror: &wirepb.Mirror{Key: "k", Data: []byte("{}")}}},
		{Body: &wirepb.Envelope_Failed{Failed: &wirepb.Failed{Reason: "x"}}},
		{Body: &wirepb.Envelope_Listed{Listed: &wirepb.Listed{
			Broadcasts: []*wirepb.Broadcast{{Key: "k"}},
		}}},
		{Body: &wirepb.Envelope_Command{Command: &wirepb.Command{
			Change: &wirepb.Command_Renditions{Renditions: &wirepb.Renditions{
				Renditions: []*wirepb.Rendition{{Name: "480p"}},
			}},
		}}},
	} {
		data, err := proto.Marshal(message(batch(f, gatewayName, e)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &remote.RemoteMessage{}
		if proto.Unmarshal(data, m) != nil {
			return
		}
		s := &guarded{guard: g, connected: true}
		if s.check(m) != nil {
			return
		}
		for _, e := range m.GetMessageBatch().GetEnvelopes() {
			envelope := &wirepb.Envelope{}
			if proto.Unmarshal(e.GetMessageData(), envelope) != nil {
				continue
			}
			read(t, envelope)
		}
	})
}

// read reads an envelope as the actor does, and writes what it was.
func read(t *testing.T, e *wirepb.Envelope) {
	what := reply(e)
	if what == nil {
		q, err := question(e)
		if what = q; err != nil {
			what = err
		}
	}
	if what == nil {
		t.Fatalf("%v is neither a question nor an answer", e)
	}
	again, err := envelope(what)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proto.Marshal(again); err != nil {
		t.Fatalf("%T cannot be written: %v", what, fmt.Errorf("%w", err))
	}
}
