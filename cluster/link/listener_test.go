package link

import (
	"fmt"
	"testing"
)

// One address takes some of the room that there is for strangers, not all of it.
func TestNewcomers(t *testing.T) {
	c, all := newcomers(), 0
	var leaves []func()
	enter := func(remote string) bool {
		leave, err := c.Enter(remote)
		if err != nil {
			return false
		}
		all++
		if leaves = append(leaves, leave); all > negotiating {
			t.Fatalf("%s enters, the %dth", remote, all)
		}
		return true
	}
	for i := range 200 {
		for _, remote := range []string{
			fmt.Sprintf("10.0.0.1:%d", i+1), fmt.Sprintf("[::ffff:10.0.0.1]:%d", i+1),
			fmt.Sprintf("[2001:db8::%x]:5", i+1),
		} {
			enter(remote)
		}
	}
	if all != 2*fromOne {
		t.Errorf("%d from two addresses, want %d", all, 2*fromOne)
	}
	first := leaves
	if !enter("[2001:db8:0:1::1]:5") || !enter("[fe80::1%eth0]:5") || !enter("10.0.0.2:1") {
		t.Error("others do not enter")
	}
	for i := range 200 {
		enter(fmt.Sprintf("10.0.1.%d:1", i))
	}
	if all != negotiating {
		t.Errorf("%d in all, want %d", all, negotiating)
	}
	for _, leave := range first {
		leave()
		all--
	}
	if !enter("10.0.0.1:1") {
		t.Error("who has left is counted")
	}
}
