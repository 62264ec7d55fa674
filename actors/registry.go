package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// registryShards is how many of a registry's maps are used. Each is 32 maps with a lock of their
// own, ample for any number of processors.
const registryShards = 8

// shrink makes a registry of processes small. Protoactor's has 32768 maps, which are three
// megabytes on a node that does nothing, and half a kilobyte for each actor of the first ten
// thousand, who hardly ever meet in a map. The system must not have begun to work.
func shrink(r *actor.ProcessRegistryValue) {
	all := r.LocalPIDs.LocalPIDs
	small := &actor.SliceMap{LocalPIDs: slices.Clone(all[:registryShards])} // not to keep all
	for _, shard := range all {
		if shard.Count() == 0 {
			continue
		}
		for id, process := range shard.Items() {
			shard.Remove(id)
			small.GetBucket(id).Set(id, process)
		}
	}
	r.LocalPIDs = small
}
