package e2e

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// asBackup is what is behind the stream key of a publisher's second connection.
const asBackup = "?role=backup"

// dual is a broadcast that is published to two origins of a cluster at once.
type dual struct {
	*members

	key          string
	main, backup int // origins
	source       *source
}

// publishTwice has a source publish a key to two origins, and waits until all nodes know both.
func (m *members) publishTwice(t *testing.T, s *source, key string, main, backup int) *dual {
	t.Helper()
	d := &dual{m, key, main, backup, s}
	s.take(publish(t, m.origins[main], key))
	m.origins[backup].awaitListed(t, key, `"role":"active"`)
	s.take(publish(t, m.origins[backup], key+asBackup))
	for _, n := range m.all() {
		n.awaitListed(t, key, `"role":"active"`, `"role":"backup"`,
			fmt.Sprintf(`"standby":"o-%d"`, backup+1))
	}
	return d
}

// awaitListed waits until what a node lists of a broadcast has all of those texts.
func (n *node) awaitListed(t *testing.T, key string, texts ...string) {
	t.Helper()
	await(t, fmt.Sprintf("live/%s is listed with %v", key, texts), func() bool {
		_, all := n.get(t, "/v1/broadcasts")
		of := ""
		for part := range strings.SplitSeq(all, "{") {
			if strings.Contains(part, `"live/`+key+`"`) {
				of += part
			}
		}
		for _, text := range texts {
			if !strings.Contains(of, text) {
				return false
			}
		}
		return true
	})
}

// awaitSpliced waits until the backup's units are given in a state.
func (d *dual) awaitSpliced(t *testing.T, state string) {
	t.Helper()
	await(t, "the two are "+state, func() bool {
		return d.origins[d.backup].metric(t, "headwater_splices", `state="`+state+`"`) == 1
	})
}

// crowd has viewers on each edge.
func (m *members) crowd(t *testing.T, key string, each int) groups {
	t.Helper()
	g := groups{}
	for i, e := range m.edges {
		at := fmt.Sprint("e-", i+1)
		for j := range each {
			name := fmt.Sprintf("viewer %d of %s", j+1, at)
			g[at] = append(g[at], watchLight(name, dial(t, e.http), key))
		}
	}
	return g
}

// killed kills an origin, and has it back under its name once f is done.
func (m *members) killed(t *testing.T, origin int, f func()) {
	t.Helper()
	m.origins[origin].kill(t)
	f()
	m.origins[origin] = m.join(t, fmt.Sprint("o-", origin+1), "origin")
	m.awaitMembers(t, 1+len(m.origins)+len(m.edges))
}

// TestDualPublish kills either origin of a broadcast that is published to both, by seed: no viewer
// loses a unit, or waits.
func TestDualPublish(t *testing.T) {
	t.Parallel()
	const rounds, each = 6, 10
	m := formCluster(t, 2, 2, "--publish.grace", "1s")
	rng := rand.New(rand.NewPCG(labSeed(t), 5))
	var sum audit
	for round := range rounds {
		main := rng.IntN(2)
		s := newSource(t, film.get(t))
		d := m.publishTwice(t, s, fmt.Sprint("show-", round), main, 1-main)
		viewers := m.crowd(t, d.key, each)
		s.run(t)
		viewers.all()[0].awaitEntries(t, 100)
		d.awaitSpliced(t, "aligned")
		victim := rng.IntN(2)
		what := "backup's"
		if victim == main {
			what = "active's"
		}
		t.Logf("round %d: the %s origin is killed", round, what)
		m.killed(t, victim, func() {
			first := viewers.all()[0]
			first.awaitEntries(t, len(first.entries())+150+rng.IntN(200))
			s.halt()
			s.ledger.awaitEnd(t, viewers.all()...)
		})
		s.leaveAll()
		await(t, "the backup is gone", func() bool {
			return m.origins[1-main].metric(t, "headwater_splices") == 0
		})
		a := s.ledger.report(t, viewers)
		if !a.clean() {
			t.Errorf("round %d: something was lost, given twice or in another order", round)
		}
		sum = sum.and(a)
	}
	t.Logf("gaps between pictures of %d viewers, in ms: p50 %s", sum.viewers,
		strings.ReplaceAll(quantiles(sum.gaps, 0.5, 0.9, 0.99, 1), "\t", " "))
	if longest := quantile(sum.gaps, 1); longest > 200*time.Millisecond {
		t.Errorf("viewers had no picture for %v", longest)
	}
}

// ahead is by how much one of two origins may carry a command out before the other, at the most, in
// milliseconds of the broadcast.
const ahead = 200

// TestDualPublishBlurred commands a broadcast that is published twice, kills its active origin, has
// the backup carry commands out alone, and has the main publisher come back. Viewers see what was
// commanded from the PTS of each answer on, in one stream that decodes and whose times never fall.
func TestDualPublishBlurred(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	s := newSource(t, moving.long(t, 90))
	d := m.publishTwice(t, s, "show", 0, 1)
	var viewers []*viewer
	for _, e := range m.edges {
		viewers = append(viewers, watchFLV(t, e, d.key))
	}
	s.run(t)
	steps := []step{{}}
	command := func(on *node, mode string, rects ...rect) {
		t.Helper()
		a := on.blur(t, d.key, mode, rects...)
		t.Logf("%q: %v", mode, a)
		steps = append(steps, step{mode, a.mustState(t, "live").PTS})
		awaitPTS(t, viewers, a.PTS+1500)
	}
	awaitPTS(t, viewers, 1000)
	d.awaitSpliced(t, "aligned")
	command(m.keeper, "pixelate", wide)
	m.killed(t, d.main, func() {
		d.awaitSpliced(t, "took_over")
		awaitPTS(t, viewers, latestPTS(viewers[0].got())+3000)
		m.keeper.awaitListed(t, d.key, `"role":"backup"`, `"state":"live"`)
		await(t, "the active is known to be gone", func() bool {
			_, all := m.keeper.get(t, "/v1/broadcasts")
			return !strings.Contains(all, `"role":"active"`)
		})
		command(m.edges[0], "")
		command(m.origins[d.backup], "solid", wide)
	})
	main := publish(t, m.origins[d.main], d.key)
	s.take(main)
	m.keeper.awaitListed(t, d.key, `"role":"active"`, `"role":"backup"`, `"standby":"o-2"`)
	awaitPTS(t, viewers, latestPTS(viewers[0].got())+4000)
	command(m.edges[1], "")
	awaitPTS(t, viewers, latestPTS(viewers[0].got())+2000)
	d.awaitSpliced(t, "aligned")
	s.halt()
	for _, v := range viewers {
		v.mustWatch(t)
		v.leave(t)
		got := v.got()
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
		all := moving.marker.read(t, v.name, got)
		for i, step := range steps {
			to := int64(math.MaxInt64)
			if i+1 < len(steps) {
				to = steps[i+1].from
			}
			if step.mode == "" { // the active hides before the backup does, whose PTS the answer has
				to -= ahead
			}
			checkStep(t, v.name, step, between(all, step.from, to))
		}
	}
}

// TestDualPublishByFFmpeg has ffmpeg publish to both origins by its tee, and kills either.
func TestDualPublishByFFmpeg(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	viewers := m.watchers(t, "show")
	args := slices.Concat(pattern("320x180"), encoding(), []string{
		"-map", "0:v", "-map", "1:a", "-flags", "+global_header", "-f", "tee",
		"[f=flv:onfail=ignore]" + m.origins[0].rtmpURL("show") +
			"|[f=flv:onfail=ignore]" + m.origins[1].rtmpURL("show") + asBackup,
	})
	start(t, "ffmpeg", args...)
	d := &dual{members: m, key: "show", main: 0, backup: 1}
	awaitPTS(t, viewers, 1000)
	d.awaitSpliced(t, "aligned")
	m.origins[d.main].kill(t)
	awaitPTS(t, viewers, latestPTS(viewers[0].got())+6000)
	for _, v := range viewers {
		v.mustWatch(t)
		v.leave(t)
		got := v.got()
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
		checkEvery(t, v.name, got, 35)
	}
}

// checkEvery fails t if a picture is missing, or shown twice: by the time between two.
func checkEvery(t *testing.T, name string, got []unit, most int64) {
	t.Helper()
	last := int64(-1)
	for _, u := range got {
		if u.kind != media.Video || u.header() {
			continue
		}
		if step := u.ms - last; last >= 0 && (step <= 0 || step > most) {
			t.Errorf("%s: %d ms between two pictures, at %d ms", name, step, u.ms)
		}
		last = u.ms
	}
}

// TestDualPublishBlurredKilled kills either origin of a blurred broadcast, by seed: both blur it,
// and viewers go from the one's pictures to the other's at an IDR picture.
func TestDualPublishBlurredKilled(t *testing.T) {
	t.Parallel()
	const rounds, each = 4, 10
	m := formCluster(t, 2, 2, "--publish.grace", "1s")
	rng := rand.New(rand.NewPCG(labSeed(t), 6))
	var gaps []time.Duration
	for round := range rounds {
		main := rng.IntN(2)
		s := newSource(t, moving.long(t, 60))
		d := m.publishTwice(t, s, fmt.Sprint("show-", round), main, 1-main)
		light := m.crowd(t, d.key, each).all()
		viewers := []*viewer{watchFLV(t, m.edges[0], d.key), watchFLV(t, m.edges[1], d.key)}
		s.run(t)
		awaitPTS(t, viewers, 1000)
		d.awaitSpliced(t, "aligned")
		a := m.keeper.blur(t, d.key, modes[rng.IntN(len(modes))], wide).mustState(t, "live")
		awaitPTS(t, viewers, a.PTS+1500+rng.Int64N(1000))
		victim := rng.IntN(2)
		t.Logf("round %d: %v; o-%d is killed, the active is o-%d", round, a, victim+1, main+1)
		m.killed(t, victim, func() {
			awaitPTS(t, viewers, latestPTS(viewers[0].got())+4000)
			s.halt()
		})
		s.leaveAll()
		await(t, "the backup is gone", func() bool {
			return m.origins[1-main].metric(t, "headwater_splices") == 0
		})
		for _, v := range light {
			gaps = append(gaps, pictureGaps(t, v)...)
		}
		checkHidden(t, viewers, a.PTS)
	}
	t.Logf("gaps between pictures, in ms: p50 %s",
		strings.ReplaceAll(quantiles(gaps, 0.5, 0.9, 0.99, 1), "\t", " "))
}

// checkHidden holds viewers to a blur from a PTS on, in a stream that decodes.
func checkHidden(t *testing.T, viewers []*viewer, from int64) {
	t.Helper()
	for _, v := range viewers {
		v.leave(t)
		got := v.got()
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
		all := moving.marker.read(t, v.name, got)
		checkStep(t, v.name, step{"blurred", from}, between(all, from, math.MaxInt64))
	}
}

// pictureGaps is how long a viewer had no picture each time. It fails t if a time falls.
func pictureGaps(t *testing.T, v *light) (gaps []time.Duration) {
	t.Helper()
	latest := [media.Kinds]int64{-1, -1, -1}
	var before time.Time
	for _, e := range v.entries() {
		if e.ms < latest[e.kind] {
			t.Errorf("%s: a time falls from %d to %d ms", v.name, latest[e.kind], e.ms)
		}
		latest[e.kind] = e.ms
		if e.kind != media.Video {
			continue
		}
		if !before.IsZero() {
			gaps = append(gaps, e.when.Sub(before))
		}
		before = e.when
	}
	return gaps
}

// TestDualPublishBackupSilent stops the backup's process: a command is not said to be live until
// the backup has it, and the answer says who is waited for.
func TestDualPublishBackupSilent(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	s := newSource(t, moving.long(t, 60))
	d := m.publishTwice(t, s, "show", 0, 1)
	viewers := []*viewer{watchFLV(t, m.edges[0], d.key), watchFLV(t, m.edges[1], d.key)}
	s.run(t)
	awaitPTS(t, viewers, 1000)
	d.awaitSpliced(t, "aligned")
	m.origins[d.backup].signal(t, syscall.SIGSTOP)
	a := m.keeper.blur(t, d.key, "solid", wide).mustState(t, "stored")
	if !strings.Contains(a.Note, "o-2") {
		t.Errorf("who is waited for is not said: %v", a)
	}
	m.origins[d.backup].signal(t, syscall.SIGCONT)
	m.awaitMembers(t, 5)
	var last answer
	await(t, "both have it", func() bool {
		last = m.keeper.blur(t, d.key, "solid", wide)
		return last.State == "live"
	})
	m.keeper.awaitListed(t, d.key, `"role":"backup"`, `"standby":"o-2"`)
	last = m.keeper.blur(t, d.key, "pixelate", wide).mustState(t, "live")
	m.killed(t, d.main, func() {
		awaitPTS(t, viewers, latestPTS(viewers[0].got())+4000)
		s.halt()
	})
	checkHidden(t, viewers, last.PTS)
}

// TestBackupIsRefused says to a backup's publisher why he is in the wrong place.
func TestBackupIsRefused(t *testing.T) {
	t.Parallel()
	alone := startNode(t)
	first, err := publishOn(t, dial(t, alone.rtmp), "show"+asBackup)
	if err != nil {
		t.Fatalf("nobody else publishes it: %v", err)
	}
	first.feed(t, film.get(t))
	watchFLV(t, alone, "show").awaitUnits(t, 100)
	_, err = publishOn(t, dial(t, alone.rtmp), "show"+asBackup)
	if err == nil || !strings.Contains(err.Error(), "another origin") {
		t.Errorf("a second one on a node by itself: %v", err)
	}
	m := formCluster(t, 2, 0)
	main := publish(t, m.origins[0], "show")
	main.feed(t, film.get(t))
	m.origins[0].awaitListed(t, "show", `"role":"active"`)
	_, err = publishOn(t, dial(t, m.origins[0].rtmp), "show"+asBackup)
	if err == nil || !strings.Contains(err.Error(), "publish to node o-2, rtmp://"+m.origins[1].rtmp) {
		t.Errorf("on the active's node: %v", err)
	}
	if _, err = publishOn(t, dial(t, m.origins[0].rtmp), "show@backup"); err == nil {
		t.Error("a backup can be published by its name")
	}
}

// TestDualPublishLadder kills the active of a broadcast with a ladder: each rendition goes on with
// the backup's pictures, at an IDR picture.
func TestDualPublishLadder(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 1)
	s := newSource(t, moving.long(t, 60))
	d := m.publishTwice(t, s, "show", 0, 1)
	s.run(t)
	viewers := []*viewer{watchFLV(t, m.edges[0], d.key)}
	awaitPTS(t, viewers, 1000)
	m.keeper.ladder(t, d.key, rendition{Name: "180p", Height: 180})
	viewers = append(viewers, watchFLV(t, m.edges[0], d.key+"?rendition=180p"))
	await(t, "two splices know both streams", func() bool {
		backup := m.origins[d.backup]
		return backup.metric(t, "headwater_splices") == 2 &&
			backup.metric(t, "headwater_splices", `state="waiting"`) == 0
	})
	awaitPTS(t, viewers, 5000)
	m.killed(t, d.main, func() {
		awaitPTS(t, viewers, latestPTS(viewers[0].got())+4000)
		s.halt()
	})
	for _, v := range viewers {
		v.leave(t)
		checkRising(t, v.name, v.got())
		// Where one sound takes the other's place, times that are rounded to milliseconds have no
		// common phase: ffmpeg's muxer finds a frame a third of one early, unless that is evened.
		checkDecodes(t, v.name, v.got(), "-af", "aresample=async=1")
	}
}

// TestDualPublishReturn has the main publisher come back after the death of his origin, while the
// backup's stream is shown. That is another epoch, which begins with a keyframe of his: what is
// lost or given twice is no more than what the two are apart there, and no viewer waits.
func TestDualPublishReturn(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	s := newSource(t, film.get(t))
	d := m.publishTwice(t, s, "show", 0, 1)
	g := m.crowd(t, d.key, 10)
	first := g.all()[0]
	s.run(t)
	for range 3 {
		first.awaitEntries(t, len(first.entries())+100)
		d.awaitSpliced(t, "aligned")
		m.killed(t, d.main, func() { first.awaitEntries(t, len(first.entries())+100) })
		s.take(publish(t, m.origins[d.main], d.key))
		m.keeper.awaitListed(t, d.key, `"role":"active"`, `"role":"backup"`, `"standby":"o-2"`)
	}
	first.awaitEntries(t, len(first.entries())+200)
	d.awaitSpliced(t, "aligned")
	s.halt()
	s.ledger.awaitEnd(t, g.all()...)
	a := s.ledger.report(t, g)
	if a.falls+a.strange > 0 {
		t.Error("a time falls, or something was never sent")
	}
}

// TestDualPublishLoudness has no data about loudness among the units while there is a backup, and
// has it there again afterwards.
func TestDualPublishLoudness(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 1, "--publish.grace", "1s")
	s := newSource(t, film.get(t))
	s.take(publish(t, m.origins[0], "show"))
	v := watchFLV(t, m.edges[0], "show")
	s.run(t)
	told := func() int {
		v.mustWatch(t)
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.loud)
	}
	await(t, "loudness is told", func() bool { return told() > 5 })
	m.origins[1].awaitListed(t, "show", `"role":"active"`)
	backup := publish(t, m.origins[1], "show"+asBackup)
	s.take(backup)
	d := &dual{members: m, key: "show", main: 0, backup: 1}
	d.awaitSpliced(t, "aligned")
	before, units := told(), len(v.got())
	v.awaitUnits(t, units+150)
	if after := told(); after != before {
		t.Errorf("loudness is told %d times beside a backup", after-before)
	}
	s.leave(backup)
	await(t, "loudness is told again", func() bool { return told() > before+5 })
}
