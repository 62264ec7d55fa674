package listen

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// Caps bound the connections of a node, from their acceptance to their end.
type Caps struct {
	// Total, Address and Negotiating are how many there may be in all, from one address, and of
	// those that neither publish nor play yet; 0 means any number.
	Total, Address, Negotiating int

	mu    sync.Mutex
	total int
	young int
	by    map[string]int
}

// enter counts a connection, or says which bound it would break. leave takes it back.
func (c *Caps) enter(remote string) (leave func(), err error) {
	host := remote
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.Total > 0 && c.total >= c.Total:
		return nil, fmt.Errorf("%d connections are open, at most %d", c.total, c.Total)
	case c.Negotiating > 0 && c.young >= c.Negotiating:
		return nil, fmt.Errorf("%d connections are being negotiated, at most %d", c.young, c.Negotiating)
	case c.Address > 0 && c.by[host] >= c.Address:
		return nil, fmt.Errorf("%d connections from one address, at most %d", c.by[host], c.Address)
	}
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.total++
	c.by[host]++
	return func() { c.leave(host) }, nil
}

func (c *Caps) leave(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.by[host]--; c.by[host] <= 0 {
		delete(c.by, host)
	}
}

// negotiating counts a connection that is being negotiated until done is called.
func (c *Caps) negotiating() (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.young--
	}
}

// countedConn leaves the count when it is closed.
type countedConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Plain is the connection itself, for those who count system calls. They close the counted one.
func (c *countedConn) Plain() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.once.Do(c.leave)
	if t, ok := c.Conn.(*tls.Conn); ok { // which waits for room for its own goodbye
		timer := time.AfterFunc(lastWords, func() { _ = t.NetConn().Close() })
		defer timer.Stop()
	}
	return c.Conn.Close()
}

// lastWords is how long the end of a TLS connection may take that its peer does not read.
const lastWords = 200 * time.Millisecond
