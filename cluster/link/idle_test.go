package link

import (
	"fmt"
	"runtime"
	"testing"
)

// TestIdleSubscriptions says what an edge's link keeps of a subscription.
func TestIdleSubscriptions(t *testing.T) {
	const subscriptions = 10_000
	table := newTable()
	before := allocated()
	for i := range subscriptions {
		key := fmt.Sprint("live/", i)
		table.subscribe(key, "", pidOf(key))
	}
	each := (allocated() - before) / subscriptions
	t.Logf("%d bytes a subscription", each)
	if each > 700 {
		t.Error("want 700 at the most")
	}
	runtime.KeepAlive(table)
}

func allocated() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
