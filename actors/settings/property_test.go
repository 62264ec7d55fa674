package settings

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// shelf is what is kept for all nodes.
type shelf struct {
	away    bool
	version uint64
	data    []byte
	t       *testing.T
}

// store keeps data if what is kept is of the version base, and tells what is kept otherwise.
func (s *shelf) store(st *Store) (ok bool, other *Adopt) {
	if s.version == st.Version && string(s.data) == string(st.Data) {
		return true, nil
	}
	if s.version != st.Base {
		return false, &Adopt{Key: st.Key, Version: s.version, Data: s.data, Stored: true}
	}
	if st.Version <= s.version {
		s.t.Fatalf("version %d is stored over %d", st.Version, s.version)
	}
	s.version, s.data = st.Version, st.Data
	return true, nil
}

// peer is one node of the property test.
type peer struct {
	name    string
	m       *machine
	stores  []*Store
	kept    []*Kept
	version uint64          // the latest that its follower was told
	acked   map[string]bool // whether it is kept beyond this node
}

// cluster is two nodes, each the other's standby, and what is between them.
type cluster struct {
	t     *testing.T
	rng   *rand.Rand
	shelf *shelf
	peers [2]*peer
	cut   bool // between the nodes
	now   time.Time
	n     int
	want  map[string]bool // commands that must not be lost
}

func (c *cluster) newPeer(name string) *peer {
	p := &peer{
		name: name, acked: map[string]bool{},
		m: newMachine(Options{Node: name, Keeper: who("keeper")}),
	}
	p.m.follow(&Follow{Key: "k", Epoch: 1, Follower: who("gate")}, c.now)
	return p
}

// drain takes what a node sends.
func (c *cluster) drain(p *peer) {
	for {
		out := p.m.out.Take()
		if len(out) == 0 {
			return
		}
		for _, o := range out {
			switch msg := o.Msg.(type) {
			case *Store:
				p.stores = append(p.stores, msg)
			case *Current:
				if v := msg.Settings.Version; v < p.version {
					c.t.Fatalf("%s: version %d after %d", p.name, v, p.version)
				}
				p.version = msg.Settings.Version
				p.m.held(&Held{Key: "k", Version: p.version, Epoch: 1, State: Live})
			case *Answer:
				kept := !strings.Contains(msg.Note, "not kept")
				p.acked[msg.ID] = kept
				if kept {
					c.want[msg.ID] = true
				}
			case error:
				c.t.Fatal(msg)
			}
		}
	}
}

// keep is what the keeper of a node does with one of its questions.
func (c *cluster) keep(p *peer) {
	if len(p.stores) == 0 {
		return
	}
	i := c.rng.IntN(len(p.stores))
	st := p.stores[i]
	p.stores = slices.Delete(p.stores, i, i+1)
	k := &Kept{Key: "k", Version: st.Version, Turn: st.Turn, Reason: "away"}
	if !c.shelf.away {
		ok, other := c.shelf.store(st)
		if k.Stored = ok; other != nil {
			k.Others = append(k.Others, *other)
		}
	}
	if !c.cut && len(k.Others) == 0 {
		c.mirror(p, st, k)
	}
	p.kept = append(p.kept, k)
}

func (c *cluster) mirror(p *peer, st *Store, k *Kept) {
	other := c.peers[0]
	if other == p {
		other = c.peers[1]
	}
	got := other.m.merge(&Adopt{
		Key: "k", Version: st.Version, Data: st.Mirror, Stored: k.Stored,
	}, other.m.entry("k", c.now), c.now)
	if got.Reason != "" {
		c.t.Fatal(got.Reason)
	}
	if got.Version > st.Version {
		k.Others = append(k.Others, Adopt{Key: "k", Version: got.Version, Data: got.Data})
	} else {
		k.Mirrored = true
	}
}

func (c *cluster) answer(p *peer, lose bool) {
	if len(p.kept) == 0 {
		return
	}
	i := c.rng.IntN(len(p.kept))
	k := p.kept[i]
	p.kept = slices.Delete(p.kept, i, i+1)
	if !lose {
		p.m.kept(k, c.now)
	}
}

func (c *cluster) command(p *peer) {
	c.n++
	change := [...]Change{
		SetMute{c.n%2 == 0},
		SetPolicy{c.n%3 == 0},
		SetBlur{Blur{Mode: Mode(c.n % 4)}},
		SetRenditions{[]Rendition{{Name: fmt.Sprint("r", c.n)}}},
	}[c.rng.IntN(4)]
	p.m.command(&Command{ID: fmt.Sprint(c.n), Key: "k", Change: change}, who("asker"), c.now)
}

func (c *cluster) step() {
	p := c.peers[c.rng.IntN(2)]
	switch c.rng.IntN(20) {
	case 0, 1, 2:
		if c.n < maxDone-4 {
			c.command(p)
		}
	case 3:
		c.shelf.away = !c.shelf.away
	case 4:
		c.cut = !c.cut
	case 5:
		c.answer(p, true)
	case 6:
		p.m.restart()
		p.m.follow(&Follow{Key: "k", Epoch: 1, Follower: who("gate")}, c.now)
	case 7, 8:
		c.now = c.now.Add(time.Second)
		p.m.again(c.now)
		p.m.overdue(c.now)
	case 9:
		if c.rng.IntN(10) == 0 {
			c.crash(p)
		}
	case 10, 11, 12, 13, 14:
		c.keep(p)
	default:
		c.answer(p, false)
	}
	for _, p := range c.peers {
		c.drain(p)
	}
}

// crash has a node come back without a memory, where the other has what it had acknowledged: two
// that fail at once are one failure too many.
func (c *cluster) crash(p *peer) {
	other := c.peers[0]
	if other == p {
		other = c.peers[1]
	}
	stored := &record{}
	if c.shelf.version > 0 {
		stored, _ = decode(c.shelf.data)
	}
	for id := range c.want {
		e := other.m.entries["k"]
		if !stored.has(id) && (e == nil || !e.has(id)) {
			return
		}
	}
	for i := range c.peers {
		if c.peers[i] == p {
			c.peers[i] = c.newPeer(p.name)
		}
	}
}

// settleAll has everything work until nothing is left to do.
func (c *cluster) settleAll() {
	c.shelf.away, c.cut = false, false
	for range 200 {
		c.now = c.now.Add(lost)
		for _, p := range c.peers {
			p.m.again(c.now)
			c.drain(p)
			c.keep(p)
			c.answer(p, false)
			c.drain(p)
		}
	}
}

// TestNothingAcknowledgedIsLost has two nodes take commands for a key while what keeps them comes
// and goes, answers are lost and overtake each other, and nodes die.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	for seed := range uint64(2000) {
		c := &cluster{
			t: t, rng: rand.New(rand.NewPCG(seed, 5)), shelf: &shelf{t: t},
			now: time.Unix(1000, 0), want: map[string]bool{},
		}
		c.peers = [2]*peer{c.newPeer("a"), c.newPeer("b")}
		for range 400 {
			c.step()
		}
		c.settleAll()
		if len(c.want) == 0 && c.shelf.version == 0 {
			continue
		}
		final, err := decode(c.shelf.data)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for id := range c.want {
			if !final.has(id) {
				t.Fatalf("seed %d: command %s was acknowledged and is lost; done %v", seed, id, final.done)
			}
		}
		done := slices.Sorted(slices.Values(final.done))
		if len(slices.Compact(done)) != len(final.done) {
			t.Fatalf("seed %d: a command was carried out twice: %v", seed, final.done)
		}
		for _, p := range c.peers {
			if e := p.m.entries["k"]; e != nil && e.unstored {
				t.Fatalf("seed %d: %s has something to store for ever", seed, p.name)
			}
		}
	}
}
