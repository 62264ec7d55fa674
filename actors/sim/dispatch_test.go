package sim

import (
	"math/rand/v2"
	"sync"
	"time"
	"unsafe"
)

// dispatcher runs mailboxes one message at a time, in an order drawn from a seed. Whoever has
// something to run waits in it until the driver takes a step.
type dispatcher struct {
	rng    *rand.Rand
	skewed bool          // some mailboxes are faster than others
	wake   chan struct{} // has a token when there is something to run

	mu      sync.Mutex
	ready   []task
	names   map[task]string // which actor a mailbox is of, known from its first step on
	weights map[task]float64
	starved map[string]time.Time // actors that get no turn, until when
	fns     map[task]func()

	running task
}

// task tells one mailbox's function from another's: functions have no identity, closures have an
// address. It keeps the closure alive, so that no other gets the address.
type task unsafe.Pointer

func newDispatcher(rng *rand.Rand) *dispatcher {
	return &dispatcher{
		rng: rng, skewed: rng.IntN(2) == 0, wake: make(chan struct{}, 1),
		names: map[task]string{}, weights: map[task]float64{}, starved: map[string]time.Time{},
		fns: map[task]func(){},
	}
}

// Schedule implements actor.Dispatcher.
func (d *dispatcher) Schedule(fn func()) {
	key := task(*(*unsafe.Pointer)(unsafe.Pointer(&fn)))
	d.mu.Lock()
	d.fns[key] = fn
	d.ready = append(d.ready, key)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Throughput implements actor.Dispatcher.
func (d *dispatcher) Throughput() int { return 1 << 30 }

// step runs one message of one mailbox, if there is one that may run now.
func (d *dispatcher) step(now time.Time) bool {
	fn := d.take(now)
	if fn == nil {
		return false
	}
	fn()
	return true
}

func (d *dispatcher) take(now time.Time) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.choose(now)
	if i < 0 {
		return nil
	}
	key := d.ready[i]
	d.ready = append(d.ready[:i], d.ready[i+1:]...)
	d.running = key
	return d.fns[key]
}

// choose draws one of those that are ready, -1 for none.
func (d *dispatcher) choose(now time.Time) int {
	n := len(d.ready)
	if n == 0 {
		return -1
	}
	i := d.rng.IntN(n)
	if d.skewed {
		if j := d.rng.IntN(n); d.weight(j) > d.weight(i) && d.rng.IntN(8) > 0 {
			i = j
		}
	}
	for k := range n {
		if at := (i + k) % n; !d.hungry(d.ready[at], now) {
			return at
		}
	}
	return -1
}

func (d *dispatcher) weight(i int) float64 {
	w, ok := d.weights[d.ready[i]]
	if !ok {
		w = d.rng.Float64()
		d.weights[d.ready[i]] = w
	}
	return w
}

func (d *dispatcher) hungry(key task, now time.Time) bool {
	name := d.names[key]
	return name != "" && now.Before(d.starved[name])
}

// identify tells whose message is being handled.
func (d *dispatcher) identify(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[d.running] = name
}

// starve gives an actor no turn until then.
func (d *dispatcher) starve(name string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.starved[name] = until
}

// fed returns when the next starved actor may run again; the zero time when none is starved.
func (d *dispatcher) fed(now time.Time) (at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, until := range d.starved {
		switch {
		case !now.Before(until):
			delete(d.starved, name)
		case at.IsZero() || until.Before(at):
			at = until
		}
	}
	return at
}
