// Package publish publishes an FLV file over and over by RTMP, in real time, as a live encoder
// publishes what it sees.
package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/codec/rtmp"
)

const (
	// negotiateTimeout bounds connecting, the handshake and the publish command.
	negotiateTimeout = 10 * time.Second
	// writeTimeout is how long the server may take nothing.
	writeTimeout = 10 * time.Second
	// goodbyeTimeout is what a stop may take.
	goodbyeTimeout = time.Second
	// pauseMin and pauseMax bound the pause before the next connection, which doubles from one
	// to the other until a connection has lived for steady.
	pauseMin = 250 * time.Millisecond
	pauseMax = 5 * time.Second
	steady   = 10 * time.Second
	// latenessMax is how late a tag may be sent to keep up with the clock. Beyond it, as after
	// the machine was suspended, the clock is set back instead, so that nothing comes in a burst.
	latenessMax = time.Second
)

// Run publishes file, an FLV file, under a stream key of an application at addr, host:port, until
// ctx is done, which it returns nil for. On each connection timestamps begin at zero and rise by
// the clock, over all repetitions of the file. A connection that is lost or refused is logged and
// made again after a pause. The error says what is wrong with the file.
func Run(ctx context.Context, addr, app, key string, file []byte, log *slog.Logger) error {
	return Any(ctx, []string{addr}, app, key, file, log)
}

// Any is Run with several addresses: each connection is made to the next one.
func Any(
	ctx context.Context, addrs []string, app, key string, file []byte, log *slog.Logger,
) error {
	l, err := parse(file)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	p := publisher{loop: l, app: app, key: key}
	pause := pauseMin
	for n := 0; ; n++ {
		p.addr = addrs[n%len(addrs)]
		began := time.Now()
		err := p.connection(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= steady {
			pause = pauseMin
		}
		again := jitter(pause)
		log.Warn("publishing ended; it begins again", "addr", p.addr, "app", app,
			"after", again, "error", err)
		if !sleep(ctx, again) {
			return nil
		}
		pause = min(2*pause, pauseMax)
	}
}

// jitter returns a time around d, from three quarters of it to five.
func jitter(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2)
}

// sleep waits, and reports false if ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// publisher is what stays the same over connections.
type publisher struct {
	loop           *loop
	addr, app, key string
}

// connection connects, publishes until the connection is lost or ctx is done, and returns why it
// ended.
func (p *publisher) connection(ctx context.Context) error {
	dialer := net.Dialer{Timeout: negotiateTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Whatever it waits for then, the connection does not outlive ctx for long.
	unhook := context.AfterFunc(ctx, func() {
		time.AfterFunc(goodbyeTimeout, func() { conn.Close() })
	})
	defer unhook()

	client := rtmp.NewClient(conn)
	if err := p.negotiate(conn, client); err != nil {
		return err
	}
	lost := make(chan error, 2)
	reader := own.NewGroup(&own.Counts{}, func(failure *own.Panic) { lost <- failure })
	reader.Go("reader", func(context.Context) { lost <- drain(client) })
	err = p.stream(ctx, conn, client, lost)

	// The client is the reader's until that has ended.
	if deadlineErr := conn.SetReadDeadline(time.Now()); deadlineErr != nil {
		conn.Close()
	}
	if reader.Stop(goodbyeTimeout) == 0 && err == nil {
		err = goodbye(conn, client)
	}
	return err
}

// negotiate makes the client ready to write media.
func (p *publisher) negotiate(conn net.Conn, client *rtmp.Client) error {
	if err := conn.SetDeadline(time.Now().Add(negotiateTimeout)); err != nil {
		return err
	}
	if err := client.Handshake(); err != nil {
		return err
	}
	if err := client.Connect(p.app, "rtmp://"+p.addr+"/"+p.app); err != nil {
		return err
	}
	if err := client.Publish(p.key); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

// goodbye ends the stream in order.
func goodbye(conn net.Conn, client *rtmp.Client) error {
	if err := conn.SetWriteDeadline(time.Now().Add(goodbyeTimeout)); err != nil {
		return err
	}
	return client.CloseStream()
}

// drain reads what the server says, answering its pings, until the connection ends or the server
// ends the stream.
func drain(client *rtmp.Client) error {
	for {
		if _, err := client.Next(); err != nil {
			return err
		}
	}
}

// stream writes the loop until ctx is done, which it returns nil for, or the connection is lost.
func (p *publisher) stream(ctx context.Context, conn net.Conn, client *rtmp.Client,
	lost <-chan error,
) error {
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for tag := range p.loop.forever() {
		due := began.Add(time.Duration(tag.at) * time.Millisecond)
		if late := time.Since(due); late > latenessMax {
			began = began.Add(late)
		}
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case err := <-lost:
			return err
		case <-ctx.Done():
			return nil
		}
		if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		// An RTMP timestamp is the count of milliseconds, modulo 2^32.
		if err := client.WriteMessage(tag.typ, uint32(tag.at), tag.body); err != nil {
			return err
		}
	}
	return errors.New("the loop ended")
}
