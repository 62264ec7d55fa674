package rtmp_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	gortmp "github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// raw leaves a command's arguments unread, so that the library calls OnUnknownCommandMessage.
type raw struct{}

func (raw) FromArgs(...any) error                      { return nil }
func (raw) ToArgs(message.EncodingType) ([]any, error) { return nil, nil }

func decodeRaw(_ io.Reader, _ message.AMFDecoder, v *message.AMFConvertible) error {
	*v = raw{}
	return nil
}

// TestMain tells the library, before any server runs, which commands it must not decode itself.
func TestMain(m *testing.M) {
	for _, name := range []string{"releaseStream", "FCPublish", "FCUnpublish", "deleteStream"} {
		message.CmdBodyDecoders[name] = decodeRaw
	}
	m.Run()
}

// guarded is a server's connection whose reads go through a guard.
type guarded struct {
	net.Conn
	guard *rtmp.Guard
	// detached is closed by the library's goroutine once it has stopped reading.
	detached chan struct{}
}

func (c *guarded) Read(p []byte) (int, error) { return c.guard.Read(p) }

// Close leaves the connection open: it outlives the library.
func (c *guarded) Close() error {
	close(c.detached)
	return nil
}

// handler accepts one publisher or player and takes its connection from the library.
type handler struct {
	gortmp.DefaultHandler
	conn *guarded
	name string
	app  string
	kind string
}

func (h *handler) OnConnect(_ uint32, cmd *message.NetConnectionConnect) error {
	h.app = cmd.Command.App
	return nil
}

func (h *handler) OnPublish(
	_ *gortmp.StreamContext, _ uint32, cmd *message.NetStreamPublish,
) error {
	h.name, h.kind = cmd.PublishingName, "publish"
	h.conn.guard.Detach()
	return nil
}

func (h *handler) OnPlay(_ *gortmp.StreamContext, _ uint32, cmd *message.NetStreamPlay) error {
	h.name, h.kind = cmd.StreamName, "play"
	h.conn.guard.Detach()
	return nil
}

func (h *handler) OnUnknownCommandMessage(uint32, *message.CommandMessage) error { return nil }

// serve runs the library as the server of one connection and returns both ends. What the handler
// holds may be read once detached is closed.
func serve(t *testing.T) (client net.Conn, h *handler) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan *handler, 1)
	srv := gortmp.NewServer(&gortmp.ServerConfig{
		OnConnect: func(c net.Conn) (io.ReadWriteCloser, *gortmp.ConnConfig) {
			h := &handler{conn: &guarded{
				Conn: c, guard: rtmp.NewGuard(c, rtmp.DefaultLimits()), detached: make(chan struct{}),
			}}
			made <- h
			return h.conn, &gortmp.ConnConfig{
				Handler: h, SkipHandshakeVerification: true, ReaderBufferSize: 64 << 10,
				ControlState: gortmp.StreamControlStateConfig{MaxMessageStreams: 4},
			}
		},
	})
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	h = <-made
	deadline := time.Now().Add(20 * time.Second)
	for _, c := range []net.Conn{client, h.conn.Conn} {
		if err := c.SetDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return client, h
}

// connect returns a client that has connected through the library.
func connect(t *testing.T, conn net.Conn) *rtmp.Client {
	t.Helper()
	c := rtmp.NewClient(conn)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := c.Connect("live", "rtmp://127.0.0.1/live"); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestServerPublish negotiates with the real library, then takes the media past it.
func TestServerPublish(t *testing.T) {
	conn, h := serve(t)
	client := connect(t, conn)
	if err := client.Publish("key?token=x"); err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for i := range uint32(20) {
		if i == 10 {
			if err := client.SetChunkSize(4096); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.WriteMessage(rtmp.TypeVideo, 1<<24+i*40, body); err != nil {
			t.Fatal(err)
		}
		m, err := next(h)
		if err != nil {
			t.Fatal(err)
		}
		if m.Type != rtmp.TypeVideo || m.Timestamp != 1<<24+i*40 || !bytes.Equal(m.Body, body) {
			t.Fatalf("message %d: type %d at %d, %d bytes", i, m.Type, m.Timestamp, len(m.Body))
		}
	}
	if err := client.CloseStream(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FCUnpublish", "deleteStream"} {
		m, err := next(h)
		if err != nil {
			t.Fatal(err)
		}
		if cmd, err := rtmp.ParseCommand(m.Body); err != nil || cmd.Name != want {
			t.Errorf("%q, %v, want %s", cmd.Name, err, want)
		}
	}
	if h.app != "live" || h.name != "key?token=x" || h.kind != "publish" {
		t.Errorf("%s of %s in %s", h.kind, h.name, h.app)
	}
	conn.Close()
	if _, err := next(h); err != io.EOF {
		t.Errorf("%v, want EOF", err)
	}
}

// next returns the guard's next message once the library has let go of it.
func next(h *handler) (rtmp.Message, error) {
	<-h.conn.detached
	return h.conn.guard.Next()
}

// TestServerPlay negotiates a player with the real library, then writes to it past the library.
func TestServerPlay(t *testing.T) {
	conn, h := serve(t)
	client := connect(t, conn)
	if err := client.Play("key"); err != nil {
		t.Fatal(err)
	}
	<-h.conn.detached
	h.conn.guard.SetLimits(rtmp.ViewerLimits())
	h.conn.guard.Compact()
	if h.kind != "play" || h.name != "key" {
		t.Errorf("%s of %s", h.kind, h.name)
	}
	body := bytes.Repeat([]byte{1}, 1<<20)
	out := rtmp.AppendSetChunkSize(nil, rtmp.MaxChunkSize)
	var header [rtmp.MaxHeader]byte
	n := rtmp.PutHeader(&header, rtmp.ChunkVideo, rtmp.TypeVideo, 1<<24, 1, len(body))
	out = append(append(out, header[:n]...), body...)
	out = rtmp.AppendUserControl(out, rtmp.EventPingRequest, 77)
	out = rtmp.AppendStatus(out, 1, "error", "NetStream.Failed", "", rtmp.MaxChunkSize)
	written := make(chan error, 1)
	go func() {
		_, err := h.conn.Conn.Write(out)
		written <- err
	}()
	m, err := client.Next()
	if err != nil || m.Type != rtmp.TypeVideo || m.Timestamp != 1<<24 || !bytes.Equal(m.Body, body) {
		t.Fatalf("type %d at %d, %d bytes, %v", m.Type, m.Timestamp, len(m.Body), err)
	}
	if _, err = client.Next(); err == nil {
		t.Error("the error status was not returned")
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	conn.Close()
	if m, err := h.conn.guard.Next(); err != io.EOF {
		t.Errorf("%+v, %v, want EOF", m, err)
	}
}
