package e2e

import (
	"math"
	"testing"
)

// masked is a second broadcast on a stage, whose marker is hidden by a blur that is commanded once.
type masked struct {
	stage     *stage
	publisher *publisher
	viewer    *viewer
	from      int64 // from which PTS on it is hidden
}

// mask begins the broadcast, which nothing is commanded of yet, with a viewer on the first edge.
func (s *stage) mask(t *testing.T) *masked {
	t.Helper()
	m := &masked{stage: s}
	m.viewer = watchFLVOn(t, s.audience.dial(t, s.edges[0].http), "masked")
	m.publish(t)
	m.goOn(t, 500)
	return m
}

// publish has a publisher begin, at the time 0, on the origin that is active for film.
func (m *masked) publish(t *testing.T) {
	t.Helper()
	m.publisher = m.stage.studio.publish(t, m.stage.nodes[m.stage.active], "masked")
	m.publisher.feed(t, small.long(t, 120))
}

// goOn waits until the viewer has seen some more of it, in milliseconds.
func (m *masked) goOn(t *testing.T, more int64) {
	t.Helper()
	awaitPTS(t, []*viewer{m.viewer}, max(0, latestPTS(m.viewer.got()))+more)
}

// hide has the marker blurred by a node of the cluster.
func (m *masked) hide(t *testing.T, by *node) answer {
	t.Helper()
	a := by.blur(t, "masked", "box", small.marker.rect).mustState(t, "live")
	m.from = a.PTS
	m.goOn(t, 500)
	return a
}

// check holds that the marker is readable in no picture from the answer on.
func (m *masked) check(t *testing.T, pictures int) {
	t.Helper()
	m.viewer.mustWatch(t)
	m.publisher.halt()
	got := m.viewer.got()
	checkRising(t, m.viewer.name, got)
	all := small.marker.read(t, m.viewer.name, got)
	hidden := between(all, m.from, math.MaxInt64)
	_, greatest := extremes(hidden)
	t.Logf("%d pictures had to be blurred: contrast %.1f at most, %.1f before", len(hidden),
		greatest, all[0].contrast)
	if greatest > unreadable || all[0].contrast < readable || len(hidden) < pictures {
		t.Error("the blur does not hold")
	}
}
