package link

import (
	"fmt"
	"testing"
)

// One address takes some of the room that there is for strangers, not all of it.
func TestCrowd(t *testing.T) {
	c := &crowd{}
	enter := func(remote string) bool { return c.enter(oneOf(remote)) }
	for i := range 200 {
		for _, remote := range []string{
			fmt.Sprintf("10.0.0.1:%d", i+1), fmt.Sprintf("[::ffff:10.0.0.1]:%d", i+1),
			fmt.Sprintf("[2001:db8::%x]:5", i+1),
		} {
			if in, want := enter(remote), c.all <= negotiating; in && !want {
				t.Fatalf("%s enters, the %dth", remote, c.all)
			}
		}
	}
	if c.all != 2*fromOne {
		t.Errorf("%d from two addresses, want %d", c.all, 2*fromOne)
	}
	if !enter("[2001:db8:0:1::1]:5") || !enter("[fe80::1%eth0]:5") || !enter("10.0.0.2:1") {
		t.Error("others do not enter")
	}
	for i := range 200 {
		enter(fmt.Sprintf("10.0.1.%d:1", i))
	}
	if c.all != negotiating {
		t.Errorf("%d in all, want %d", c.all, negotiating)
	}
	for range fromOne {
		c.leave(oneOf("10.0.0.1:9"))
	}
	if !enter("10.0.0.1:1") || len(c.by) != 2+3+negotiating-2*fromOne-3 {
		t.Errorf("who has left is counted: %d addresses", len(c.by))
	}
}
