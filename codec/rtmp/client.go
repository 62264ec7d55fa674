package rtmp

import (
	"encoding/binary"
	"fmt"
	"io"
)

// clientChunk is the chunk size that a client writes with: a message is one chunk.
const clientChunk = 8 << 20

// earlyMessages is how many messages a client keeps that arrive before the answer it waits for.
const earlyMessages = 256

// StatusError is an answer by which a server refuses or ends what a client asked for.
type StatusError struct {
	Code        string // such as NetStream.Publish.BadName
	Description string
}

// Error returns the code and the description.
func (e *StatusError) Error() string { return "rtmp: " + e.Code + ": " + e.Description }

// Client publishes or plays one stream over a connection: Handshake, Connect, then Publish or Play.
// It has no timeouts of its own; the connection's deadlines end a call that takes too long.
//
// Next and WriteMessage may run on two goroutines at once if the connection's Write is safe for
// concurrent use, as net.Conn's is: each of their writes is one call of Write. All other methods
// need the client for themselves.
type Client struct {
	rw          io.ReadWriter
	guard       *Guard
	early       []Message
	out         []byte // memory of WriteMessage and of the commands
	answer      []byte // memory of Next
	chunk       int
	streamID    uint32
	key         string
	transaction float64
}

// NewClient returns a client of the server at the other end of rw.
func NewClient(rw io.ReadWriter) *Client {
	g := newReader(rw, DefaultLimits())
	g.events = true
	return &Client{rw: rw, guard: g, chunk: DefaultChunkSize}
}

// Handshake performs the simple handshake (RTMP 5.2). It fails with ErrVersion if the server does
// not speak version 3.
func (c *Client) Handshake() error {
	block := make([]byte, 1+handshakeBlock)
	block[0] = version
	for i := 9; i < len(block); i++ {
		block[i] = byte(i * 131) // any bytes will do: nothing depends on their being random
	}
	if _, err := c.rw.Write(block); err != nil {
		return fmt.Errorf("rtmp: write C0 and C1: %w", err)
	}
	if err := c.guard.in.readFull(block); err != nil {
		return fmt.Errorf("rtmp: read S0 and S1: %w", err)
	}
	if block[0] != version {
		return fmt.Errorf("%w: the server speaks %d, want %d", ErrVersion, block[0], version)
	}
	if _, err := c.rw.Write(block[1:]); err != nil {
		return fmt.Errorf("rtmp: write C2: %w", err)
	}
	if err := c.guard.in.readFull(block[1:]); err != nil {
		return fmt.Errorf("rtmp: read S2: %w", err)
	}
	return nil
}

// Connect connects to an application (RTMP 7.2.1.1) and then raises the chunk size that the client
// writes with. tcURL is the URL of the application, rtmp://host/app.
func (c *Client) Connect(app, tcURL string) error {
	id := c.nextTransaction()
	err := c.send(0, Command{Name: "connect", Transaction: id, Args: []Value{Obj(
		Pair{"app", Str(app)}, Pair{"type", Str("nonprivate")},
		Pair{"flashVer", Str("FMLE/3.0 (compatible; Headwater)")}, Pair{"tcUrl", Str(tcURL)},
		Pair{"fpad", Bool(false)}, Pair{"capabilities", Num(15)}, Pair{"audioCodecs", Num(4071)},
		Pair{"videoCodecs", Num(252)}, Pair{"videoFunction", Num(1)},
	)}})
	if err != nil {
		return err
	}
	if _, err := c.result("connect", id); err != nil {
		return err
	}
	return c.SetChunkSize(clientChunk)
}

// SetChunkSize changes the size of the chunks that the client writes, 128 to MaxChunkSize bytes.
func (c *Client) SetChunkSize(size int) error {
	size = min(max(size, DefaultChunkSize), MaxChunkSize)
	c.out = AppendSetChunkSize(c.out[:0], uint32(size))
	c.chunk = size
	return c.flush("SetChunkSize")
}

// Publish asks to publish under a stream key, live, and waits until the server agrees. It returns a
// *StatusError if the server refuses.
func (c *Client) Publish(streamKey string) error {
	for _, name := range []string{"releaseStream", "FCPublish"} {
		err := c.send(0, Command{
			Name: name, Transaction: c.nextTransaction(), Args: []Value{{}, Str(streamKey)},
		})
		if err != nil {
			return err
		}
	}
	if err := c.createStream(); err != nil {
		return err
	}
	c.key = streamKey
	err := c.send(c.streamID, Command{
		Name: "publish", Transaction: c.nextTransaction(),
		Args: []Value{{}, Str(streamKey), Str("live")},
	})
	if err != nil {
		return err
	}
	return c.status("publish", "NetStream.Publish.Start")
}

// Play asks to play a stream, live, and waits until the server agrees. It returns a *StatusError if
// the server refuses. Media that arrives before the agreement is kept for Next.
func (c *Client) Play(streamKey string) error {
	if err := c.createStream(); err != nil {
		return err
	}
	err := c.send(c.streamID, Command{
		Name: "play", Transaction: c.nextTransaction(),
		Args: []Value{{}, Str(streamKey), Num(-1000)},
	})
	if err != nil {
		return err
	}
	body := binary.BigEndian.AppendUint16(nil, EventSetBufferLength)
	body = binary.BigEndian.AppendUint32(body, c.streamID)
	body = binary.BigEndian.AppendUint32(body, 100)
	c.out = AppendMessage(c.out[:0], ChunkControl, TypeUserControl, 0, 0, body, c.chunk)
	if err := c.flush("SetBufferLength"); err != nil {
		return err
	}
	return c.status("play", "NetStream.Play.Start")
}

// WriteMessage writes a message on the published stream with one Write: audio, video or data. ts is
// in milliseconds. body is not kept.
func (c *Client) WriteMessage(typ uint8, ts uint32, body []byte) error {
	csid := ChunkCommand
	switch typ {
	case TypeAudio:
		csid = ChunkAudio
	case TypeVideo:
		csid = ChunkVideo
	case TypeData:
		csid = ChunkData
	}
	c.out = AppendMessage(c.out[:0], csid, typ, ts, c.streamID, body, c.chunk)
	return c.flush("message")
}

// Next returns the server's next message as Guard.Next does, and all user control events. Pings and
// windows it answers itself, with a Write. An onStatus of level error is a *StatusError.
func (c *Client) Next() (Message, error) {
	if len(c.early) > 0 {
		m := c.early[0]
		c.early = c.early[1:]
		return m, nil
	}
	m, err := c.read()
	if err != nil || m.Type != TypeCommand {
		return m, err
	}
	cmd, err := ParseCommand(m.Body)
	if err == nil {
		err = refusal(cmd)
	}
	return m, err
}

// CloseStream tells the server that the client is done with its stream. Closing the connection is
// the caller's.
func (c *Client) CloseStream() error {
	dst := c.out[:0]
	if c.key != "" {
		dst = c.appendCommand(dst, 0, Command{
			Name: "FCUnpublish", Transaction: c.nextTransaction(), Args: []Value{{}, Str(c.key)},
		})
	}
	c.out = c.appendCommand(dst, 0, Command{
		Name: "deleteStream", Transaction: c.nextTransaction(),
		Args: []Value{{}, Num(float64(c.streamID))},
	})
	return c.flush("deleteStream")
}
