package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/membership"
	"github.com/headwater-live/headwater/codec/media"
)

// TestStandbyAndPlaces has a broadcast on one of three nodes: another is its standby, and whoever
// asks is told of both. Then the active node leaves.
func TestStandbyAndPlaces(t *testing.T) {
	s := newScene(t)
	a, b, c := s.join("a", nil), s.join("b", nil), s.join("c", nil)
	a.ladder = []string{"480p"}
	s.together(a, b, c)
	epoch := a.publish("live/k")
	standby, edge := b, c
	want := ChooseStandby(a.view(), "live/k", "a")
	if want == "c" {
		standby, edge = c, b
	}
	edge.tell(&local.Locate{Key: "live/k"})
	eventually(t, "the places", func() bool { return edge.nodes("live/k") == "a "+want })
	pins := "pin/live/k@/standby pin/live/k@480p/standby"
	eventually(t, "the pins", func() bool { return standby.running() == pins })
	eventually(t, "the record", func() bool {
		r := edge.view().Of("live/k", want)
		return r != nil && r.Role == Standby && r.Epoch == epoch && slices.Equal(r.Renditions, a.ladder)
	})

	// The standby drains: another takes its place.
	if set, _ := standby.ask(&SetState{Draining}).(*StateSet); set == nil || set.State != Draining {
		t.Error("not draining")
	}
	eventually(t, "another standby", func() bool {
		return strings.HasPrefix(edge.running(), pins+" ")
	})
	eventually(t, "no standby any more", func() bool { return standby.running() == "" })
	if _, reason := standby.claim("live/new", local.Takeover); !strings.Contains(reason, "draining") ||
		!strings.Contains(reason, "rtmp://") {
		t.Errorf("a draining node: %q", reason)
	}

	// The active node goes: what it had stays for the grace time.
	a.leave()
	eventually(t, "unpinned", func() bool { return !strings.Contains(edge.running(), "pin/") })
	eventually(t, "nobody has it", func() bool { return edge.view().Broadcasts["live/k"] == nil })
	if edge.view().Nodes["a"] != nil {
		t.Error("its record stays")
	}
}

// TestTwoClaimAtOnce has two nodes claim one key at the same time, again and again.
func TestTwoClaimAtOnce(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	const rounds = 200
	var took []time.Duration
	seen := map[uint64]bool{}
	last := uint64(0)
	for range rounds {
		var wg sync.WaitGroup
		var epochs [2]uint64
		var durations [2]time.Duration
		for i, m := range []*member{a, b} {
			wg.Add(1)
			go func() {
				defer wg.Done()
				begin := time.Now()
				if r, _ := m.claim("live/k", local.Takeover); r != nil {
					epochs[i], durations[i] = r.Epoch, time.Since(begin)
				}
			}()
		}
		wg.Wait()
		took = append(took, durations[:]...)
		for _, e := range epochs {
			if e == 0 || seen[e] || e <= last {
				t.Fatalf("epochs %v after %d", epochs, last)
			}
			seen[e] = true
		}
		last = max(epochs[0], epochs[1])
	}
	slices.Sort(took)
	t.Logf("claims of two at once: p50 %v, p99 %v", took[len(took)/2], took[len(took)*99/100])
}

func TestRejectWhileAnotherPublishes(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	epoch := a.publish("k")
	eventually(t, "the record", func() bool { return b.view().Active("k") != nil })
	if r, reason := b.claim("k", local.Reject); r != nil || !strings.Contains(reason, "on node a") {
		t.Errorf("%+v, %q", r, reason)
	}
	a.tell(&local.Here{Key: "k", Epoch: epoch, Publishing: false})
	eventually(t, "the record", func() bool { return !b.view().Active("k").Publishing })
	if r, reason := b.claim("k", local.Reject); r == nil || r.Epoch <= epoch {
		t.Errorf("%+v, %q", r, reason)
	}
}

// TestTakeover has a publisher come to another node: the former one is outdated, says how far it
// came, and the newest settings are adopted.
func TestTakeover(t *testing.T) {
	s := newScene(t)
	a := s.join("a", nil)
	b := s.join("b", func(o *Options) {
		o.Ask = func(_ context.Context, node Node, key string) (State, error) {
			if node.Name != "a" {
				return State{}, errors.New("who?")
			}
			return State{
				Epoch: 1, Last: media.Time(7), HasLast: true, At: time.Unix(9, 0),
				SettingsVersion: 3, Settings: []byte(`{}`),
			}, nil
		}
	})
	s.together(a, b)
	first := a.publish("k")
	eventually(t, "the record", func() bool { return b.view().Active("k") != nil })
	store := a.options.Store
	if _, _, err := store.StoreSettings(t.Context(), "k", 0, 2, []byte(`{"blur":1}`)); err != nil {
		t.Fatal(err)
	}
	r, reason := b.claim("k", local.Takeover)
	if r == nil || r.Epoch <= first || r.Last != 7 || !r.HasLast || r.LastTime.Unix() != 9 {
		t.Fatalf("%+v, %q", r, reason)
	}
	if b.adopted["k"] != 3 {
		t.Errorf("adopted version %d", b.adopted["k"])
	}
	b.tell(&local.Here{Key: "k", Epoch: r.Epoch, Publishing: true})
	eventually(t, "outdated", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.outdated) == 1 && a.outdated[0].Epoch == r.Epoch && a.outdated[0].Node == "b"
	})
	a.tell(&local.NotHere{Key: "k", Epoch: first})
	eventually(t, "a is the standby now", func() bool { return a.running() == "pin/k@/standby" })
}

// TestTheDeadAreNotWaitedFor has a node that carried a key say nothing: a claim waits for it as
// long as nobody else knows how far the broadcast came, and not much longer than for who does.
func TestTheDeadAreNotWaitedFor(t *testing.T) {
	s := newScene(t)
	knows := make(chan struct{})
	ask := func(ctx context.Context, node Node, _ string) (State, error) {
		select {
		case <-knows:
			if node.Name != "a" {
				return State{Epoch: 1 << 62, Last: 7, HasLast: true}, nil
			}
		default:
		}
		<-ctx.Done()
		return State{}, ctx.Err()
	}
	a, b := s.join("a", nil), s.join("b", nil)
	c := s.join("c", func(o *Options) { o.Ask = ask })
	s.together(a, b, c)
	a.publish("k")
	eventually(t, "the standby", func() bool { return len(c.view().Broadcasts["k"]) == 2 })
	claim := func() time.Duration {
		began := time.Now()
		if r, reason := c.claim("k", local.Takeover); r == nil {
			t.Error(reason)
		}
		return time.Since(began)
	}
	if took := claim(); took < askTime {
		t.Errorf("it waits for %v for those who may know", took)
	}
	close(knows)
	if took := claim(); took < tailAsk || took > tailAsk+askRest {
		t.Errorf("it waits for %v for the dead", took)
	}
}

// TestSettingsVanish has an etcd lose what was commanded: whoever has it still is told.
func TestSettingsVanish(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	store := a.options.Store
	if _, _, err := store.StoreSettings(t.Context(), "k", 0, 2, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	b.publish("k") // by the time that this is seen, what was stored before is
	eventually(t, "the record", func() bool {
		return a.view().Active("k") != nil && b.view().Active("k") != nil
	})
	s.stop()
	s.options.Dir = t.TempDir()
	s.start()
	for _, m := range []*member{a, b} {
		eventually(t, m.name+" is told", func() bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return slices.Equal(m.vanished, []string{"k"})
		})
	}
}

// TestTail has a publisher come from another node without a gap: he is taken once what he last sent
// there has had its time to arrive, and at once if he was away for longer.
func TestTail(t *testing.T) {
	s := newScene(t)
	a := s.join("a", nil)
	var sent atomic.Pointer[time.Time]
	b := s.join("b", func(o *Options) {
		o.Ask = func(context.Context, Node, string) (State, error) {
			return State{HasLast: true, At: *sent.Load()}, nil
		}
	})
	s.together(a, b)
	a.publish("k")
	eventually(t, "the record", func() bool { return b.view().Active("k") != nil })
	for _, ago := range []time.Duration{0, 0, time.Hour} {
		at := time.Now().Add(-ago)
		sent.Store(&at)
		if r, reason := b.claim("k", local.Takeover); r == nil {
			t.Fatal(reason)
		}
		if took := time.Since(at); took < tailTime {
			t.Errorf("granted %v after the last", took)
		}
		if took := time.Since(at.Add(ago)); ago > 0 && took > 10*tailTime {
			t.Errorf("granted after %v, for nothing", took)
		}
	}
}

// TestEtcdIsAway stops etcd for longer than the lease: nothing that is known is forgotten, claims
// are refused with a reason, and all comes back by itself.
func TestEtcdIsAway(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	a.publish("k")
	b.tell(&local.Locate{Key: "k"})
	eventually(t, "the places", func() bool { return b.nodes("k") == "a" })
	s.stop()
	eventually(t, "lost", func() bool { return !a.view().Held && !b.view().Held })
	if r, reason := b.claim("new", local.Takeover); r != nil || reason != reasonUnreachable {
		t.Errorf("%+v, %q", r, reason)
	}
	if b.nodes("k") != "a" {
		t.Errorf("places %q", b.nodes("k"))
	}
	a.tell(&local.Here{Key: "meanwhile", Epoch: 5, Publishing: true})
	s.start()
	s.together(a, b)
	eventually(t, "what came meanwhile", func() bool { return b.view().Active("meanwhile") != nil })
	if b.nodes("k") != "a" {
		t.Errorf("places %q", b.nodes("k"))
	}
	if r, reason := b.claim("new", local.Takeover); r == nil {
		t.Error(reason)
	}
}

// TestGhost has a node cut off from etcd while its broadcast goes on: it is followed on.
func TestGhost(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	epoch := a.publish("k")
	b.tell(&local.Locate{Key: "k"})
	eventually(t, "the places", func() bool { return b.nodes("k") == "a" })
	_ = a.options.Client.Close() // which ends its keepalives
	eventually(t, "its record is gone", func() bool { return b.view().Nodes["a"] == nil })
	if b.nodes("k") != "a" {
		t.Errorf("places %q", b.nodes("k"))
	}
	if r := b.publish("k"); r <= epoch {
		t.Errorf("epoch %d after %d", r, epoch)
	}
	eventually(t, "no ghost any more", func() bool { return b.nodes("k") == "" })
}

// TestNodeComesBack has a node restart under its name: there is another link to it.
func TestNodeComesBack(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	a.publish("k")
	b.tell(&local.Locate{Key: "k"})
	eventually(t, "the places", func() bool { return b.nodes("k") == "a" && b.running() != "" })
	link := b.running()
	a.leave()
	a = s.join("a", nil)
	a.publish("k")
	eventually(t, "another link", func() bool {
		now := b.running()
		return now != link && strings.Contains(now, "to/a.") && !strings.Contains(now, link) &&
			b.nodes("k") == "a"
	})
}

// TestRegistrarRestarts has the actor crash: what it was told is known to the next one.
func TestRegistrarRestarts(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	a.publish("k")
	b.tell(&local.Locate{Key: "k"})
	eventually(t, "the places", func() bool { return b.nodes("k") == "a" })
	a.tell(&supervise.Crash{Reason: "a drill"})
	b.tell(&supervise.Crash{Reason: "a drill"})
	s.together(a, b)
	eventually(t, "the record", func() bool { return b.view().Active("k") != nil })
	links := strings.Fields(b.running())
	if b.nodes("k") != "a" || !slices.Contains(links, "to/a.1") {
		t.Errorf("places %q, children %v", b.nodes("k"), links)
	}
	if r, reason := b.claim("k", local.Takeover); r == nil {
		t.Error(reason)
	}
}

// TestTwins has two processes of one name: the first says what is wrong, and is back when the other
// has gone.
func TestTwins(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil), s.join("b", nil)
	s.together(a, b)
	a.publish("k")
	twin := s.join("a", nil)
	eventually(t, "the first says so", func() bool {
		_, reason := a.claim("k", local.Takeover)
		return strings.Contains(reason, "has the name a too")
	})
	if r, reason := twin.claim("l", local.Takeover); r == nil {
		t.Errorf("the second: %s", reason)
	}
	twin.leave()
	eventually(t, "the first is back", func() bool {
		r, _ := a.claim("k", local.Takeover)
		return r != nil && b.view().Nodes["a"] != nil
	})

	// Somebody takes a record away.
	if _, err := a.options.Client.Txn(t.Context(), membership.Write, nil, []clientv3.Op{
		clientv3.OpDelete(a.options.Keys.Broadcast("k", "a")),
	}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is there again", func() bool { return b.view().Of("k", "a") != nil })
}

func TestFullNodeNamesAnother(t *testing.T) {
	s := newScene(t)
	a := s.join("a", func(o *Options) { o.Node.Limit = 1 })
	b := s.join("b", nil)
	s.together(a, b)
	a.publish("one")
	if r, _ := a.claim("one", local.Takeover); r == nil {
		t.Error("a full node refuses what it has")
	}
	_, reason := a.claim("two", local.Takeover)
	if want := "node a is full; publish to node b, rtmp://b:1935"; reason != want {
		t.Errorf("%q, not %q", reason, want)
	}
}

func TestSettingsByVersion(t *testing.T) {
	s := newScene(t)
	a, b := s.join("a", nil).options.Store, s.join("b", nil).options.Store
	ctx := t.Context()
	if v, data, err := a.LoadSettings(ctx, "k"); v != 0 || data != nil || err != nil {
		t.Errorf("%d %q %v", v, data, err)
	}
	if _, _, err := a.StoreSettings(ctx, "k", 4, 5, []byte(`{"x": 1}`)); err != nil {
		t.Fatal(err)
	}
	if v, _, err := a.StoreSettings(ctx, "k", 4, 5, []byte(`{"x":1}`)); v != 5 || err != nil {
		t.Errorf("the same again: version %d, %v", v, err)
	}
	for _, version := range []uint64{5, 6} {
		v, data, err := b.StoreSettings(ctx, "k", 4, version, []byte(`{"x":2}`))
		if v != 5 || string(data) != `{"x":1}` || err != nil {
			t.Errorf("on what is there no more: version %d, %q, %v", v, data, err)
		}
	}
	if v, _, err := b.StoreSettings(ctx, "k", 5, 6, []byte(`{"x":2}`)); v != 6 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
	if v, data, err := a.LoadSettings(ctx, "k"); v != 6 || string(data) != `{"x":2}` || err != nil {
		t.Errorf("%d %q %v", v, data, err)
	}
	for _, bad := range []string{"", "{", fmt.Sprintf("%q", strings.Repeat("x", SettingsMax))} {
		if _, _, err := a.StoreSettings(ctx, "k", 6, 9, []byte(bad)); !errors.Is(err, ErrRecord) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	var wg sync.WaitGroup
	won := make(chan int, 20)
	for i := range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			store := []*Store{a, b}[i%2]
			mine := fmt.Sprint(i)
			if _, kept, err := store.StoreSettings(ctx, "k", 6, 7, []byte(mine)); err == nil &&
				string(kept) == mine {
				won <- i
			}
		}()
	}
	wg.Wait()
	_, data, err := a.LoadSettings(ctx, "k")
	if len(won) != 1 || err != nil || string(data) != fmt.Sprint(<-won) {
		t.Errorf("%d won; %q is there, %v", len(won), data, err)
	}
}

// TestSeenByOthers measures how long it takes from the start of a node to others knowing it.
func TestSeenByOthers(t *testing.T) {
	s := newScene(t)
	a := s.join("a", nil)
	s.together(a)
	var took []time.Duration
	for i := range 10 {
		begin := time.Now()
		name := fmt.Sprintf("b%d", i)
		b := s.join(name, nil)
		eventually(t, "seen", func() bool { return a.view().Nodes[name] != nil })
		took = append(took, time.Since(begin))
		b.leave()
		eventually(t, "gone", func() bool { return a.view().Nodes[name] == nil })
	}
	slices.Sort(took)
	t.Logf("seen after %v (median), %v (most)", took[len(took)/2], took[len(took)-1])

	took = nil
	for i := range 200 {
		begin := time.Now()
		if r, reason := a.claim(fmt.Sprintf("k%d", i), local.Takeover); r == nil {
			t.Fatal(reason)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("claims: p50 %v, p99 %v", took[len(took)/2], took[len(took)*99/100])
}
