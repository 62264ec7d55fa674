package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// Conn is a publisher's connection, negotiated and detached from the RTMP library.
type Conn struct {
	net.Conn
	// Guard reads the publisher's messages.
	Guard *rtmp.Guard
	// Ready is closed when the negotiation has let go of the connection.
	Ready <-chan struct{}
	// Idle is how long the publisher may be silent.
	Idle time.Duration
	// Role is what the publisher said that he is.
	Role Role
}

// Role is the part that a publisher plays among those of one broadcast.
type Role uint8

const (
	// Active is the publisher of a broadcast, as nearly all are.
	Active Role = iota
	// Backup publishes the same stream a second time, to another origin.
	Backup
)

// String returns the word that publishers say.
func (r Role) String() string { return [...]string{"active", "backup"}[r] }

// streamID is the message stream that publishers publish on: the first one a connection creates.
const streamID = 1

// goodbye bounds the last write to a publisher, who may not be reading.
const goodbye = 200 * time.Millisecond

// bye tells the publisher why the connection ends, if he listens, and ends it.
func (c *Conn) bye(l Lost) {
	c.ending(l)
	_ = c.Close()
}

// ending tells the publisher why the connection ends.
func (c *Conn) ending(l Lost) {
	level, code := "error", "NetStream.Publish.Failed"
	if l.Unpublished {
		level, code = "status", "NetStream.Unpublish.Success"
	}
	c.tell(rtmp.AppendStatus(nil, streamID, level, code, l.Reason, rtmp.ServerChunkSize))
}

// move asks the publisher to connect to the application at tcURL.
func (c *Conn) move(tcURL, reason string) {
	c.tell(rtmp.AppendReconnect(nil, tcURL, reason, rtmp.ServerChunkSize))
}

// tell writes something that the publisher may read, or not: he may be gone already. Until the
// negotiation has let go of the connection nothing can be told.
func (c *Conn) tell(status []byte) {
	select {
	case <-c.Ready:
		_ = c.SetWriteDeadline(time.Now().Add(goodbye))
		_, _ = c.Write(status)
	default:
	}
}

// reader reads the connection on a goroutine of its own.
type reader struct {
	conn    *Conn
	credits chan struct{}
	system  *actor.ActorSystem
	self    *actor.PID
	armed   time.Time
	begun   time.Time
}

// rearm is how seldom the idle deadline is moved: a timer's change for each message would cost more
// than reading it.
const rearm = time.Second

func (r *reader) run(ctx context.Context) {
	select {
	case <-r.conn.Ready:
	case <-ctx.Done():
		return
	}
	r.begun = time.Now()
	err := r.read(ctx)
	r.system.Root.Send(r.self, &Lost{
		Reason: r.reason(err), Unpublished: errors.Is(err, errUnpublish),
	})
}

func (r *reader) reason(err error) string {
	switch {
	case errors.Is(err, errUnpublish):
		return "the publisher ended the stream"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the publisher closed the connection"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("the publisher sent nothing for %v", r.conn.Idle)
	}
	return err.Error()
}

var errUnpublish = errors.New("unpublish")

func (r *reader) read(ctx context.Context) error {
	for {
		now := time.Now()
		if now.Sub(r.armed) > min(rearm, r.conn.Idle/8) {
			r.armed = now
			if err := r.conn.SetReadDeadline(now.Add(r.conn.Idle)); err != nil {
				return err
			}
		}
		msg, err := r.conn.Guard.Next()
		if err != nil {
			return err
		}
		if err := r.handle(ctx, msg); err != nil {
			return err
		}
	}
}

func (r *reader) handle(ctx context.Context, msg rtmp.Message) error {
	if seq, due := r.conn.Guard.AckDue(); due {
		if err := r.write(rtmp.AppendAck(nil, seq)); err != nil {
			return err
		}
	}
	switch msg.Type {
	case rtmp.TypeAudio, rtmp.TypeVideo, rtmp.TypeData:
		select {
		case r.credits <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		now := time.Now()
		r.system.Root.Send(r.self, &Packet{
			Message: msg, Arrival: media.Time(now.Sub(r.begun)), Arrived: now.UnixNano(),
		})
	case rtmp.TypeCommand:
		return r.command(msg)
	case rtmp.TypeUserControl:
		if pong := rtmp.Pong(msg); pong != nil {
			return r.write(pong)
		}
	}
	return nil
}

func (r *reader) command(msg rtmp.Message) error {
	cmd, err := rtmp.ParseCommand(msg.Body)
	if err != nil {
		return err
	}
	switch cmd.Name {
	case "FCUnpublish", "deleteStream", "closeStream":
		return errUnpublish
	}
	return nil
}

func (r *reader) write(b []byte) error {
	if err := r.conn.SetWriteDeadline(time.Now().Add(r.conn.Idle)); err != nil {
		return err
	}
	_, err := r.conn.Write(b)
	return err
}
