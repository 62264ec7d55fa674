package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lab is a network of its own for a test: hosts that are network namespaces, each with a real
// interface on one bridge, which is in a namespace too. What passes the bridge can be cut, slowed,
// delayed, lost and reordered; what a host says to itself cannot, so that the test looks at its
// nodes from inside them. Two labs never meet: neither their names nor their addresses can collide.
type lab struct {
	id   string // hwPID-N, with which the names of its namespaces begin
	seed uint64 // of everything that is random here

	mu    sync.Mutex
	hosts map[string]*host
}

// host is one namespace of a lab.
type host struct {
	lab     *lab
	name    string
	ns      string // as ip netns knows it
	port    string // its end at the bridge
	ip      string
	number  int
	main    *process   // the node or etcd that was last started
	weather *weather   // what delays and loses what it sends, if something does
	queued  [][]string // the rules by which that is asked
}

// labPrefix is how the names of all our namespaces begin, before the process that made them.
const labPrefix = "hw"

// newLab makes a network without hosts. It is removed when the test ends, however it ends; should
// the process be killed, the next one removes it.
func newLab(t *testing.T) *lab {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("network namespaces are root's: run the end-to-end tests as root")
	}
	l := &lab{seed: labSeed(t), hosts: map[string]*host{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed of the lab was HEADWATER_SEED=%d", l.seed)
		}
	})
	l.id = claimLab(t)
	t.Cleanup(func() { asRoot(t, "ip", "netns", "delete", l.bridge()) })
	asRoot(t, "ip", "-n", l.bridge(), "link", "add", "br0", "type", "bridge", "forward_delay", "0")
	asRoot(t, "ip", "-n", l.bridge(), "link", "set", "dev", "br0", "up")
	err := within(l.bridge(), func() error { // has the rules for what is forwarded see what is bridged
		return os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-iptables", []byte("1"), 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// labSeed is HEADWATER_SEED, or a new one.
func labSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv("HEADWATER_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed: HEADWATER_SEED=%d", seed)
	return seed
}

// claimLab makes the namespace of a lab's bridge, under the first name that is free: the kernel
// tells, so that no counter has to be shared.
func claimLab(t *testing.T) string {
	t.Helper()
	for n := range 1000 {
		id := fmt.Sprintf("%s%d-%d", labPrefix, os.Getpid(), n)
		out, err := exec.Command("ip", "netns", "add", id).CombinedOutput()
		if err == nil {
			return id
		}
		if !strings.Contains(string(out), "File exists") {
			t.Fatalf("ip netns add: %v\n%s", err, out)
		}
	}
	t.Fatal("there are a thousand labs")
	return ""
}

// sweepLabs removes what killed processes have left.
func sweepLabs() {
	entries, _ := os.ReadDir("/run/netns")
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), labPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		n, err := strconv.Atoi(pid)
		if ours && err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			_ = exec.Command("ip", "netns", "delete", e.Name()).Run()
		}
	}
}

func (l *lab) bridge() string { return l.id }

// host adds a host. Its address is 10.N.0.M.
func (l *lab) host(t *testing.T, name string) *host {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	_, lab, _ := strings.Cut(l.id, "-")
	h := &host{lab: l, name: name, ns: l.id + "-" + name, number: len(l.hosts) + 1}
	n, _ := strconv.Atoi(lab)
	h.ip = fmt.Sprintf("10.%d.0.%d", n%250+1, h.number)
	h.port = fmt.Sprint("port", h.number)
	asRoot(t, "ip", "netns", "add", h.ns)
	t.Cleanup(func() { asRoot(t, "ip", "netns", "delete", h.ns) })
	h.ipDo(t, "link", "add", "eth0", "type", "veth", "peer", "name", h.port, "netns", l.bridge())
	asRoot(t, "ip", "-n", l.bridge(), "link", "set", "dev", h.port, "master", "br0", "up")
	h.ipDo(t, "address", "add", h.ip+"/24", "dev", "eth0")
	h.ipDo(t, "link", "set", "dev", "lo", "up")
	h.ipDo(t, "link", "set", "dev", "eth0", "up")
	l.hosts[name] = h
	await(t, name+" has its carrier", func() bool { return l.carriers(t, h) == 2 })
	return h
}

// ipDo runs an ip command in the host.
func (h *host) ipDo(t *testing.T, args ...string) {
	t.Helper()
	asRoot(t, append([]string{"ip", "-n", h.ns}, args...)...)
}

// by is what a command line begins with that runs in the host.
func (h *host) by() []string { return []string{"ip", "netns", "exec", h.ns} }

// start starts a process in the host.
func (h *host) start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	args = append(append(h.by(), name), args...)
	return start(t, args[0], args[1:]...)
}

// at is an address of the host.
func (h *host) at(port int) string { return net.JoinHostPort(h.ip, strconv.Itoa(port)) }

// dialFrom connects from inside the host. A socket stays where it was made.
func (h *host) dialFrom(addr string) (net.Conn, error) {
	var conn net.Conn
	err := within(h.ns, func() (err error) {
		conn, err = net.DialTimeout("tcp", addr, patience)
		return err
	})
	return conn, err
}

// dial connects from inside the host. The connection does not outlive the test.
func (h *host) dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := h.dialFrom(addr)
	if err != nil {
		t.Fatalf("from %s: %v", h.name, err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// client asks by HTTP from inside the host.
func (h *host) client() *http.Client { return clientOf(h.dialFrom) }

// within runs do in a namespace, on a thread that is in it for that time. The thread goes on after:
// the processes that it has started die with it.
func within(ns string, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + ns)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns %s: %w", ns, err)
	}
	defer func() {
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("a thread cannot leave namespace %s: %v", ns, err))
		}
	}()
	return do()
}

// asRoot runs a command that is root's.
func asRoot(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// TestLab holds that a lab is what the other tests take it for: hosts reach each other until they
// are cut, one way and both, at a rate and with a delay that are kept.
func TestLab(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.host(t, "a"), l.host(t, "b")
	echo := a.echo(t, 7)
	ping := func(within time.Duration) (time.Duration, error) { return b.ping(echo, within) }
	if took, err := ping(time.Second); err != nil || took > 100*time.Millisecond {
		t.Errorf("unharmed: %v, %v", took, err)
	}
	l.cut(t, a, b)
	if _, err := ping(300 * time.Millisecond); err == nil {
		t.Error("what a says reaches b all the same")
	}
	l.heal(t, a, b)
	l.part(t, b, a)
	if _, err := ping(300 * time.Millisecond); err == nil {
		t.Error("what b says reaches a all the same")
	}
	l.heal(t, b, a)
	l.unplug(t, a)
	if _, err := ping(300 * time.Millisecond); err == nil {
		t.Error("a is unplugged, and reached all the same")
	}
	l.plug(t, a)
	await(t, "they have found each other's addresses again", func() bool {
		took, err := ping(time.Second)
		return err == nil && took < 100*time.Millisecond
	})
	l.delay(t, a, weatherOf{delay: 40 * time.Millisecond})
	l.delay(t, b, weatherOf{delay: 40 * time.Millisecond})
	took, err := ping(time.Second)
	if err != nil || took < 160*time.Millisecond || took > 500*time.Millisecond {
		t.Errorf("40 ms each way, a connection and a message: %v, %v", took, err)
	}
	l.calm(t, a)
	l.calm(t, b)
	if took, err := ping(time.Second); err != nil || took > 100*time.Millisecond {
		t.Errorf("healed: %v, %v", took, err)
	}
}
