package listen

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
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

// Enter counts a connection, or says which bound it would break. leave takes it back.
func (c *Caps) Enter(remote string) (leave func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count(remote)
}

// enterYoung is Enter for a connection that is to be negotiated, until settled is called.
func (c *Caps) enterYoung(remote string) (leave, settled func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Negotiating > 0 && c.young >= c.Negotiating {
		return nil, nil, fmt.Errorf("%d connections are being negotiated, at most %d",
			c.young, c.Negotiating)
	}
	if leave, err = c.count(remote); err != nil {
		return nil, nil, err
	}
	c.young++
	return leave, sync.OnceFunc(c.settle), nil
}

// count is called with mu held.
func (c *Caps) count(remote string) (leave func(), err error) {
	host := addressOf(remote)
	switch {
	case c.Total > 0 && c.total >= c.Total:
		return nil, fmt.Errorf("%d connections are open, at most %d", c.total, c.Total)
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

// subnet is how much of an IPv6 address is one peer's: he has all the rest for himself.
const subnet = 64

// addressOf is what counts as one address: the IP address, the subnet if it is IPv6.
func addressOf(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, subnet).Masked().String()
}

func (c *Caps) leave(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.by[host]--; c.by[host] <= 0 {
		delete(c.by, host)
	}
}

func (c *Caps) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young--
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
