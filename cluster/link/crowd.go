package link

import (
	"net/netip"
	"sync"
)

// Bounds of the connections that have not said hello yet: in all, and from one address, so that no
// stranger can keep the nodes out.
const (
	negotiating = 64
	fromOne     = 16
)

// subnet is how much of an IPv6 address is one peer's: he has all the rest for himself.
const subnet = 64

// crowd counts the connections that are negotiated.
type crowd struct {
	mu  sync.Mutex
	all int
	by  map[netip.Prefix]int
}

// enter counts a connection and reports whether there is room for it; leave takes it back.
func (c *crowd) enter(from netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all >= negotiating || c.by[from] >= fromOne {
		return false
	}
	if c.by == nil {
		c.by = map[netip.Prefix]int{}
	}
	c.all++
	c.by[from]++
	return true
}

func (c *crowd) leave(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.by[from]--; c.by[from] == 0 {
		delete(c.by, from)
	}
}

// oneOf is what counts as one address: the IP address, the subnet if it is IPv6. All that are of no
// such kind count as one.
func oneOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := at.Addr().Unmap().WithZone(""), subnet
	if ip.Is4() {
		bits = ip.BitLen()
	}
	return netip.PrefixFrom(ip, bits).Masked()
}
