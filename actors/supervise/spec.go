package supervise

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Restart says what its supervisor does about a child that has ended.
type Restart uint8

const (
	// Permanent children are always started again. Whoever owns only state is permanent.
	Permanent Restart = iota
	// Transient children are started again after a failure, not after a normal end. Whoever
	// follows something that can come to an end is transient.
	Transient
	// Temporary children are never started again. Whoever owns a socket is temporary.
	Temporary
)

// String returns the word of the drawing.
func (r Restart) String() string { return [...]string{"permanent", "transient", "temporary"}[r] }

// Strategy says what a supervisor does about its other children when one has failed.
type Strategy uint8

const (
	// Worker is no supervisor: it has no children.
	Worker Strategy = iota
	// OneForOne restarts the failed child alone.
	OneForOne
	// RestForOne restarts the failed child and those declared after it, as they depend on it:
	// they stop last first and start first to last. A child that declares Rebind is not
	// restarted but told (see Rebind).
	RestForOne
	// Dynamic supervises any number of children that are started and ended while it runs, each
	// alone.
	Dynamic
)

// String returns the word of the drawing.
func (s Strategy) String() string {
	return [...]string{"worker", "one-for-one", "rest-for-one", "dynamic"}[s]
}

// Limit bounds the restarts of a supervisor's children: more than Max failures Within the window,
// and the supervisor is spent: it fails in its turn. A window of 0 is the default's.
type Limit struct {
	Max    int
	Within time.Duration
}

// Backoff is the pause before a restart: Min after the first failure in the limit's window, doubled
// for each one more, at most Max. Half of each pause is jitter, so that what failed together does
// not come back together. A Max of 0 is the default's, or Min if that is more.
type Backoff struct {
	Min, Max time.Duration
}

// Defaults of a Spec.
const (
	DefaultStop = 5 * time.Second
	stopMargin  = time.Second // what a supervisor grants beyond a deadline, before it acts
)

var (
	defaultLimit   = Limit{Max: 5, Within: 10 * time.Second}
	defaultBackoff = Backoff{Min: 10 * time.Millisecond, Max: 2 * time.Second}
)

// Spec declares one actor of the tree, or one template of many. It is data: the tree is started
// from it and the drawing is made from it.
type Spec struct {
	// Name is the actor's name below its supervisor, for example "topic/source".
	Name string
	// Kind is the actor's kind, out of a closed set: it labels metrics.
	Kind string
	// Note is what the drawing says of it.
	Note string
	// Restart says what becomes of it when it ends.
	Restart Restart
	// Significant children take their supervisor with them when they end normally.
	Significant bool
	// Rebind children of a rest-for-one supervisor are told by a Rebind message of the restart of an
	// earlier sibling, and keep running: they hold what must not be lost, a socket.
	Rebind bool
	// Strategy makes it a supervisor of Children.
	Strategy Strategy
	// Mailbox is a worker's bound in user messages; 0 means mailbox.DefaultCapacity.
	Mailbox int32
	// Heeds names later siblings of whose restart the child of a rest-for-one supervisor is told too,
	// in the same way: it depends on none of them, but each has to know something of it.
	Heeds []string
	// Stop is how long it may take to stop; 0 means DefaultStop. A dynamic supervisor states the
	// longest of its children's, or has it from its Templates; another has the sum of its children's.
	Stop time.Duration

	// New makes a worker's actor, anew for each incarnation.
	New func(*Self) actor.Actor

	// Limit bounds its children's restarts; the zero Limit means five in ten seconds.
	Limit Limit
	// Backoff paces them; the zero Backoff means 10 ms to 2 s.
	Backoff Backoff
	// Linger ends a dynamic supervisor, normally, that has had no child for so long; 0 means never.
	Linger time.Duration
	// Keep, if there is one, is asked then: while it says so, the supervisor stays, childless.
	Keep func() bool
	// Children are started in this order and stopped in reverse.
	Children []Spec
	// Templates draw the children that a dynamic supervisor will have.
	Templates []Spec
}

func (s *Spec) limit() Limit {
	if s.Limit == (Limit{}) {
		return defaultLimit
	}
	if s.Limit.Within <= 0 {
		return Limit{Max: s.Limit.Max, Within: defaultLimit.Within}
	}
	return s.Limit
}

func (s *Spec) backoff() Backoff {
	if s.Backoff == (Backoff{}) {
		return defaultBackoff
	}
	if s.Backoff.Max <= 0 {
		return Backoff{Min: s.Backoff.Min, Max: max(s.Backoff.Min, defaultBackoff.Max)}
	}
	return s.Backoff
}

// stopDeadline is the time a child has to stop: for a supervisor the sum over its children, who
// stop one after the other and each by its deadline and a margin, and a margin for itself.
func (s *Spec) stopDeadline() time.Duration {
	own := s.Stop
	if own == 0 {
		own = DefaultStop
	}
	switch s.Strategy {
	case Worker:
		return own
	case Dynamic: // its children stop side by side
		for i := range s.Templates {
			own = max(own, s.Templates[i].stopDeadline())
		}
		return own + 2*stopMargin
	default:
		sum := stopMargin
		for i := range s.Children {
			sum += s.Children[i].stopDeadline() + stopMargin
		}
		return sum
	}
}

// pause is the back-off after the nth failure in the window, n from 1; jitter is from [0, 1).
func (b Backoff) pause(n int, jitter float64) time.Duration {
	d := b.Min
	for i := 1; i < n && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d/2 + time.Duration(jitter*float64(d/2))
}
