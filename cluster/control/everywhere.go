package control

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/cluster/wire"
)

// askAllTime bounds how long the other nodes are asked what they carry: what the directory knows is
// told without the rest then.
const askAllTime = time.Second

// everywhere are the broadcasts of the whole cluster: of those here all is known, of others what
// the directory tells, and what their nodes tell in time.
func (o *Options) everywhere(ctx context.Context, here []Broadcast) []Broadcast {
	view := o.Cluster.View()
	self := o.Cluster.Self.Name
	known := map[[2]string]*Broadcast{}
	for i := range here {
		if here[i].Node = self; here[i].Role == "" {
			here[i].Role = roleActive
		}
		known[[2]string{self, here[i].Key}] = &here[i]
	}
	for node, listed := range o.askAll(ctx, view.Carried) {
		for _, b := range listed.Broadcasts {
			known[[2]string{node, b.Key}] = &Broadcast{
				Key: b.Key, Viewers: b.Viewers, Video: b.Video, Audio: b.Audio, Bitrate: b.Bitrate,
				Since: b.Since.UTC(),
			}
		}
	}
	live := map[string]bool{} // a standby's broadcast is live if its active's is
	for _, c := range view.Carried {
		live[c.Key] = live[c.Key] || c.Publishing
	}
	out := make([]Broadcast, 0, len(view.Carried))
	for _, c := range view.Carried {
		at := [2]string{c.Node, c.Key}
		b := Broadcast{Key: c.Key}
		if detailed := known[at]; detailed != nil {
			b = *detailed
		}
		delete(known, at)
		b.Epoch, b.State = c.Epoch, stateOf(live[c.Key])
		b.Node, b.Role, b.Standby = c.Node, c.Role, c.Standby
		out = append(out, b)
	}
	for i := range here { // the directory does not know it yet
		if known[[2]string{self, here[i].Key}] != nil {
			out = append(out, here[i])
		}
	}
	slices.SortStableFunc(out, func(a, b Broadcast) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Node, b.Node))
	})
	return out
}

// askAll asks the nodes that carry something what that is.
func (o *Options) askAll(ctx context.Context, carried []Carried) map[string]*wire.Listed {
	ctx, cancel := context.WithTimeout(ctx, askAllTime)
	defer cancel()
	var mu sync.Mutex
	out := map[string]*wire.Listed{}
	asked := map[string]bool{o.Cluster.Self.Name: true}
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) { o.Log.Error(p.Error()) })
	var all sync.WaitGroup
	for _, c := range carried {
		if c.Role != roleActive && c.Role != roleBackup || asked[c.Node] {
			continue
		}
		asked[c.Node] = true
		all.Add(1)
		group.Go("list", func(context.Context) {
			defer all.Done()
			reply, err := o.Cluster.Ask(ctx, c.Node, &wire.List{})
			if listed, ok := reply.(*wire.Listed); ok && err == nil {
				mu.Lock()
				defer mu.Unlock()
				out[c.Node] = listed
			}
		})
	}
	all.Wait()
	return out
}
