package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// children are the process ids of a process' children.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, child)
		}
	}
	return pids
}

// backWithin is how long a picture may stay away when the child that makes it fails.
const backWithin = 2 * time.Second

// TestChildFails has the child process of a broadcast's processing crash in C, and killed. Its
// viewers stay connected and see blurred pictures again within two seconds, none that is not, and
// another broadcast, which is processed too, goes on: it misses no more than what a busy machine
// has every worker leave out (process.pacer), where a restart takes a third of a second.
func TestChildFails(t *testing.T) {
	t.Parallel()
	n := launchNodeIn(t, []string{"HEADWATER_DRILLS=1"}, "--processing.isolation", "process")
	units := small.long(t, 60)
	viewers, others := watchBoth(t, n, "show"), watchBoth(t, n, "other")
	publish(t, n, "show").feed(t, units)
	awaitPTS(t, viewers, 500)
	on := n.blur(t, "show", "box", wide).mustState(t, "live")
	awaitPTS(t, viewers, on.PTS+500)
	own := children(t, n.cmd.Process.Pid)
	if len(own) != 1 {
		t.Fatalf("a broadcast that is processed has the children %v", own)
	}
	n.always(t, "other", true)
	publish(t, n, "other").feed(t, units)
	awaitPTS(t, others, 1500)
	for _, f := range []struct {
		name string
		fail func()
	}{
		{"segfault", func() {
			const actor = "node/broadcasts/broadcast/live/show.1/processing/process/main"
			if status := n.drill(t, actor, "segfault"); status != http.StatusNoContent {
				t.Fatalf("drill: %d", status)
			}
		}},
		{"SIGKILL", func() { // of the one that came in its place: the latest
			latest := slices.Max(children(t, n.cmd.Process.Pid))
			if err := syscall.Kill(latest, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		before := latestPTS(viewers[0].got())
		failures := n.metric(t, "headwater_actor_failures_total", `kind="process"`)
		f.fail()
		began := time.Now()
		await(t, f.name+" is noticed, and pictures come again", func() bool {
			return n.metric(t, "headwater_actor_failures_total", `kind="process"`) > failures &&
				latestPTS(viewers[0].got()) > before+200
		})
		took := time.Since(began)
		t.Logf("%s: pictures again after %v", f.name, took.Round(time.Millisecond))
		if took > backWithin {
			t.Errorf("%s: no picture for %v", f.name, took)
		}
		awaitPTS(t, viewers, latestPTS(viewers[0].got())+1000)
	}
	checkIsolated(t, viewers, others, on.PTS)
	n.stop(t)
}

// checkIsolated holds what the viewers of a broadcast whose child failed, and of another one, got.
func checkIsolated(t *testing.T, viewers, others []*viewer, blurred int64) {
	t.Helper()
	for _, v := range viewers {
		v.mustWatch(t)
		v.leave(t)
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
		all := between(small.marker.read(t, v.name, v.got()), blurred, 1<<40)
		if _, greatest := extremes(all); greatest > unreadable {
			t.Errorf("%s: contrast %.1f after a child failed", v.name, greatest)
		}
	}
	for _, v := range others {
		v.mustWatch(t)
		v.leave(t)
		checkDecodes(t, v.name, v.got())
		all := small.marker.read(t, v.name, v.got())
		for i := 1; i < len(all); i++ {
			if gap := all[i].pts - all[i-1].pts; gap > 4*40+5 {
				t.Errorf("%s: %d ms between two pictures at %d ms", v.name, gap, all[i].pts)
			}
		}
		t.Logf("%s: %d pictures", v.name, len(all))
	}
}
