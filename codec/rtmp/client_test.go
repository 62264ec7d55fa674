package rtmp

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// script is a connection to a server that says what was written down beforehand.
type script struct {
	in  bytes.Buffer // from the server
	out bytes.Buffer // from the client
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }

// say appends a command of the server.
func (s *script) say(streamID uint32, c Command) {
	s.in.Write(AppendMessage(nil, 3, TypeCommand, 0, streamID, AppendCommand(nil, c), 128))
}

// result appends the answer to a transaction.
func (s *script) result(id float64, v Value) {
	s.say(0, Command{Name: "_result", Transaction: id, Args: []Value{{}, v}})
}

// welcome is a server that did the handshake and accepted connect.
func welcome() *script {
	s := &script{}
	s.in.Write(hello())
	s.in.Write(AppendWindowAckSize(nil, 2_500_000))
	s.in.Write(appendControl(nil, TypeSetPeerBW, 2_500_000))
	s.in.Write(AppendUserControl(nil, EventStreamBegin, 0))
	s.result(1, Obj(Pair{"code", Str("NetConnection.Connect.Success")}))
	return s
}

// connected returns a client that has connected.
func connected(t *testing.T, s *script) *Client {
	t.Helper()
	c := NewClient(s)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := c.Connect("live", "rtmp://host/live"); err != nil {
		t.Fatal(err)
	}
	return c
}

// commands returns the names of the commands that the client wrote.
func (s *script) commands(t *testing.T) (names []string, rest []Message) {
	t.Helper()
	g := NewGuard(&s.out, DefaultLimits())
	if _, err := io.ReadFull(g, make([]byte, handshakeBytes)); err != nil {
		t.Fatal(err)
	}
	g.Detach()
	msgs, err := drain(g)
	if err != io.EOF {
		t.Fatal(err)
	}
	for _, m := range msgs {
		if m.Type != TypeCommand {
			rest = append(rest, m)
			continue
		}
		c, err := ParseCommand(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, c.Name)
	}
	return names, rest
}

func equalStrings(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestClientPublish(t *testing.T) {
	s := welcome()
	s.result(4, Num(7))
	s.in.Write(AppendUserControl(nil, EventPingRequest, 99))
	s.in.Write(AppendStatus(nil, 7, "status", "NetStream.Publish.Start", "", 128))
	c := connected(t, s)
	if err := c.Publish("key?token=x"); err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte{9}, 10_000)
	for _, typ := range []uint8{TypeVideo, TypeAudio} {
		if err := c.WriteMessage(typ, 1<<24, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.CloseStream(); err != nil {
		t.Fatal(err)
	}
	pong := AppendUserControl(nil, EventPingResponse, 99)
	if !bytes.Contains(s.out.Bytes(), pong) {
		t.Error("the ping was not answered")
	}
	names, media := s.commands(t)
	want := []string{
		"connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish",
		"deleteStream",
	}
	if !equalStrings(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	sameMessages(t, media, []Message{
		sent{typ: TypeVideo, ts: 1 << 24, streamID: 7, body: body}.message(),
		sent{typ: TypeAudio, ts: 1 << 24, streamID: 7, body: body}.message(),
	})
}

func TestClientPlay(t *testing.T) {
	early := sent{csid: 6, typ: TypeVideo, ts: 5, streamID: 1, body: []byte{0x17, 0}}
	s := welcome()
	s.result(2, Num(1))
	s.in.Write(AppendStatus(nil, 1, "status", "NetStream.Play.Reset", "", 128))
	s.in.Write(AppendMessage(nil, 6, early.typ, early.ts, early.streamID, early.body, 128))
	s.in.Write(AppendStatus(nil, 1, "status", "NetStream.Play.Start", "", 128))
	s.in.Write(AppendUserControl(nil, EventStreamEOF, 1))
	s.in.Write(AppendStatus(nil, 1, "error", "NetStream.Failed", "gone", 128))
	c := connected(t, s)
	if err := c.Play("key"); err != nil {
		t.Fatal(err)
	}
	m, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	sameMessages(t, []Message{m}, []Message{early.message()})
	if m, err = c.Next(); err != nil || m.Type != TypeUserControl || m.Body[1] != 1 {
		t.Errorf("%+v, %v, want StreamEOF", m, err)
	}
	var status *StatusError
	if _, err = c.Next(); !errors.As(err, &status) || status.Code != "NetStream.Failed" {
		t.Errorf("%v, want NetStream.Failed", err)
	}
	if _, err = c.Next(); err != io.EOF {
		t.Errorf("%v, want EOF", err)
	}
}

func TestClientRefused(t *testing.T) {
	info := Obj(Pair{"level", Str("error")}, Pair{"code", Str("A.B")}, Pair{"description", Str("c")})
	for _, c := range []struct {
		name string
		say  func(*script)
	}{
		{"createStream", func(s *script) {
			s.say(0, Command{Name: "_error", Transaction: 4, Args: []Value{{}, info}})
		}},
		{"createStream, one argument", func(s *script) {
			s.say(0, Command{Name: "_error", Transaction: 4, Args: []Value{info}})
		}},
		{"publish", func(s *script) {
			s.result(4, Num(1))
			s.in.Write(AppendStatus(nil, 1, "error", "A.B", "c", 128))
		}},
	} {
		s := welcome()
		c.say(s)
		err := connected(t, s).Publish("key")
		var status *StatusError
		if !errors.As(err, &status) || *status != (StatusError{Code: "A.B", Description: "c"}) {
			t.Errorf("%s: %v, want A.B", c.name, err)
		}
	}
	s := welcome()
	s.say(0, Command{Name: "_error", Transaction: 2})
	var status *StatusError
	if err := connected(t, s).Play("key"); !errors.As(err, &status) || status.Code == "" {
		t.Errorf("%v, want a StatusError with a code", err)
	}
	for _, v := range []Value{{}, Num(-1), Num(1 << 40), Str("1")} {
		s := welcome()
		s.result(2, v)
		if err := connected(t, s).Play("key"); !errors.Is(err, ErrReply) {
			t.Errorf("stream %+v: %v, want ErrReply", v, err)
		}
	}
	if err := connected(t, welcome()).Play("key"); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want EOF", err)
	}
}

func TestClientHandshake(t *testing.T) {
	s := &script{}
	s.in.Write(hello()[:1537])
	if err := NewClient(s).Handshake(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, want ErrUnexpectedEOF", err)
	}
	s = &script{}
	s.in.Write(append([]byte{6}, hello()[1:]...))
	if err := NewClient(s).Handshake(); !errors.Is(err, ErrVersion) {
		t.Errorf("%v, want ErrVersion", err)
	}
	s = &script{}
	b := append(hello(), 0)
	for i := range b[1:1537] {
		b[1+i] = byte(i)
	}
	s.in.Write(b)
	if err := NewClient(s).Handshake(); err != nil {
		t.Fatal(err)
	}
	if out := s.out.Bytes(); len(out) != handshakeBytes || !bytes.Equal(out[1537:], b[1:1537]) {
		t.Error("C2 is not the echo of S1")
	}
}
