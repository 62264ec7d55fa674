package actors

import "testing"

// Pins of who follows an edge from another node count, but for those of an edge that a standby has.
func TestFeeds(t *testing.T) {
	const pins = "node/pins/pin/live/"
	for _, c := range []struct {
		pins []string
		want int
	}{
		{nil, 0},
		{[]string{pins + "a@/standby"}, 0},
		{[]string{pins + "a@/peer/e-1.1", pins + "a@/peer/e-2.7", pins + "b@480p/peer/e-1.1"}, 2},
		{[]string{pins + "a@/peer/e-1.1", pins + "a@/standby"}, 0},
		{[]string{pins + "a@/standby", pins + "a@/peer/e-1.1", pins + "a@480p/peer/e-1.1"}, 1},
	} {
		if got := feeds(c.pins); got != c.want {
			t.Errorf("%v: %d, want %d", c.pins, got, c.want)
		}
	}
}
