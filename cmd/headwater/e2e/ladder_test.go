package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// keyframes are the PTS of a stream's IDR pictures.
func keyframes(units []unit) map[int64]bool {
	out := map[int64]bool{}
	for _, u := range units {
		if u.picture() {
			out[latestPTS([]unit{u})] = true
		}
	}
	return out
}

// TestLadder has renditions added, changed and removed while a broadcast runs, blurred and not.
// Their keyframes are at the times of the source's: viewers can go from one to the other.
func TestLadder(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	source := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, moving.long(t, 60))
	awaitPTS(t, source, 1000)
	n.ladder(t, "show", rendition{Name: "480p", Height: 480},
		rendition{Name: "180p", Height: 180, FPS: 10})
	renditions := []*viewer{
		watchFLV(t, n, "show?rendition=480p"), watchRTMP(t, n, "show?rendition=180p"),
	}
	awaitPTS(t, renditions, 5000)
	awaitPTS(t, source, 5000)
	own := keyframes(source[0].got())
	sizes := [][2]int{{854, 480}, {320, 180}}
	for i, v := range renditions {
		got := v.got()
		all := moving.marker.read(t, v.name, got)
		from, pictures := all[0].pts, all[len(all)-1].pts-all[0].pts
		t.Logf("%s: %d pictures in %d ms, keyframes %v", v.name, len(all), pictures,
			slices.Sorted(maps.Keys(keyframes(got))))
		for pts := range keyframes(got) {
			if pts > from && !own[pts] {
				t.Errorf("%s: a keyframe at %d ms, where the source has none", v.name, pts)
			}
		}
		for pts := range own {
			if pts > from && pts <= latestPTS(got) && !keyframes(got)[pts] {
				t.Errorf("%s: no keyframe at %d ms, where the source has one", v.name, pts)
			}
		}
		if size := [2]int{all[0].width, all[0].height}; size != sizes[i] {
			t.Errorf("%s: pictures of %v", v.name, size)
		}
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
	}
	rate := float64(count(renditions[1].got(), unit.isPicture)) /
		float64(count(renditions[0].got(), unit.isPicture))
	if rate < 0.3 || rate > 0.55 {
		t.Errorf("of 25 pictures a second, 10 are to be shown; it is %.0f %%", 100*rate)
	}
	checkLadderLive(t, n, source, renditions)
}

// isPicture tells whether u is a picture of any kind.
func (u unit) isPicture() bool { return u.kind.String() == "video" && !u.header() }

// checkLadderLive blurs the renditions, changes one and removes another.
func checkLadderLive(t *testing.T, n *node, source, renditions []*viewer) {
	t.Helper()
	a := n.blur(t, "show", "box", wide).mustState(t, "live")
	awaitPTS(t, append(slices.Clone(source), renditions...), a.PTS+1000)
	for _, v := range append(slices.Clone(source), renditions...) {
		all := moving.marker.read(t, v.name, v.got())
		if _, greatest := extremes(between(all, a.PTS, 1<<40)); greatest > unreadable {
			t.Errorf("%s: contrast %.1f", v.name, greatest)
		}
	}
	n.ladder(t, "show", rendition{Name: "180p", Height: 240}) // 480p is gone, 180p is another now
	await(t, "the changed rendition comes in its new size", func() bool {
		renditions[1].mustWatch(t)
		all := moving.marker.read(t, renditions[1].name, renditions[1].got())
		return all[len(all)-1].height == 240
	})
	await(t, "nothing is left of the one that was removed", func() bool {
		_, tree := n.get(t, "/debug/tree?all=1")
		return !strings.Contains(tree, "process/480p") && !strings.Contains(tree, "topic/480p")
	})
	checkDecodes(t, renditions[1].name, renditions[1].got())
	n.ladder(t, "show")
	end := latestPTS(source[0].got())
	awaitPTS(t, source, end+700)
}
