package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/link"
)

// peerVariable has this test's binary be a node in place of running tests: two of protoactor's
// Remotes in one process race.
const peerVariable = "HEADWATER_WIRE_PEER"

func TestMain(m *testing.M) {
	if name := os.Getenv(peerVariable); name != "" {
		if err := peerMain(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// alone runs a test in a process of its own: Remote writes a variable of gRPC's when it starts,
// which what an earlier test has left may read. It reports false there.
func alone(t testing.TB) bool {
	t.Helper()
	const variable = "HEADWATER_WIRE_TEST"
	if os.Getenv(variable) != "" {
		return false
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), variable+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return true
}

// members is a member list that a test writes.
type members struct{ sync.Map }

func (m *members) address(node string) (string, bool) {
	address, ok := m.Load(node)
	text, _ := address.(string)
	return text, ok
}

// testNode is a node of a test: (settings) and (wire), and nothing more.
type testNode struct {
	members  *members
	system   *actor.ActorSystem
	root     *actor.PID
	caller   *Caller
	socket   *Socket
	settings *actor.PID
	drained  chan Drain
}

// startNode starts one. With certificates in a folder it has TLS.
func startNode(name, address, certificates string, shelf Shelf) (*testNode, error) {
	n := &testNode{members: &members{}, system: actor.NewActorSystem(actor.WithLoggerFactory(
		func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))}
	var err error
	if n.socket, err = Listen(context.Background(), address); err != nil {
		return nil, err
	}
	o := Options{
		Node: name, Socket: n.socket, Address: n.members.address, Local: n.local(), Shelf: shelf,
		Standby: func(string) string { s, _ := n.members.address("standby"); return s },
		Backup:  func(string) string { s, _ := n.members.address("backup"); return s },
	}
	if certificates != "" {
		tls, err := link.LoadTLS(certificates+"/cert.pem", certificates+"/key.pem",
			certificates+"/ca.pem")
		if err != nil {
			return nil, err
		}
		o.Server, o.Client = tls.Server, tls.Client
	}
	if o.Metrics, err = NewMetrics(prometheus.NewRegistry()); err != nil {
		return nil, err
	}
	level := slog.LevelError + 4
	if os.Getenv("WIRE_LOG") != "" {
		level = slog.LevelDebug
	}
	runtime := &supervise.Runtime{
		Census: supervise.NewCensus(),
		Log:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	n.settings = n.system.NewLocalPID("node/settings")
	wire := n.system.NewLocalPID("node/wire")
	n.caller = NewCaller(n.system.Root, wire)
	n.root, err = runtime.Start(n.system, supervise.Spec{
		Name: "node", Kind: "node", Strategy: supervise.OneForOne,
		Children: []supervise.Spec{
			{
				Name: "settings", Kind: "settings", Mailbox: 1024,
				New: settings.New(settings.Options{Node: name, Keeper: wire}),
			},
			{Name: Name, Kind: "wire", Mailbox: 4096, New: New(o)},
		},
	}, func(error) {})
	return n, err
}

func (n *testNode) local() Local {
	n.drained = make(chan Drain, 16)
	ask := func(q any) (any, error) {
		answer, err := n.system.Root.RequestFuture(n.settings, q, 8*time.Second).Result()
		if failed, ok := answer.(error); ok {
			err = failed
		}
		return answer, err
	}
	return Local{
		Command: func(_ context.Context, c settings.Command) (settings.Answer, error) {
			answer, err := ask(&c)
			if a, ok := answer.(*settings.Answer); ok {
				return *a, nil
			}
			return settings.Answer{}, err
		},
		Adopt: func(_ context.Context, a settings.Adopt) (settings.Adopted, error) {
			answer, err := ask(&a)
			if a, ok := answer.(*settings.Adopted); ok {
				return *a, nil
			}
			return settings.Adopted{}, err
		},
		State: func(_ context.Context, key string) (Stated, error) {
			if key == "none" {
				return Stated{}, fmt.Errorf("%w: %s", ErrNotFound, key)
			}
			return Stated{Epoch: 7, Last: 5, HasLast: true, Age: time.Second}, nil
		},
		List: func(ctx context.Context) ([]Broadcast, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		Drain: func(_ context.Context, order Drain) (Drained, error) {
			n.drained <- order
			panic("the drain is clogged")
		},
		Left: func(context.Context) (Drained, error) {
			return Drained{Draining: true, Broadcasts: 1, Viewers: 2, Feeds: 3}, nil
		},
	}
}

func (n *testNode) stop() {
	done := make(chan struct{})
	_, _ = n.system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(n.root)
		case *actor.Terminated:
			close(done)
		}
	}), "watch")
	n.system.Root.Send(n.root, &supervise.Shutdown{Reason: "the test is over"})
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		panic("the node does not stop")
	}
}

// peerMain is a node that takes its orders by standard input: "member NAME ADDRESS", and its end.
func peerMain(name string) error {
	n, err := startNode(name, os.Getenv("WIRE_ADDRESS"), os.Getenv("WIRE_CERTIFICATES"), nil)
	if err != nil {
		return err
	}
	fmt.Println(n.socket.Addr())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var node, address string
		if _, err := fmt.Sscanf(in.Text(), "member %s %s", &node, &address); err != nil {
			return err
		}
		n.members.Store(node, address)
		fmt.Println("ok")
	}
	n.stop()
	return nil
}

// otherNode is a node in a process of its own.
type otherNode struct {
	t       testing.TB
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	address string
}

func startOther(t testing.TB, name, address, certificates string) *otherNode {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &otherNode{t: t, cmd: exec.Command(exe)}
	o.cmd.Env = append(os.Environ(), peerVariable+"="+name, "WIRE_ADDRESS="+address,
		"WIRE_CERTIFICATES="+certificates)
	o.cmd.Stderr = os.Stderr
	o.in, err = o.cmd.StdinPipe()
	out, err2 := o.cmd.StdoutPipe()
	if err := errors.Join(err, err2, o.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	o.out = bufio.NewReader(out)
	o.address = o.line()
	t.Cleanup(o.end)
	return o
}

func (o *otherNode) line() string {
	o.t.Helper()
	line, err := o.out.ReadString('\n')
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// knows has the node know another.
func (o *otherNode) knows(name, address string) {
	o.t.Helper()
	fmt.Fprintln(o.in, "member", name, address)
	o.line()
}

// end has the node stop in good order.
func (o *otherNode) end() {
	_ = o.in.Close()
	if err := o.cmd.Wait(); err != nil && o.cmd.ProcessState.ExitCode() >= 0 {
		o.t.Error(err)
	}
}

// kill has it end at once.
func (o *otherNode) kill() {
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}
