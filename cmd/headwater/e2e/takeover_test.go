package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// TestKilledOrigins kills the active origin under two hundred viewers on two edges, again and
// again, by seed: three times, or twenty with HEADWATER_SOAK. The source goes to another origin at
// once, to the standby or to the third; who was killed comes back as another process. Viewers are
// let go by nobody, and nothing that got away from the origin before it died is lost, comes twice
// or out of order. A second broadcast goes the same way, and the blur that was commanded of it once
// holds in every epoch.
func TestKilledOrigins(t *testing.T) {
	t.Parallel()
	rounds, clip := 3, &film
	if soak(t) > 0 {
		rounds, clip = 20, &epic
	}
	small.get(t)
	s := &takeover{stage: startStage(t, casting{
		etcds: 1, origins: 3, edges: 2, viewers: 100, units: clip.get(t),
	})}
	s.random = rand.New(rand.NewPCG(s.seed, 1))
	s.masked = s.mask(t)
	s.masked.hide(t, s.edges[1])
	for i := range rounds {
		s.round(t, i)
	}
	late := watchFLVOn(t, s.audience.dial(t, s.edges[1].http), "masked")
	awaitPTS(t, []*viewer{late}, latestPTS(s.masked.viewer.got())+500)
	s.settle(t)
	s.checkSameTimes(t, late)
	s.checkMirrored(t, s.witnesses...)
	s.checkResumed(t)
	s.masked.check(t, 12*rounds)
	s.checkNobodyClosed(t)
}

// takeover is a stage whose active origin is killed.
type takeover struct {
	*stage
	random    *rand.Rand
	rounds    []round
	witnesses [][]entry // what viewers on the standbys' own nodes had before they were killed
	masked    *masked
}

// round is when an active origin was killed, and when another had taken the source.
type round struct{ killed, published time.Time }

// round kills the active origin once.
func (s *takeover) round(t *testing.T, i int) {
	t.Helper()
	old, standby := s.active, s.awaitStandby(t)
	witness := s.audience.crowd(t, s.nodes[standby], "film", 1)[0]
	witness.awaitEntries(t, 60)
	awaitMore(t, s.groups, 60)
	to := standby
	if i > 1 && s.random.IntN(2) == 0 || i == 1 {
		to = s.third(standby)
	}
	<-time.After(time.Duration(s.random.IntN(1000)) * time.Millisecond) // wherever in a GOP
	r := round{killed: time.Now()}
	s.kill(t, old)
	s.move(t, to)
	r.published = time.Now()
	s.rounds = append(s.rounds, r)
	s.masked.publisher.halt()
	s.masked.publish(t)
	s.join(t, old, "origin")
	awaitMore(t, s.groups, 90)
	s.masked.goOn(t, 500)
	witness.mustWatch(t)
	s.witnesses = append(s.witnesses, witness.entries())
	witness.conn.Close()
	t.Logf("round %d: %s dies, its standby is %s, the source goes to %s", i+1, old, standby, to)
}

// third is the origin that is neither active nor standby.
func (s *takeover) third(standby string) string {
	for i := range 3 {
		if name := fmt.Sprint("o-", i+1); name != s.active && name != standby {
			return name
		}
	}
	return ""
}

// note adds what was received to a set.
func note(set map[uint64]bool, got []entry) {
	for _, e := range got {
		set[e.sum] = true
	}
}

// lacks counts the units of a set that were sent between the first and the last that a viewer has,
// and that he has not.
func (l *ledger) lacks(got []entry, of map[uint64]bool) (missing int) {
	have := map[uint64]bool{}
	note(have, got)
	l.mu.Lock()
	defer l.mu.Unlock()
	first, last := len(l.sent), -1
	for _, e := range got {
		if at, known := l.at[e.sum]; known {
			first, last = min(first, at), max(last, at)
		}
	}
	for i := first; i < last; i++ {
		if sum := l.sent[i].sum; of[sum] && !have[sum] {
			missing++
		}
	}
	return missing
}

// gop is the time from one keyframe of film to the next.
const gop = time.Second

// checkResumed prints how long no picture came to a viewer when an origin died, and holds that the
// first one came within a GOP of the publisher's being taken: a new publisher begins with a
// keyframe.
func (s *takeover) checkResumed(t *testing.T) {
	t.Helper()
	const slack = gop / 2 // of a busy machine
	var gaps, resumed, away []time.Duration
	for _, r := range s.rounds {
		away = append(away, r.published.Sub(r.killed))
		for _, v := range s.groups.all() {
			before, after := s.source.ledger.around(v.entries(), r.killed)
			gaps = append(gaps, after.Sub(before))
			resumed = append(resumed, after.Sub(r.published))
		}
	}
	show := func(what string, all []time.Duration) {
		t.Logf("%s: p50 %v, p90 %v, p99 %v, max %v (%d)", what, quantile(all, 0.5),
			quantile(all, 0.9), quantile(all, 0.99), quantile(all, 1), len(all))
	}
	show("from the kill to the publisher's being taken elsewhere", away)
	show("from then to the next picture at a viewer", resumed)
	show("between two pictures at a viewer", gaps)
	if longest := quantile(resumed, 1); longest > gop+slack {
		t.Errorf("a viewer has a picture %v after the publisher is back, a GOP is %v", longest, gop)
	}
}

// around is when a viewer had the last picture from before a moment, and the first that was sent
// after it.
func (l *ledger) around(got []entry, moment time.Time) (before, after time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range got {
		at, known := l.at[e.sum]
		if e.kind != media.Video || !known {
			continue
		}
		if l.sent[at].when.After(moment) {
			return before, e.when
		}
		before = e.when
	}
	return before, before
}

// checkSameTimes holds that edges agree on when a picture is shown, whenever they began to follow
// and wherever the publisher's own time was: it began anew in each epoch.
func (s *takeover) checkSameTimes(t *testing.T, late *viewer) {
	t.Helper()
	at, until := map[int64]uint64{}, int64(0)
	for _, u := range s.masked.viewer.got() {
		if e, ok := entryOf(u.kind, u.ms, u.body); ok && u.kind == media.Video {
			at[e.ms], until = e.sum, e.ms
		}
	}
	both := 0
	for _, u := range late.got() {
		e, ok := entryOf(u.kind, u.ms, u.body)
		if !ok || u.kind != media.Video || e.ms > until {
			continue
		}
		if both++; at[e.ms] != e.sum {
			t.Errorf("at %d ms one edge has another picture than the other, or none", e.ms)
			return
		}
	}
	if both < 10 {
		t.Errorf("the edges have %d pictures in common", both)
	}
}
