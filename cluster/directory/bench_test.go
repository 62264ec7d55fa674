package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/cluster/membership"
)

// crowded is a machine among 100 nodes, with 1000 broadcasts that somebody here wants to know of.
func crowded(b *testing.B, fanout int) (*machine, time.Time) {
	b.Helper()
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	o := &Options{Node: *benchNode("n"), Keys: NewKeys("test"), Metrics: metrics, Fanout: fanout}
	m := newMachine(o, actors.ClusterPlace{}, newMemory(), func(string, error) {})
	now := time.Unix(1000, 0)
	var changes []membership.Change
	for i := range 100 {
		name := fmt.Sprintf("node-%d", i)
		changes = append(changes, membership.Change{
			Key: kindNodes + name, Value: encode(benchNode(name)),
		})
	}
	for i := range 1000 {
		changes = append(changes, membership.Change{
			Key:   fmt.Sprintf("broadcasts/live%%2F%d/node-%d", i, i%100),
			Value: encode(&Broadcast{Role: Active, Epoch: 5}),
		})
		m.locate(fmt.Sprintf("live/%d", i), now)
	}
	m.apply(changes, true, true, now)
	m.out.Take()
	return m, now
}

// BenchmarkLoadOfAnother is what the load of another node costs, which each writes every two
// seconds at the most.
func BenchmarkLoadOfAnother(b *testing.B) {
	m, now := crowded(b, 0)
	n := benchNode("node-7")
	b.ReportAllocs()
	for i := range b.N {
		n.Load.Viewers = i
		m.apply([]membership.Change{{Key: "nodes/node-7", Value: encode(n)}}, true, true, now)
	}
}

// BenchmarkNodeComesAndGoes is what a node costs that comes or goes.
func BenchmarkNodeComesAndGoes(b *testing.B) {
	for _, fanout := range []int{0, 4} {
		b.Run(fmt.Sprintf("fanout=%d", fanout), func(b *testing.B) {
			m, now := crowded(b, fanout)
			value := encode(benchNode("other"))
			for i := range b.N {
				c := membership.Change{Key: "nodes/other", Value: value, Deleted: i%2 == 1}
				m.apply([]membership.Change{c}, true, true, now)
				m.out.Take()
			}
		})
	}
}
