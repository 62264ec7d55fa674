package e2e

import (
	"fmt"
	"os"
	"testing"
)

// TestDemoCluster runs what make demo-cluster runs: a viewer on each edge goes on when the origin
// that has the broadcast is killed.
func TestDemoCluster(t *testing.T) {
	t.Parallel()
	port := fmt.Sprint(10_000 + os.Getpid()%500*40) // beside what the kernel gives out
	p := startIn(t, []string{"HEADWATER_DEMO_PORT=" + port},
		"../../../deploy/scripts/demo-cluster.sh", headwater)
	awaitFor(t, 4*patience, "the demonstration is over", func() bool { return over(p.ended) })
	wrote := finish(t, p)
	for _, edge := range []string{"edge-1", "edge-2"} {
		if !p.stdout.has("the viewer of " + edge + " goes on, on the same connection") {
			t.Errorf("%s is not shown to go on", edge)
		}
	}
	if p.exitCode() != 0 {
		t.Errorf("it ends with %d\n%s", p.exitCode(), last(wrote))
	}
}
