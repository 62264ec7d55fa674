package e2e

import (
	"hash/maphash"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// ledger is the hash of each access unit that was sent, in the order of sending. Publishers that
// send the same broadcast to several nodes have one between them.
type ledger struct {
	mu   sync.Mutex
	sent []entry
	at   map[uint64]int // where in sent
}

// entry is what is kept of an access unit, wherever it is.
type entry struct {
	sum  uint64
	kind media.Kind
	role media.Role
	ms   int64
	when time.Time // it was sent, or it arrived
}

// sums is what units are hashed with.
var sums = maphash.MakeSeed()

// entryOf hashes a unit. Of a unit that is no media of its publisher, ok is false: script data that
// the node says itself, headers that are said again to whoever joins, ends of sequences.
func entryOf(kind media.Kind, ms int64, body []byte) (e entry, ok bool) {
	info, err := flv.Parse(kind, body)
	ok = err == nil && kind != media.Data && info.Role != media.SequenceHeader &&
		!info.Flags.Has(flv.EndOfSequence)
	return entry{maphash.Bytes(sums, body), kind, info.Role, ms, time.Now()}, ok
}

// picture tells whether e is a picture that a viewer can begin with.
func (e entry) picture() bool { return e.kind == media.Video && e.role == media.Keyframe }

func newLedger() *ledger { return &ledger{at: map[uint64]int{}} }

// enter notes that a unit is being sent. One that another publisher has sent is not noted again.
func (l *ledger) enter(u unit) {
	e, ok := entryOf(u.kind, u.ms, u.body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.at[e.sum]; !ok || known {
		return
	}
	l.at[e.sum] = len(l.sent)
	l.sent = append(l.sent, e)
}

func (l *ledger) last() (e entry, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sent) == 0 {
		return entry{}, false
	}
	return l.sent[len(l.sent)-1], true
}

// audit is what became of a broadcast on its way to a viewer, or to several.
type audit struct {
	viewers    int
	units      int
	lost       int // sent between the first and the last that came, and never came
	duplicated int
	reordered  int
	strange    int // never sent
	torn       int // pictures behind one that is missing, before the next keyframe
	falls      int // of the times of a track
	behind     int // sent after the last that came: those on their way, or lost too
	gaps       []time.Duration
	late       []time.Duration // from being sent to being received
}

// clean tells whether everything has come once and in order.
func (a audit) clean() bool { return a.lost == 0 && a.orderly() }

// orderly tells whether what has come can be played: whole GOPs at most are missing.
func (a audit) orderly() bool {
	return a.units > 0 && a.duplicated+a.reordered+a.strange+a.torn+a.falls == 0
}

// audit holds what a viewer received to the ledger.
func (l *ledger) audit(got []entry) audit {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := clerk{ledger: l, seen: make([]bool, len(l.sent)), last: -1, first: -1, picture: -1}
	c.viewers = 1
	c.latest = [media.Kinds]int64{-1, -1, -1}
	for _, e := range got {
		c.take(e)
	}
	for i := max(c.first, 0); i < c.last; i++ {
		if !c.seen[i] {
			c.lost++
		}
	}
	c.behind = len(l.sent) - 1 - c.last
	return c.audit
}

// clerk goes through what one viewer received.
type clerk struct {
	audit
	ledger      *ledger
	seen        []bool
	first, last int // places in the ledger
	picture     int // that of the latest picture
	latest      [media.Kinds]int64
	arrived     time.Time // when that came
}

func (c *clerk) take(e entry) {
	c.units++
	at, known := c.ledger.at[e.sum]
	switch {
	case !known:
		c.strange++
		return
	case c.seen[at]:
		c.duplicated++
		return
	case at < c.last:
		c.reordered++
	}
	c.seen[at] = true
	if c.first < 0 {
		c.first = at
	}
	c.last = max(c.last, at)
	if e.ms < c.latest[e.kind] {
		c.falls++
	}
	c.latest[e.kind] = e.ms
	c.late = append(c.late, e.when.Sub(c.ledger.sent[at].when))
	if e.kind == media.Video {
		c.show(e, at)
	}
}

// show takes a picture: behind one that is missing only a keyframe is of use.
func (c *clerk) show(e entry, at int) {
	if c.picture >= 0 {
		c.gaps = append(c.gaps, e.when.Sub(c.arrived))
	}
	missing := c.picture < 0
	for i := c.picture + 1; c.picture >= 0 && i < at; i++ {
		missing = missing || c.ledger.sent[i].kind == media.Video && !c.seen[i]
	}
	if missing && !e.picture() {
		c.torn++
	}
	c.picture, c.arrived = at, e.when
}

// and adds up two audits.
func (a audit) and(b audit) audit {
	a.viewers += b.viewers
	a.units += b.units
	a.lost += b.lost
	a.duplicated += b.duplicated
	a.reordered += b.reordered
	a.strange += b.strange
	a.torn += b.torn
	a.falls += b.falls
	a.behind += b.behind
	a.gaps = append(slices.Clip(a.gaps), b.gaps...)
	a.late = append(slices.Clip(a.late), b.late...)
	return a
}

// TestAudit holds an audit to what it has to find.
func TestAudit(t *testing.T) {
	t.Parallel()
	l := newLedger()
	var all []entry
	for _, u := range film.get(t) {
		l.enter(u)
		l.enter(u)
		if e, ok := entryOf(u.kind, u.ms, u.body); ok {
			all = append(all, e)
		}
	}
	keys := keyframesOf(all)
	swapped := slices.Clone(all[keys[1]:])
	swapped[3], swapped[4] = swapped[4], swapped[3]
	stranger := all[keys[1]]
	stranger.sum++
	for name, c := range map[string]struct {
		got  []entry
		want audit
	}{
		"all":        {all, audit{}},
		"from a key": {all[keys[3]:], audit{}},
		"a GOP less": {slices.Concat(all[:keys[2]], all[keys[3]:]), audit{lost: keys[3] - keys[2]}},
		"the end":    {all[:keys[9]], audit{behind: len(all) - keys[9]}},
		"twice":      {slices.Concat(all[:keys[9]], all[keys[8]:]), audit{duplicated: keys[9] - keys[8]}},
		"strange":    {slices.Concat(all[:9], []entry{stranger}, all[9:]), audit{strange: 1}},
	} {
		have := l.audit(c.got)
		c.want.units, c.want.viewers = len(c.got), 1
		have.gaps, have.late = nil, nil
		if !same(have, c.want) {
			t.Errorf("%s: %+v, want %+v", name, have, c.want)
		}
	}
	if a := l.audit(swapped); a.reordered != 1 || a.lost != 0 || a.orderly() {
		t.Errorf("swapped: %+v", a)
	}
	torn := slices.Concat(all[:keys[1]], all[keys[1]+1:])
	if a := l.audit(torn); a.torn == 0 || a.lost != 1 || a.orderly() {
		t.Errorf("a keyframe less: %+v", a)
	}
}

func keyframesOf(all []entry) (at []int) {
	for i, e := range all {
		if e.picture() {
			at = append(at, i)
		}
	}
	return at
}

// same compares audits without distributions.
func same(a, b audit) bool {
	return a.viewers == b.viewers && a.units == b.units && a.lost == b.lost &&
		a.duplicated == b.duplicated && a.reordered == b.reordered && a.strange == b.strange &&
		a.torn == b.torn && a.falls == b.falls && a.behind == b.behind
}
