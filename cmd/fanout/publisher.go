package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/codec/rtmp"
)

const app = "live"

// broadcastKey is the stream key of broadcast i.
func broadcastKey(i int) string { return fmt.Sprintf("bench%d", i) }

// publishers publish the broadcasts over real RTMP connections.
type publishers struct {
	group  *own.Group
	failed chan error   // holds the first failure
	frames atomic.Int64 // pictures of broadcast 0 so far
	units  atomic.Int64 // of all broadcasts, headers not counted
}

// publish starts the broadcasts, their GOPs spread evenly over time.
func publish(c clock, o *options, address string, broadcasts int) *publishers {
	p := &publishers{failed: make(chan error, 1)}
	p.group = own.NewGroup(&own.Counts{}, func(v *own.Panic) { p.fail(v) })
	gop := time.Second * gopFrames / frameRate
	for i := range broadcasts {
		delay := gop * time.Duration(i) / time.Duration(broadcasts)
		p.group.Go("publisher", func(ctx context.Context) {
			if !wait(ctx, delay) {
				return
			}
			if err := p.run(ctx, c, o, address, i); err != nil && ctx.Err() == nil {
				p.fail(fmt.Errorf("publish %s: %w", broadcastKey(i), err))
			}
		})
	}
	return p
}

func (p *publishers) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

func (p *publishers) stop() { p.group.Stop(2 * time.Second) }

// run publishes broadcast i until ctx is done.
func (p *publishers) run(
	ctx context.Context, c clock, o *options, address string, i int,
) error {
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	client := rtmp.NewClient(conn)
	if err := open(conn, client, broadcastKey(i)); err != nil {
		return err
	}
	p.group.Go("publisher's reader", func(context.Context) {
		for {
			// What the server says is only read so that it never waits; the end of the connection
			// is the writer's to report.
			if _, err := client.Next(); err != nil {
				var refused *rtmp.StatusError
				if errors.As(err, &refused) {
					p.fail(err)
				}
				return
			}
		}
	})
	s := newStream(o.Bitrate, o.marker+uint64(i))
	for _, u := range s.headers(o.Bitrate) {
		if err := client.WriteMessage(u.typ, 0, u.body); err != nil {
			return err
		}
	}
	begin := c.now()
	for {
		u := s.next()
		if !wait(ctx, time.Duration(begin+u.due-c.now())) {
			return nil
		}
		if i == 0 && u.typ == rtmp.TypeVideo {
			p.frames.Add(1)
		}
		s.stamp(u, c.now())
		if err := client.WriteMessage(u.typ, uint32(u.due/1e6), u.body); err != nil {
			return err
		}
		p.units.Add(1)
	}
}

func open(conn net.Conn, client *rtmp.Client, key string) error {
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if err := client.Handshake(); err != nil {
		return err
	}
	if err := client.Connect(app, "rtmp://"+rtmpAddress+"/"+app); err != nil {
		return err
	}
	if err := client.Publish(key); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

// wait waits for d and reports false if ctx was done before.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
