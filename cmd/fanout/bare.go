package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/actors/own"
)

// bare is the yardstick: what a Go program cannot do without when it takes broadcasts by RTMP and
// hands them to viewers by RTMP and HTTP-FLV. It trusts everyone and bounds nothing.
type bare struct {
	window time.Duration
	group  *own.Group

	mu      sync.Mutex
	streams map[string]*bareStream
}

// packet is one message of a broadcast in both forms, and the place where the next one will be: who
// follows a broadcast keeps a pointer to the packet that it wrote last.
type packet struct {
	forms [2][]byte // by bareRTMP, bareFLV
	next  atomic.Pointer[packet]
	ready chan struct{} // closed when next is set
}

const (
	bareRTMP = iota
	bareFLV
)

// bareStream is a broadcast.
type bareStream struct {
	mu      sync.Mutex
	headers [3]*packet // by media.Kind: metadata, video, audio
	before  *packet    // the packet in front of the last keyframe
	last    *packet
}

// runBare is the subcommand that serves.
func runBare(args []string) error {
	set := flag.NewFlagSet("bare", flag.ContinueOnError)
	window := set.Duration("merge", 0, "write what came in this time with one call; 0: each packet")
	if err := set.Parse(args); err != nil {
		return err
	}
	b := &bare{window: *window, streams: map[string]*bareStream{}}
	b.group = own.NewGroup(&own.Counts{}, func(p *own.Panic) {
		fmt.Fprintf(os.Stderr, "%v\n%s", p, p.Stack)
		os.Exit(2)
	})
	served := make(chan error, 2)
	for address, serve := range map[string]func(*net.TCPConn) error{
		rtmpAddress: b.serveRTMP, httpAddress: b.serveHTTP,
	} {
		l, err := net.Listen("tcp4", address)
		if err != nil {
			return err
		}
		b.group.Go("listener", func(context.Context) { served <- b.accept(l, serve) })
	}
	return <-served
}

func (b *bare) accept(l net.Listener, serve func(*net.TCPConn) error) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		conn := c.(*net.TCPConn)
		b.group.Go("connection", func(context.Context) {
			if err := serve(conn); err != nil {
				conn.Close()
			}
		})
	}
}

// stream returns the broadcast of a key.
func (b *bare) stream(key string) *bareStream {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.streams[key]
	if s == nil {
		s = &bareStream{last: newPacket(nil, nil)}
		b.streams[key] = s
	}
	return s
}

func newPacket(chunk, tag []byte) *packet {
	return &packet{forms: [2][]byte{bareRTMP: chunk, bareFLV: tag}, ready: make(chan struct{})}
}

// add hands a packet to all who follow.
func (s *bareStream) add(p *packet, key bool) {
	s.mu.Lock()
	last := s.last
	if key {
		s.before = last
	}
	s.last = p
	s.mu.Unlock()
	last.next.Store(p)
	close(last.ready)
}

// join returns what a viewer is sent first and the packet after which it goes on.
func (s *bareStream) join(form int) (first []byte, from *packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.headers {
		if h != nil {
			first = append(first, h.forms[form]...)
		}
	}
	if s.before != nil {
		return first, s.before
	}
	return first, s.last
}

// follower is a viewer: where it is in its broadcast, and the memory of its gathered writes, which
// is small because it stays.
type follower struct {
	conn  *net.TCPConn
	form  int
	at    *packet // written last
	batch net.Buffers
	parts [16][]byte
}

// view writes a broadcast to one viewer until the connection fails: the packets from the last
// keyframe on in few calls, and then each with one, or what came in each window with one.
func (b *bare) view(conn *net.TCPConn, form int, from *packet) error {
	f := &follower{conn: conn, form: form, at: from}
	if err := f.gather(); err != nil {
		return err
	}
	if b.window > 0 {
		return f.merge(b.window)
	}
	at := f.at
	f = nil
	for {
		<-at.ready
		at = at.next.Load()
		if _, err := conn.Write(at.forms[form]); err != nil {
			return err
		}
	}
}

// merge lets a packet that finds nothing waiting open a window, and writes all that is there when
// it ends. The windows of all viewers so end at once, which costs a third less than a ticker of
// each viewer's own: what one has copied is in the cache for the next, and there are fewer writes,
// because no window begins without a packet.
func (f *follower) merge(window time.Duration) error {
	timer := time.NewTimer(window)
	defer timer.Stop()
	for {
		<-f.at.ready
		timer.Reset(window)
		<-timer.C
		if err := f.gather(); err != nil {
			return err
		}
	}
}

// gather writes all packets that are there.
func (f *follower) gather() error {
	for {
		f.batch = f.parts[:0]
		for p := f.at.next.Load(); p != nil && len(f.batch) < len(f.parts); p = p.next.Load() {
			f.batch = append(f.batch, p.forms[f.form])
			f.at = p
		}
		if len(f.batch) == 0 {
			return nil
		}
		if _, err := f.batch.WriteTo(f.conn); err != nil {
			return err
		}
	}
}
