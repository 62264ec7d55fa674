package listen

import (
	"net"
	"sync"
	"testing"
)

func TestCaps(t *testing.T) {
	c := &Caps{Total: 3, Address: 2, Negotiating: 1}
	enter := func(remote string, want bool) func() {
		t.Helper()
		leave, err := c.Enter(remote)
		if (err == nil) != want {
			t.Fatalf("%s: %v", remote, err)
		}
		return leave
	}
	leave, settled, err := c.enterYoung("10.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.enterYoung("10.0.0.2:1"); err == nil {
		t.Error("two are negotiated at once, one may be")
	}
	enter("10.0.0.1:2", true) // of a kind that needs no negotiation
	enter("10.0.0.1:3", false)
	enter("[::ffff:10.0.0.1]:3", false)
	settled()
	settled()
	_, settled, err = c.enterYoung("10.0.0.2:1")
	if err != nil {
		t.Error(err)
	}
	enter("10.0.0.3:1", false) // that is all
	leave()
	enter("10.0.0.1:9", true)
	settled()
	if c.young != 0 || c.total != 3 || len(c.by) != 2 {
		t.Errorf("%d young of %d from %d addresses", c.young, c.total, len(c.by))
	}
}

func TestCapsRefusedYoungCountsNothing(t *testing.T) {
	c := &Caps{Address: 1}
	leave, settled, _ := c.enterYoung("10.0.0.1:1")
	if _, _, err := c.enterYoung("10.0.0.1:2"); err == nil {
		t.Error("two from one address, one may be")
	}
	settled()
	leave()
	if c.young != 0 || c.total != 0 || len(c.by) != 0 {
		t.Errorf("%d young of %d from %d addresses", c.young, c.total, len(c.by))
	}
}

func TestCapsAddresses(t *testing.T) {
	for remote, want := range map[string]string{
		"10.0.0.1:80":            "10.0.0.1",
		"[::ffff:10.0.0.1]:80":   "10.0.0.1",
		"[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":      "fe80::/64",
		"pipe":                   "pipe",
	} {
		if got := addressOf(remote); got != want {
			t.Errorf("%s counts as %s, want %s", remote, got, want)
		}
	}
}

// A connection leaves the count once, however often and by whomever it is closed.
func TestCountedConn(t *testing.T) {
	c := &Caps{}
	leave, _ := c.Enter("a")
	here, there := net.Pipe()
	defer func() { _ = there.Close() }()
	conn := &countedConn{Conn: here, leave: leave}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _ = conn.Close() })
	}
	wg.Wait()
	if c.total != 0 {
		t.Errorf("%d connections are counted", c.total)
	}
}
