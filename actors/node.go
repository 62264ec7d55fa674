package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/timeline"
)

// Node is a running node: its tree, and the desk where connections and questions come in.
type Node struct {
	tree    *tree
	root    *actor.PID
	viewers atomic.Uint64

	draining atomic.Bool
	drainer  *actor.PID

	stopped chan struct{}
	spent   chan error
}

// ErrEnding says that the node takes nobody any more.
var ErrEnding = errors.New("this node is going down")

// Start starts a node's tree. Its listeners are up last.
func Start(o Options) (*Node, error) {
	n := &Node{stopped: make(chan struct{}), spent: make(chan error, 1)}
	t, err := newTree(o, &listen.Desk{Publish: n.Publish, Play: n.Play})
	if err != nil {
		return nil, err
	}
	n.tree = t
	n.countDeadLetters(o.Registry)
	n.root, err = o.Runtime.Start(t.system, t.spec(t.node()), func(err error) { n.spent <- err })
	if err != nil {
		return nil, err
	}
	_, err = t.system.Root.SpawnNamed(actor.PropsFromFunc(n.watch), "watch")
	if err != nil {
		return n, err
	}
	n.drainer, err = t.system.Root.SpawnNamed(actor.PropsFromProducer(
		func() actor.Actor { return &drainer{census: o.Runtime.Census, elsewhere: n.publishElsewhere} }),
		"drain")
	return n, err
}

func newTree(o Options, desk *listen.Desk) (*tree, error) {
	log := o.log()
	t := &tree{
		Options: o, desk: desk, window: &topic.Window{}, pinned: newHolds(),
		system: actor.NewActorSystem(actor.WithLoggerFactory(
			func(*actor.ActorSystem) *slog.Logger { return quiet(log) })),
	}
	shrink(t.system.ProcessRegistry)
	t.fix()
	t.window.Set(o.Window)
	var err error
	if t.metrics, err = newMetrics(o.Registry); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if o.HTTP != nil {
		flv := listen.FLV(listen.FLVOptions{Desk: desk, SendBuffer: o.SendBuffer, Caps: o.Caps})
		t.handler = listen.HTTPOptions{Socket: o.HTTP, Handler: o.Handler(flv)}
	}
	return t, nil
}

// watch closes stopped when the root has ended.
func (n *Node) watch(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		ctx.Watch(n.root)
	case *actor.Terminated:
		close(n.stopped)
	}
}

// Spent gives the reason when the tree has failed beyond repair: nothing of it is left, and the
// process should exit.
func (n *Node) Spent() <-chan error { return n.spent }

// Stop takes the tree down in order: listeners first, then viewers, broadcasts and the rest. It
// returns ctx's error if that takes too long.
func (n *Node) Stop(ctx context.Context, reason string) error {
	n.tree.system.Root.Send(n.root, &supervise.Shutdown{Reason: reason})
	select {
	case <-n.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop: %w", ctx.Err())
	}
}

const (
	// patience is how long the tree may take to find an owner for a connection.
	patience = 5 * time.Second
	// commandPatience is how long it may take to carry out a command: longer than the actor that
	// answers waits for whoever carries it out.
	commandPatience = 8 * time.Second
)

// ask puts a question to an actor and waits for the answer. It is for goroutines that are not
// actors.
func (n *Node) ask(ctx context.Context, to *actor.PID, question any) (answer any, err error) {
	return n.askFor(ctx, to, question, patience)
}

// askFor is ask for a question whose answer may take another time.
func (n *Node) askFor(
	ctx context.Context, to *actor.PID, question any, patience time.Duration,
) (answer any, err error) {
	root := n.tree.system.Root
	if n.tree.Seams.Ask != nil {
		answer, err = n.tree.Seams.Ask(ctx, root, to, question)
	} else {
		answer, err = root.RequestFuture(to, question, patience).Result()
	}
	if errors.Is(err, actor.ErrDeadLetter) {
		return nil, fmt.Errorf("%w: %s", ErrEnding, to.Id)
	}
	return answer, err
}

// Publish starts a broadcast under the next epoch of its key, owned by the publisher on conn. The
// former epoch ends, unless the policy is to reject the newcomer. The broadcast of a publisher's
// backup, while another node has the other, is beside the key's: see directory.Beside.
func (n *Node) Publish(ctx context.Context, key string, conn *ingest.Conn) error {
	err := n.admit(key, true)
	name, floor := key, uint64(0)
	if err == nil && conn != nil && conn.Role == ingest.Backup {
		name, floor, err = n.join(ctx, key)
	}
	if err == nil {
		err = n.publish(ctx, name, floor, conn)
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", key, err)
	}
	return nil
}

func (n *Node) publish(ctx context.Context, name string, floor uint64, conn *ingest.Conn) error {
	answer, err := n.askFor(ctx, n.tree.pid(directory.Name),
		&directory.Claim{Key: name, Policy: n.tree.Policy, Floor: floor}, n.claimPatience())
	if err != nil {
		return err
	}
	granted, ok := answer.(*directory.Granted)
	if !ok {
		refused, _ := answer.(*directory.Refused)
		return errors.New(refused.Reason)
	}
	start := timeline.Start{DTS: granted.Start, Has: granted.HasStart}
	spec := n.tree.broadcast(name, granted.Epoch, conn, start)
	_, err = n.start(ctx, n.tree.pid(broadcastsName), spec)
	return err
}

// claimPatience is how long a publisher's claim may take.
func (n *Node) claimPatience() time.Duration {
	if n.tree.Cluster.Registrar == nil {
		return patience
	}
	return directory.Patience + time.Second
}

// start has a dynamic supervisor start a child.
func (n *Node) start(
	ctx context.Context, supervisor *actor.PID, spec supervise.Spec,
) (*actor.PID, error) {
	answer, err := n.ask(ctx, supervisor, &supervise.StartChild{Spec: n.tree.spec(spec)})
	if err != nil {
		return nil, err
	}
	switch msg := answer.(type) {
	case *supervise.ChildStarted:
		return msg.PID, nil
	case *supervise.ChildRefused:
		return nil, fmt.Errorf("%w: %s", ErrEnding, msg.Reason)
	}
	return nil, fmt.Errorf("unexpected answer %T", answer)
}

// An edge that is on its way out, as its last viewer left a while ago, makes way for a new one.
const (
	edgeTries = 50
	edgePause = 20 * time.Millisecond
)

// Play gives a viewer to the broadcast's edge, which begins with its first viewer.
func (n *Node) Play(ctx context.Context, key string, socket *edge.Socket) error {
	if err := n.admit(key, false); err != nil {
		return fmt.Errorf("play %s: %w", key, err)
	}
	id := strconv.FormatUint(n.viewers.Add(1), 10)
	rendition := ""
	if socket != nil { // the simulation's viewers have none
		rendition = socket.Rendition
	}
	spec := n.tree.viewer(id, key, rendition, socket)
	viewers := n.tree.pid(edgesName, edgeName(key, rendition), viewersName)
	var err error
	for try := range edgeTries {
		if _, err = n.start(ctx, viewers, spec); err == nil {
			return nil
		}
		if !errors.Is(err, ErrEnding) {
			break
		}
		if try > 0 && !rest(ctx, edgePause) {
			return ctx.Err()
		}
		_, err = n.start(ctx, n.tree.pid(edgesName), n.tree.edge(key, rendition))
		if err != nil && !errors.Is(err, ErrEnding) {
			break
		}
	}
	return fmt.Errorf("play %s: %w", key, err)
}

// rest waits for d or for the end of ctx, and reports which.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Broadcast is what a node tells of a broadcast.
type Broadcast struct {
	directory.Located
	topic.Description
	Viewers int
	// Backup says that it is the second one of a publisher whose first is on another node.
	Backup bool
}

// Broadcasts lists the broadcasts that this node carries.
func (n *Node) Broadcasts() ([]Broadcast, error) {
	ctx := context.Background()
	answer, err := n.ask(ctx, n.tree.pid(directory.Name), &directory.List{})
	if err != nil {
		return nil, err
	}
	listing, ok := answer.(*directory.Listing)
	if !ok {
		return nil, fmt.Errorf("unexpected answer %T", answer)
	}
	var out []Broadcast
	for _, located := range listing.Broadcasts {
		b := Broadcast{Located: located}
		if answer, err := n.ask(ctx, located.Topic, &topic.Describe{}); err == nil {
			if d, ok := answer.(*topic.Description); ok {
				b.Description = *d
			}
		}
		if key, is := directory.BackupOf(b.Key); is {
			b.Key, b.Backup = key, true
		}
		b.Viewers = n.viewersOf(ctx, b.Key)
		out = append(out, b)
	}
	return out, nil
}

// viewersOf counts the viewers of all renditions of a broadcast on this node.
func (n *Node) viewersOf(ctx context.Context, key string) int {
	renditions := []string{""}
	if s, err := n.Settings(ctx, key); err == nil {
		for _, r := range s.Renditions {
			renditions = append(renditions, r.Name)
		}
	}
	count := 0
	for _, rendition := range renditions {
		viewers := n.tree.pid(edgesName, edgeName(key, rendition), viewersName)
		count += n.tree.Runtime.Census.Children(viewers)
	}
	return count
}

// Command has a change of a broadcast's settings carried out, and says from when on it holds. The
// error is a *settings.Refused if the command cannot be carried out as it is.
func (n *Node) Command(ctx context.Context, c settings.Command) (settings.Answer, error) {
	answer, err := n.askFor(ctx, n.tree.pid(settings.Name), &c, commandPatience)
	if err != nil {
		return settings.Answer{}, fmt.Errorf("command %s: %w", c.Key, err)
	}
	switch answer := answer.(type) {
	case *settings.Answer:
		a := *answer
		if s, ok := n.spliced(ctx, c.Key); ok && s.Known && a.Epoch != 0 {
			a.Epoch, a.PTS = s.Epoch, a.PTS+s.Delta
		}
		return a, nil
	case *settings.Refused:
		return settings.Answer{}, answer
	}
	return settings.Answer{}, fmt.Errorf("command %s: unexpected answer %T", c.Key, answer)
}

// Settings returns what is commanded of a broadcast.
func (n *Node) Settings(ctx context.Context, key string) (settings.Settings, error) {
	answer, err := n.ask(ctx, n.tree.pid(settings.Name), &settings.Get{Key: key})
	if err != nil {
		return settings.Settings{}, err
	}
	if current, ok := answer.(*settings.Current); ok {
		return *current.Settings, nil
	}
	return settings.Settings{}, fmt.Errorf("unexpected answer %T", answer)
}

// DrawTree writes the live tree; of more than limit children alike it shows only the first.
func (n *Node) DrawTree(w io.Writer, limit int) error {
	return n.tree.Runtime.Census.DrawLive(w, time.Now(), limit)
}

// DrawDeclared writes the drawing of the tree of every node.
func DrawDeclared(w io.Writer) error {
	silent := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	t := &tree{
		system: actor.NewActorSystem(actor.WithLoggerFactory(silent)), window: &topic.Window{},
		pinned: newHolds(),
	}
	t.fix()
	t.RTMP = []RTMPSocket{{Name: "rtmp"}}
	t.handler.Socket = &listen.ListenSocket{}
	none := func(*supervise.Self) actor.Actor { return nil }
	inCluster := func(ClusterPlace) func(*supervise.Self) actor.Actor { return none }
	t.Links = Links{
		Origins:  []Origin{{Name: "ORIGIN"}},
		Listener: func(LinkPlace) func(*supervise.Self) actor.Actor { return none },
		Dial: func(string, string) (link, dial func(*supervise.Self) actor.Actor) {
			return none, none
		},
	}
	t.Cluster = Cluster{Registrar: inCluster, Wire: inCluster}
	return supervise.Draw(w, t.node())
}

// countDeadLetters counts the messages that found no actor.
func (n *Node) countDeadLetters(reg prometheus.Registerer) {
	letters := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "headwater_dead_letters_total", Help: "Messages to actors that are no more.",
	})
	reg.MustRegister(letters)
	n.tree.system.EventStream.Subscribe(func(event any) {
		if _, ok := event.(*actor.DeadLetterEvent); ok {
			letters.Inc()
		}
	})
}
