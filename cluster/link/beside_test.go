package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	wires "github.com/headwater-live/headwater/cluster/wire"
)

// besideVariable has this test's binary be the other node of BenchmarkControlBeside: it says how
// many bytes a second its link carries.
const besideVariable = "HEADWATER_BESIDE"

const besideUnit = 20_000 // bytes of a unit

// besideNode is (settings) and (wire) of a node whose links are the benchmark's.
func besideNode(name, other string, address func() string) (
	stop func(), caller *wires.Caller, control string, err error,
) {
	quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	socket, err := wires.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		return nil, nil, "", err
	}
	metrics, err := wires.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		return nil, nil, "", err
	}
	at := system.NewLocalPID("node/settings")
	o := wires.Options{
		Node: name, Socket: socket, Metrics: metrics,
		Address: func(node string) (string, bool) { return address(), node == other },
		Local: wires.Local{
			Command: func(_ context.Context, c settings.Command) (a settings.Answer, err error) {
				answer, err := system.Root.RequestFuture(at, &c, 5*time.Second).Result()
				if got, ok := answer.(*settings.Answer); ok {
					a = *got
				}
				return a, err
			},
		},
	}
	runtime := &supervise.Runtime{
		Census: supervise.NewCensus(), Log: slog.New(slog.DiscardHandler),
	}
	root, err := runtime.Start(system, supervise.Spec{
		Name: "node", Kind: "node", Strategy: supervise.OneForOne,
		Children: []supervise.Spec{
			{Name: "settings", Kind: "settings", New: settings.New(settings.Options{}), Mailbox: 1024},
			{Name: wires.Name, Kind: "wire", New: wires.New(o), Mailbox: 1024},
		},
	}, func(error) {})
	return stopping(system, root), wires.NewCaller(system.Root, system.NewLocalPID("node/wire")),
		socket.Addr().String(), err
}

// stopping returns what stops a tree, and waits for its end.
func stopping(system *actor.ActorSystem, root *actor.PID) func() {
	over := make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(root)
		case *actor.Terminated:
			close(over)
		}
	}))
	return func() {
		system.Root.Send(root, &supervise.Shutdown{Reason: "the benchmark is over"})
		<-over
	}
}

// besideMain is the other node: it answers commands, and feeds a link, until its input ends. It is
// told the address of the first by its input.
func besideMain(rate int) error {
	var first atomic.Pointer[string]
	_, _, control, err := besideNode("other", "here", func() string { return *first.Load() })
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(control, l.Addr())
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	line = strings.TrimSpace(line)
	first.Store(&line)
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	prepare(conn)
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		return err
	}
	o := newOrigin()
	x := &bench{source: o.begin("a", 1, topic.DefaultLimits())}
	s := serve(newWire(conn, -1, &metrics.origin), time.Minute, &metrics.origin,
		func(ord order) { o.order(ord) })
	o.outlet = s.outlet
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) { panic(p) })
	group.Go("origin", func(ctx context.Context) { _, _ = s.run(ctx, group) })
	group.Go("media", func(ctx context.Context) { x.flow(ctx, rate) })
	_, _ = io.Copy(io.Discard, in)
	group.Stop(time.Second)
	return nil
}

// flow publishes so many bytes a second, in the steps of five milliseconds.
func (x *bench) flow(ctx context.Context, rate int) {
	body, tail := topic.NewBody(besideUnit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began, sent := time.Now(), 0
	for ctx.Err() == nil {
		<-tick.C
		for sent < int(time.Since(began).Seconds()*float64(rate)) {
			x.packet(body, tail)
			sent += besideUnit
		}
	}
}

// BenchmarkControlBeside has one node command another, every five milliseconds, while a link
// between the same two processes carries media. An operation is a command.
func BenchmarkControlBeside(b *testing.B) {
	for _, rate := range []int{0, 40_000_000, 100_000_000} {
		b.Run(fmt.Sprintf("media=%dMB/s", rate/1_000_000), func(b *testing.B) { beside(b, rate) })
	}
}

func beside(b *testing.B, rate int) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", besideVariable, rate))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err, err2, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	var control, media string
	if _, err := fmt.Fscan(out, &control, &media); err != nil {
		b.Fatal(err)
	}
	end, caller, address, err := besideNode("here", "other", func() string { return control })
	if err != nil {
		b.Fatal(err)
	}
	defer end()
	fmt.Fprintln(in, address)
	near, err := net.Dial("tcp", media)
	if err != nil {
		b.Fatal(err)
	}
	defer near.Close()
	received := &atomic.Int64{}
	stop := receive(b, near, received)
	defer stop()
	command(b, caller, received)
}

// receive follows the other node's broadcast, and counts what comes.
func receive(b *testing.B, near net.Conn, received *atomic.Int64) (stop func()) {
	metrics, tab := metricsOf(b), newTable()
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) { panic(p) })
	e := follow(newWire(near, 1<<20, &metrics.edge), tab, &metrics.edge, func(_ *actor.PID, msg any) {
		switch msg := msg.(type) {
		case *topic.Unit:
			received.Add(besideUnit)
		case *topic.Snapshot:
			received.Add(int64(len(msg.Units) * besideUnit))
		}
	})
	group.Go("edge", func(ctx context.Context) { _, _ = e.run(ctx, group) })
	tab.subscribe("a", "", pidOf("a"))
	return func() {
		near.Close()
		group.Stop(5 * time.Second)
	}
}

func command(b *testing.B, caller *wires.Caller, received *atomic.Int64) {
	ask := func(i int) error {
		_, err := caller.Ask(b.Context(), "other", &settings.Command{
			ID: fmt.Sprint(i), Key: "live/a", Change: settings.SetMute{Mute: i%2 == 0},
		})
		return err
	}
	for try := 0; ask(-1-try) != nil; try++ {
		if try > 200 {
			b.Fatal("the other node does not answer")
		}
		<-time.After(50 * time.Millisecond)
	}
	took := make([]time.Duration, 0, b.N)
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	before, began := received.Load(), time.Now()
	b.ResetTimer()
	for i := range b.N {
		<-pace.C
		at := time.Now()
		if err := ask(i); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	b.StopTimer()
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(float64(received.Load()-before)/1e6/time.Since(began).Seconds(), "MB/s-media")
}
