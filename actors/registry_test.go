package actors

import (
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// Whoever was in a registry before it shrank is found after, and so is whoever comes later.
func TestShrink(t *testing.T) {
	system := actor.NewActorSystem()
	nobody := actor.PropsFromFunc(func(actor.Context) {})
	spawn := func(id string) *actor.PID {
		pid, err := system.Root.SpawnNamed(nobody, id)
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	var pids []*actor.PID
	for i := range 200 {
		if i == 100 {
			shrink(system.ProcessRegistry)
		}
		pids = append(pids, spawn(fmt.Sprint("a/", i)))
	}
	for _, pid := range pids {
		if _, found := system.ProcessRegistry.GetLocal(pid.Id); !found {
			t.Errorf("%s is not found", pid.Id)
		}
		if _, err := system.Root.SpawnNamed(nobody, pid.Id); err == nil {
			t.Errorf("%s is there twice", pid.Id)
		}
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
		if _, found := system.ProcessRegistry.GetLocal(pid.Id); found {
			t.Errorf("%s is found after its end", pid.Id)
		}
	}
}
