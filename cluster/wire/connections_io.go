package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// maxConnections bounds those of other nodes.
const maxConnections = 512

// connections are the accepted ones. As a server's credentials it sees each before anything is read
// from it, and can cut all: Remote waits for its streams to end as long as their nodes like.
type connections struct {
	credentials.TransportCredentials
	mu   sync.Mutex
	open map[*connection]struct{}
	shut bool
}

func newConnections(of credentials.TransportCredentials) *connections {
	return &connections{TransportCredentials: of, open: map[*connection]struct{}{}}
}

// ServerHandshake implements credentials.TransportCredentials.
func (c *connections) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn := &connection{Conn: raw, of: c}
	if !c.enter(conn) {
		_ = raw.Close()
		return nil, nil, errors.New("too many connections")
	}
	out, info, err := c.TransportCredentials.ServerHandshake(conn)
	if err != nil {
		_ = conn.Close()
	}
	return out, info, err
}

// Clone implements credentials.TransportCredentials: there is one set of connections.
func (c *connections) Clone() credentials.TransportCredentials { return c }

func (c *connections) enter(conn *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut || len(c.open) >= maxConnections {
		return false
	}
	c.open[conn] = struct{}{}
	return true
}

// cut closes all of them, and those to come.
func (c *connections) cut() {
	c.mu.Lock()
	c.shut = true
	var all []*connection
	for conn := range c.open {
		all = append(all, conn)
	}
	c.mu.Unlock()
	for _, conn := range all {
		_ = conn.Close()
	}
}

// connection leaves the set when it is closed.
type connection struct {
	net.Conn
	of *connections
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// Socket is where other nodes reach this one. Remote opens its own, so this one only keeps the
// address until then.
type Socket struct {
	addr *net.TCPAddr
	mu   sync.Mutex
	tcp  net.Listener
}

// Listen takes an address. Its host is one of this machine's: others have to reach it, and nobody
// else by another.
func Listen(ctx context.Context, address string) (*Socket, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(errors.New("not TCP"), l.Close())
	}
	if addr.IP.IsUnspecified() {
		return nil, errors.Join(fmt.Errorf("%s is every address of this machine: want the one by "+
			"which other nodes reach it", address), l.Close())
	}
	return &Socket{addr: addr, tcp: l}, nil
}

// Addr is where others reach it.
func (s *Socket) Addr() net.Addr { return s.addr }

// Close gives the address up.
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tcp == nil {
		return nil
	}
	l := s.tcp
	s.tcp = nil
	return l.Close()
}

// yield makes room for Remote, which panics where an address is taken: that is found out here.
func (s *Socket) yield(ctx context.Context) error {
	if s.hold() {
		return s.Close()
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr.String())
	if err != nil {
		return err
	}
	return l.Close()
}

func (s *Socket) hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tcp != nil
}

// bracketed is an IP as it stands before a colon.
func bracketed(ip net.IP) string {
	if ip.To4() == nil {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}

// dialTime bounds the attempt to reach another node.
const dialTime = 2 * time.Second
