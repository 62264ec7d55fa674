package settings

import "github.com/asynkron/protoactor-go/actor"

// waiter waits for the follower of a key to hold a version.
type waiter struct {
	version uint64
	to      *actor.PID
}

// await answers an Adopt once what it brought holds here, or nobody follows it.
func (m *machine) await(a *Adopt, out *Adopted, e *entry, from *actor.PID) {
	if e == nil || out.Reason != "" {
		m.out.Send(from, out)
		return
	}
	if len(e.awaiting) >= maxSeen { // the oldest does not wait any more
		e.awaiting = e.awaiting[1:]
	}
	e.awaiting = append(e.awaiting, waiter{e.settings.Version, from})
	m.heard(a.Key, e)
}

// heard answers those whose version holds.
func (m *machine) heard(key string, e *entry) {
	var rest []waiter
	for _, w := range e.awaiting {
		switch {
		case e.follower == nil:
			out := m.export(key)
			out.State = Stored
			m.out.Send(w.to, out)
		case e.holds != nil && e.holds.Version >= w.version:
			out := m.export(key)
			out.State, out.PTS = e.holds.State, e.holds.PTS
			m.out.Send(w.to, out)
		default:
			rest = append(rest, w)
		}
	}
	e.awaiting = rest
}

func (m *machine) backed(key string) bool { return m.Backed != nil && m.Backed(key) }

// weigh has an answer say no more than what holds at the backup too.
func (b *Backup) weigh(a *Answer) {
	switch {
	case b == nil || a.State == Stored:
		return
	case b.Reason == "":
		a.PTS = max(a.PTS, b.PTS)
		return
	}
	a.State, a.PTS, a.Epoch = Stored, 0, 0
	if a.Note != "" {
		a.Note += "; "
	}
	a.Note += "the publisher's backup"
	if b.Node != "" {
		a.Note += " on node " + b.Node
	}
	a.Note += " is not known to hold it: " + b.Reason
}
