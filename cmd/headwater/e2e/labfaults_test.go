package e2e

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Faults of a lab's network. Packets are dropped and held where the bridge forwards them, so that
// no host can tell but by what does not come.

// cut has nothing of what from sends reach to. What to sends still reaches from.
func (l *lab) cut(t *testing.T, from, to *host) {
	t.Helper()
	l.rule(t, "-I", "-s", from.ip, "-d", to.ip, "-j", "DROP")
}

// part cuts both ways.
func (l *lab) part(t *testing.T, a, b *host) {
	t.Helper()
	l.cut(t, a, b)
	l.cut(t, b, a)
}

// heal ends what cut and part did between two hosts.
func (l *lab) heal(t *testing.T, a, b *host) {
	t.Helper()
	out := asRootOutput(t, "ip", "netns", "exec", l.bridge(), "iptables", "-w", "-S", "FORWARD")
	for line := range strings.Lines(out) {
		rule, isRule := strings.CutPrefix(strings.TrimSpace(line), "-A FORWARD ")
		between := strings.Contains(rule, "-s "+a.ip+"/32 -d "+b.ip+"/32") ||
			strings.Contains(rule, "-s "+b.ip+"/32 -d "+a.ip+"/32")
		if isRule && between && strings.HasSuffix(rule, "-j DROP") {
			l.rule(t, "-D", strings.Fields(rule)...)
		}
	}
}

// unplug takes a host off the bridge, plug puts it on again: the interface is down, nothing is
// sent, and whoever is on the host sees no error but silence.
func (l *lab) unplug(t *testing.T, h *host) {
	t.Helper()
	asRoot(t, "ip", "-n", l.bridge(), "link", "set", "dev", h.port, "down")
	await(t, h.name+" has no carrier", func() bool { return l.carriers(t, h) <= 0 })
}

func (l *lab) plug(t *testing.T, h *host) {
	t.Helper()
	asRoot(t, "ip", "-n", l.bridge(), "link", "set", "dev", h.port, "up")
	await(t, h.name+" has its carrier again", func() bool { return l.carriers(t, h) == 2 })
}

// carriers counts the ends of a host's line that are up, less one if the bridge does not forward to
// it. The kernel takes up to a second for the one, and tells the bridge last.
func (l *lab) carriers(t *testing.T, h *host) int {
	t.Helper()
	ends := asRootOutput(t, "ip", "-n", h.ns, "link", "show", "eth0") +
		asRootOutput(t, "ip", "-n", l.bridge(), "-details", "link", "show", h.port)
	return strings.Count(ends, "state UP") - strings.Count(ends, "bridge_slave state disabled")
}

// slow has a host's interface carry a rate in each direction, in bits a second; 0 lifts that.
func (l *lab) slow(t *testing.T, h *host, rate int) {
	t.Helper()
	for ns, device := range map[string]string{l.bridge(): h.port, h.ns: "eth0"} {
		qdisc := []string{
			"tc", "-n", ns, "qdisc", "replace", "dev", device, "root", "tbf",
			"rate", fmt.Sprint(rate, "bit"), "burst", "16kb", "latency", "400ms",
		}
		if rate == 0 {
			qdisc = []string{"tc", "-n", ns, "qdisc", "delete", "dev", device, "root"}
		}
		asRoot(t, qdisc...)
	}
}

// delay has what a host sends, to some others if they are named and else to all, wait, be lost and
// be reordered. It lasts until calm.
func (l *lab) delay(t *testing.T, h *host, w weatherOf, to ...*host) {
	t.Helper()
	l.calm(t, h)
	h.weather = startWeather(t, l.bridge(), uint16(h.number), l.seed+uint64(h.number), w)
	h.queued = [][]string{{"-s", h.ip}}
	if len(to) > 0 {
		h.queued = nil
	}
	for _, other := range to {
		h.queued = append(h.queued, []string{"-s", h.ip, "-d", other.ip})
	}
	for i, rule := range h.queued {
		h.queued[i] = append(rule, "-j", "NFQUEUE", "--queue-num", fmt.Sprint(h.number))
		l.rule(t, "-A", h.queued[i]...)
	}
}

// calm ends what delay did.
func (l *lab) calm(t *testing.T, h *host) {
	t.Helper()
	for _, rule := range h.queued {
		l.rule(t, "-D", rule...)
	}
	h.queued = nil
	if h.weather != nil {
		h.weather.stop(t)
		h.weather = nil
	}
}

// rule changes what the bridge forwards.
func (l *lab) rule(t *testing.T, how string, rule ...string) {
	t.Helper()
	asRoot(t, append([]string{
		"ip", "netns", "exec", l.bridge(), "iptables", "-w", how, "FORWARD",
	}, rule...)...)
}

// asRootOutput runs a command and returns what it prints.
func asRootOutput(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return string(out)
}

// listen takes connections in the host.
func (h *host) listen(t *testing.T, port int) net.Listener {
	t.Helper()
	var listener net.Listener
	err := within(h.ns, func() (err error) {
		listener, err = net.Listen("tcp", h.at(port))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// echo says again what it is told, and returns where.
func (h *host) echo(t *testing.T, port int) string {
	t.Helper()
	listener := h.listen(t, port)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// ping connects from the host to an echo, and has it say a byte.
func (h *host) ping(addr string, limit time.Duration) (time.Duration, error) {
	began := time.Now()
	err := within(h.ns, func() error {
		conn, err := net.DialTimeout("tcp", addr, limit)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.SetDeadline(began.Add(limit)); err != nil {
			return err
		}
		if _, err := conn.Write([]byte{1}); err != nil {
			return err
		}
		_, err = io.ReadFull(conn, make([]byte, 1))
		return err
	})
	return time.Since(began), err
}
