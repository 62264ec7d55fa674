package supervise

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/mailbox"
	"github.com/headwater-live/headwater/actors/own"
)

// State is where an actor is in its life.
type State int32

// The states of an actor.
const (
	Starting State = iota
	Running
	Restarting // failed and waiting for its restart, or on its way
	Stopping
	Abandoned // did not stop by its deadline; its supervisor goes on without it
)

// String returns the word of the live tree.
func (s State) String() string {
	return [...]string{"starting", "running", "restarting", "stopping", "abandoned"}[s]
}

// Kind counts what the actors of one kind do, past and present.
type Kind struct {
	Name       string
	Running    atomic.Int64
	Starts     atomic.Uint64
	Restarts   atomic.Uint64
	Failures   atomic.Uint64
	Drops      atomic.Uint64 // messages lost to a mailbox's bound
	EndPanics  atomic.Uint64 // panics while stopping
	Spent      atomic.Uint64 // supervisors that gave up
	Goroutines own.Counts
	messages   durations
}

// Vital is the live entry of one actor.
type Vital struct {
	Spec     *Spec // shared with the declaration; nobody changes it
	parent   *Vital
	runtime  *Runtime
	system   *actor.ActorSystem
	producer actor.MailboxProducer
	mailbox  *mailbox.Stats
	counts   *Kind
	pid      *actor.PID // set when it enters the census
	state    atomic.Int32
	starts   atomic.Int64
	group    atomic.Pointer[own.Group]
	since    atomic.Int64 // Unix nanoseconds of the first Started; 0 before
	failure  atomic.Pointer[string]
	order    uint64 // this and children are guarded by the census
	children int
	ended    func() // told of the root's end; else nil
}

// begun notes that the actor is started for the nth time.
func (v *Vital) begun(n int) {
	v.starts.Store(int64(n))
	if n > 1 {
		v.counts.Restarts.Add(1)
	}
}

// failed notes a failure. Who is to stop anyway is not restarted for it.
func (v *Vital) failed(reason error) {
	text := reason.Error()
	v.failure.Store(&text)
	if State(v.state.Load()) < Stopping {
		v.state.Store(int32(Restarting))
	}
	v.counts.Failures.Add(1)
}

// Census knows every live actor. It asks none of them: what it tells is true of a stuck actor too.
type Census struct {
	mu    sync.Mutex
	kinds map[string]*Kind
	live  map[string]*Vital // by PID
	order uint64
}

// NewCensus returns an empty census.
func NewCensus() *Census {
	return &Census{kinds: map[string]*Kind{}, live: map[string]*Vital{}}
}

func (c *Census) kind(name string) *Kind {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kinds[name]
	if k == nil {
		k = &Kind{Name: name}
		c.kinds[name] = k
	}
	return k
}

// Kinds returns the counts of every kind that has had an actor, by name.
func (c *Census) Kinds() []*Kind {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*Kind, 0, len(c.kinds))
	for _, k := range c.kinds {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *Kind) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Len is how many actors live.
func (c *Census) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.live)
}

// PIDs returns the identities of the live actors of a kind.
func (c *Census) PIDs(kind string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for id, v := range c.live {
		if v.Spec.Kind == kind {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// enter notes an actor's incarnation.
func (c *Census) enter(pid *actor.PID, v *Vital) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live[pid.Id] == v {
		return
	}
	c.order++
	v.order, v.pid = c.order, pid
	v.since.Store(time.Now().UnixNano())
	c.live[pid.Id] = v
	v.counts.Running.Add(1)
	v.counts.Starts.Add(1)
	if v.parent != nil {
		v.parent.children++
	}
}

// leave notes an actor's end.
func (c *Census) leave(pid *actor.PID, v *Vital) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live[pid.Id] == v {
		delete(c.live, pid.Id)
		v.counts.Running.Add(-1)
		if v.parent != nil {
			v.parent.children--
		}
	}
}

// Children is how many children the actor of a PID has.
func (c *Census) Children(pid *actor.PID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.live[pid.Id]; v != nil {
		return v.children
	}
	return 0
}
