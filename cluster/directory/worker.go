package directory

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"time"

	local "github.com/headwater-live/headwater/actors/directory"
)

const (
	// claimsAtOnce bounds the claims that are served at a time: when an origin has died, everybody
	// who published there comes at once.
	claimsAtOnce = 64
	// claimTime bounds one of them, without the asking.
	claimTime = 3 * time.Second
	// askTime is how long those that carried a key may take to say how far they came.
	askTime = 500 * time.Millisecond
	// askRest is how long the others may take once one has answered that has the highest epoch: most
	// often who does not is the one that has died, and viewers wait for the claim.
	askRest = 100 * time.Millisecond
	// tailTime is how old the last that another node took of a key has to be before the next epoch
	// begins: from then on nobody takes anything of the former, and what has just left there is still
	// on its way to edges, of the second tier too.
	tailTime = 200 * time.Millisecond
	// tailAsk is how long nodes may take to say how old it is.
	tailAsk = 100 * time.Millisecond
)

// serve carries a claim out, on a goroutine of its own.
func (r *registrar) serve(ctx context.Context, c *claim) (epoch uint64, far State, err error) {
	short, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	lease := r.lease(short)
	if lease == 0 {
		return 0, State{}, ErrNotHeld
	}
	r.awaitTail(short, c)
	epoch, err = r.options.Store.Claim(short, Claiming{
		Key: c.Key, Lease: lease, Floor: c.Floor, Reject: c.Policy == local.Reject, Now: time.Now(),
	})
	if err != nil {
		return 0, State{}, err
	}
	states, _ := r.ask(ctx, c, askTime)
	var kept State
	// Without it there is no claim: what was commanded may be to hide something.
	kept.SettingsVersion, kept.Settings, err = r.options.Store.LoadSettings(short, c.Key)
	if err != nil {
		return 0, State{}, err
	}
	version, data := newest(append(states, kept))
	if version > 0 && r.options.Adopt != nil {
		if err := r.options.Adopt(short, c.Key, version, data); err != nil {
			return 0, State{}, err
		}
	}
	return epoch, furthest(states), nil
}

// awaitTail has what a publisher has just sent to another node arrive everywhere, before he is
// taken here: one who moves without a gap loses nothing.
func (r *registrar) awaitTail(ctx context.Context, c *claim) {
	var last time.Time
	states, heard := r.ask(ctx, c, tailAsk)
	if far := furthest(states); far.HasLast && far.Epoch >= c.highest {
		c.ask = heard // who is silent has died, most often
	}
	for _, s := range states {
		if s.HasLast && s.At.After(last) {
			last = s.At
		}
	}
	timer := time.NewTimer(time.Until(last.Add(tailTime)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lease is the one that is held, or the first that will be within firstLease.
func (r *registrar) lease(ctx context.Context) int64 {
	ctx, cancel := context.WithTimeout(ctx, firstLease)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		lease := r.session.Lease()
		if lease != 0 {
			return lease
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return 0
		}
	}
}

// ask has the nodes that carried a key say what they know of it: all at once, and no longer than
// within, or askRest longer than one takes that mirrored it. It returns which have said it, too.
func (r *registrar) ask(
	ctx context.Context, c *claim, within time.Duration,
) (states []State, heard []Node) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	type word struct {
		of    Node
		state State
		err   error
	}
	answers := make(chan word, len(c.ask))
	asked := 0
	for _, node := range c.ask {
		if r.options.Ask != nil && r.self.Goroutines.Go("ask", func(context.Context) {
			s, err := r.options.Ask(ctx, node, c.Key)
			answers <- word{node, s, err}
		}) {
			asked++
		}
	}
	var rest <-chan time.Time
	for range asked {
		select {
		case w := <-answers:
			if w.err != nil {
				r.self.Log.Debug("no word of a broadcast", slog.String("key", c.Key),
					slog.Any("error", w.err))
				continue
			}
			states, heard = append(states, w.state), append(heard, w.of)
			if rest == nil && w.state.HasLast && w.state.Epoch >= c.highest {
				rest = time.After(askRest)
			}
		case <-rest:
			return states, heard
		case <-ctx.Done():
			return states, heard
		}
	}
	return states, heard
}

// learn has this node have what is commanded of a key: by the word of its active node, and of etcd
// where there is none, or the node's need not be the last. It reports whether it has.
func (r *registrar) learn(ctx context.Context, j *joining) bool {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	c := &claim{ask: j.ask, highest: math.MaxUint64} // the word of each is awaited
	c.Key = j.Key
	states, heard := r.ask(ctx, c, askTime)
	var kept State
	var err error
	kept.SettingsVersion, kept.Settings, err = r.options.Store.LoadSettings(ctx, j.Key)
	said := j.node != "" &&
		slices.ContainsFunc(heard, func(n Node) bool { return n.Name == j.node })
	if !said && (err != nil || j.node != "" && j.from == nil) {
		r.self.Log.Warn("settings of a broadcast are not known", slog.String("key", j.Key),
			slog.String("node", j.node), slog.Any("error", err))
		return false
	}
	version, data := newest(append(states, kept))
	if version == 0 || r.options.Adopt == nil {
		return true
	}
	err = r.options.Adopt(ctx, j.Key, version, data)
	if err != nil {
		r.self.Log.Warn("settings of a broadcast are not taken", slog.String("key", j.Key),
			slog.Any("error", err))
	}
	return err == nil
}

// furthest is the state whose timeline has come furthest, of the highest epoch that says so.
func furthest(states []State) (far State) {
	for _, s := range states {
		later := !far.HasLast || s.Epoch > far.Epoch || s.Epoch == far.Epoch && s.Last > far.Last
		if s.HasLast && later {
			far = s
		}
	}
	return far
}

// newest are the settings of the highest version.
func newest(states []State) (version uint64, data []byte) {
	for _, s := range states {
		if s.SettingsVersion > version {
			version, data = s.SettingsVersion, s.Settings
		}
	}
	return version, data
}
