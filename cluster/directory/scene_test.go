package directory

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/membership"
)

func quiet() *slog.Logger {
	if os.Getenv("HEADWATER_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.DiscardHandler)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for begin := time.Now(); !so(); <-time.After(5 * time.Millisecond) {
		if time.Since(begin) > 15*time.Second {
			t.Fatalf("%s: not in time", what)
		}
	}
}

// scene is an etcd and the nodes of a cluster.
type scene struct {
	t       testing.TB
	options membership.ServerOptions
	server  *membership.Server
}

func newScene(t testing.TB) *scene {
	s := &scene{t: t, options: membership.ServerOptions{
		Dir:    filepath.Join(t.TempDir(), "etcd"),
		Listen: freeAddress(t), Peer: freeAddress(t), Log: quiet(),
	}}
	t.Cleanup(s.stop)
	s.start()
	return s
}

func (s *scene) start() {
	s.t.Helper()
	server, err := membership.StartServer(s.t.Context(), s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = server
}

func (s *scene) stop() {
	if s.server != nil {
		s.server.Close()
		s.server = nil
	}
}

func (s *scene) client() *membership.Client {
	s.t.Helper()
	metrics, err := membership.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := membership.NewClient(membership.ClientOptions{
		Endpoints: []string{"http://" + s.options.Listen}, Log: quiet(), Metrics: metrics,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// member is a node whose directory, settings, links and pins are the test.
type member struct {
	s       *scene
	name    string
	system  *actor.ActorSystem
	root    *actor.PID
	options Options
	stopped bool

	mu       sync.Mutex
	places   map[string]*local.Places
	outdated []*local.Outdated
	children []string // that run
	adopted  map[string]uint64
	ladder   []string // of every key
	vanished []string // keys whose settings are gone from etcd
}

// join starts a node. change may change its options.
func (s *scene) join(name string, change func(*Options)) *member {
	s.t.Helper()
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		s.t.Fatal(err)
	}
	c, keys := s.client(), NewKeys("test")
	m := &member{
		s: s, name: name, places: map[string]*local.Places{}, adopted: map[string]uint64{},
		system: actor.NewActorSystem(actor.WithLoggerFactory(
			func(*actor.ActorSystem) *slog.Logger { return quiet() })),
		options: Options{
			Client: c, Keys: keys, Store: NewStore(c, keys, name), Grace: 2 * time.Second,
			Metrics: metrics,
			Node: Node{
				Name: name, ID: fmt.Sprintf("%s-%d", name, time.Now().UnixNano()), Protocol: Protocol,
				Roles: []string{RoleOrigin, RoleEdge}, Link: "127.0.0.1:1", RTMP: name + ":1935",
				State: Ready, Since: time.Now(),
			},
		},
	}
	m.options.Adopt = func(_ context.Context, key string, version uint64, _ []byte) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.adopted[key] = version
		return nil
	}
	if change != nil {
		change(&m.options)
	}
	m.begin()
	return m
}

func (m *member) begin() {
	m.s.t.Helper()
	pid := func(name string) *actor.PID { return m.system.NewLocalPID("node/" + name) }
	place := actors.ClusterPlace{
		Directory: pid("directory"), Settings: pid("settings"), Registrar: pid(Name),
		Out: pid("out"), Pins: pid("pins"),
		LinkTo: func(node, _ string, n int) (supervise.Spec, *actor.PID) {
			name := fmt.Sprintf("to/%s.%d", node, n)
			return supervise.Spec{Name: name}, pid("out/" + name + "/link")
		},
		Pin: func(key, rendition, who string) supervise.Spec {
			return supervise.Spec{Name: "pin/" + key + "@" + rendition + "/" + who}
		},
		Splice: func(key, rendition string) supervise.Spec {
			return supervise.Spec{Name: "splice/" + key + "@" + rendition}
		},
		Quiet: func(string, bool) {},
	}
	child := func(name string, fn actor.ReceiveFunc) supervise.Spec {
		return supervise.Spec{
			Name: name, Kind: name, New: func(*supervise.Self) actor.Actor { return fn },
		}
	}
	spec := supervise.Spec{
		Name: "node", Kind: "node", Strategy: supervise.OneForOne,
		Children: []supervise.Spec{
			child("directory", m.directory), child("settings", m.settings),
			child("out", m.supervisor), child("pins", m.supervisor),
			{Name: Name, Kind: "registrar", New: NewRegistrar(m.options)(place), Mailbox: 4096},
		},
	}
	rt := &supervise.Runtime{Census: supervise.NewCensus(), Log: quiet()}
	root, err := rt.Start(m.system, spec, func(err error) { m.s.t.Errorf("spent: %v", err) })
	if err != nil {
		m.s.t.Fatal(err)
	}
	m.root = root
	m.s.t.Cleanup(m.leave)
	eventually(m.s.t, m.name+" is up", func() bool {
		_, err := m.system.Root.RequestFuture(m.registrar(), &GetView{}, time.Second).Result()
		return err == nil
	})
}

// leave stops the node as an operator would.
func (m *member) leave() {
	if m.stopped {
		return
	}
	m.stopped = true
	if err := m.system.Root.StopFuture(m.root).Wait(); err != nil {
		m.s.t.Error(err)
	}
}

func (m *member) directory(ctx actor.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch msg := ctx.Message().(type) {
	case *local.Places:
		m.places[msg.Key] = msg
	case *local.Outdated:
		m.outdated = append(m.outdated, msg)
	}
}

func (m *member) settings(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *settings.Vanished:
		m.mu.Lock()
		m.vanished = append(m.vanished, msg.Key)
		m.mu.Unlock()
	case *settings.Get:
		s := &settings.Settings{}
		m.mu.Lock()
		for _, name := range m.ladder {
			s.Renditions = append(s.Renditions, settings.Rendition{Name: name})
		}
		m.mu.Unlock()
		ctx.Respond(&settings.Current{Key: msg.Key, Settings: s})
	}
}

func (m *member) supervisor(ctx actor.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch msg := ctx.Message().(type) {
	case *supervise.StartChild:
		m.children = append(m.children, msg.Spec.Name)
		ctx.Respond(&supervise.ChildStarted{
			PID: m.system.NewLocalPID(ctx.Self().Id + "/" + msg.Spec.Name),
		})
	case *supervise.StopChild:
		m.children = slices.DeleteFunc(m.children, func(c string) bool { return c == msg.Name })
	}
}

func (m *member) registrar() *actor.PID { return m.system.NewLocalPID("node/" + Name) }

func (m *member) tell(msg any) { m.system.Root.Send(m.registrar(), msg) }

func (m *member) ask(question any) any {
	m.s.t.Helper()
	answer, err := m.system.Root.RequestFuture(m.registrar(), question, 5*time.Second).Result()
	if err != nil {
		m.s.t.Fatalf("%s: %T: %v", m.name, question, err)
	}
	return answer
}

func (m *member) view() *View {
	m.s.t.Helper()
	v, ok := m.ask(&GetView{}).(*View)
	if !ok {
		m.s.t.Fatal("no view")
	}
	return v
}

// claim asks for an epoch, which is 0 with a reason if there is none.
func (m *member) claim(key string, policy local.Policy) (*local.Reserved, string) {
	m.s.t.Helper()
	switch answer := m.ask(&local.Reserve{Key: key, Policy: policy, Turn: 1}).(type) {
	case *local.Reserved:
		return answer, ""
	case *local.Unreserved:
		return nil, answer.Reason
	}
	return nil, "?"
}

// publish claims a key and carries it.
func (m *member) publish(key string) uint64 {
	m.s.t.Helper()
	r, reason := m.claim(key, local.Takeover)
	if r == nil {
		m.s.t.Fatalf("%s: %s: %s", m.name, key, reason)
	}
	m.tell(&local.Here{Key: key, Epoch: r.Epoch, Publishing: true})
	return r.Epoch
}

// nodes are where the directory was told that a key is.
func (m *member) nodes(key string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.places[key]
	if p == nil {
		return "?"
	}
	var names []string
	for _, place := range p.Places {
		names = append(names, place.Node)
	}
	return strings.Join(names, " ")
}

func (m *member) running() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(m.children)), " ")
}

// together waits until each knows all.
func (s *scene) together(all ...*member) {
	s.t.Helper()
	for _, m := range all {
		eventually(s.t, m.name+" knows all", func() bool {
			v := m.view()
			return v.Held && v.Synced && len(v.Nodes) == len(all)
		})
	}
}
