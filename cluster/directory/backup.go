package directory

import (
	"maps"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
)

// backed is a broadcast whose publisher publishes a second time, here, while another node is the
// active one.
//
// What the publisher's second broadcast lets out is shown only once this node has everything that
// was commanded, and will have all that is: once the active says that this is its standby, it tells
// this node of each command, and what was commanded before is asked for then.
type backed struct {
	epoch      uint64 // the own broadcast's
	publishing bool
	doubt      time.Time // since when it is not known whether that is so still; or zero

	sure    bool // what is commanded is here
	asking  bool // for it
	again   time.Time
	unheld  time.Time       // since when this node is no member; or zero
	splices map[string]*pin // by rendition

	renditions []string // as they are commanded, for when there is no active
	asked      time.Time
}

// Backup is the record of a key's backup: the one that its active has as its standby, or without
// an active the first. It is nil if there is none.
func (v *View) Backup(key string) *Broadcast {
	active := v.Active(key)
	for _, b := range v.Broadcasts[key] {
		if b.Role == Backup && (active == nil || active.Standby == b.Node) {
			return b
		}
	}
	return nil
}

// Carrier is the record of the node that carries out what is commanded of a key, and answers for
// it: the active one, or without it the backup. It is nil if there is none.
func (v *View) Carrier(key string) *Broadcast {
	if active := v.Active(key); active != nil {
		return active
	}
	return v.Backup(key)
}

// joining is a Join that is being served, or what was commanded of a key that is asked for.
type joining struct {
	local.Join
	from *actor.PID // nil if nobody waits
	node string     // the active
	to   *local.Joined
	ask  []Node // who has the settings
	at   time.Time
}

// firstWait is how long a backup's publisher waits for the active to become known: an encoder
// begins to publish to both at once.
const firstWait = 2 * time.Second

// Reasons for a backup's publisher to read.
const (
	reasonUnknown = "what is commanded of the broadcast cannot be learned now, neither of its node " +
		"nor of the cluster's directory (etcd); try again"
)

// join says what a publisher who calls himself a backup is to be.
func (m *machine) join(j *local.Join, from *actor.PID, now time.Time) {
	m.decide(&joining{Join: *j, from: from, at: now}, now)
}

// joinAgain looks at those who wait for an active.
func (m *machine) joinAgain(now time.Time) {
	waiting := m.early
	m.early = nil
	for _, j := range waiting {
		m.decide(j, now)
	}
}

func (m *machine) decide(j *joining, now time.Time) {
	refuse := func(reason string) {
		m.out.Send(j.from, &local.Unjoined{Key: j.Key, Reason: reason})
	}
	active := m.atlas.view.Active(j.Key)
	mine := m.here[j.Key]
	switch {
	case mine != nil && mine.publishing:
		refuse(m.elsewhere(j.Key, "has the broadcast itself, and a backup belongs on another"))
	case mine == nil && active == nil && m.atlas.view.Held && now.Sub(j.at) < firstWait:
		m.early = append(m.early, j)
	case mine != nil, active == nil, active.Node == m.name:
		m.out.Send(j.from, &local.Joined{Key: j.Key}) // who comes is all that there is
	case !m.node.Has(RoleOrigin):
		refuse(m.elsewhere(j.Key, "is no origin"))
	case m.state == Draining:
		refuse(m.elsewhere(j.Key, "is draining"))
	case m.node.Limit > 0 && m.backups[j.Key] == nil &&
		len(m.here)+len(m.backups) >= m.node.Limit:
		refuse(m.elsewhere(j.Key, "is full"))
	default:
		j.node, j.ask = active.Node, m.carriers(j.Key)
		j.to = &local.Joined{Key: j.Key, Node: active.Node, Epoch: active.Epoch}
		m.joins = append(m.joins, j)
	}
}

// joined ends it: ok says that all that is commanded is here.
func (m *machine) joined(j *joining, ok bool, now time.Time) {
	switch {
	case j.from != nil && ok:
		m.out.Send(j.from, j.to)
		return
	case j.from != nil:
		m.out.Send(j.from, &local.Unjoined{Key: j.Key, Reason: reasonUnknown})
		return
	}
	b := m.backups[j.Key]
	if b == nil {
		return
	}
	b.asking = false
	if b.sure = ok; !ok {
		b.again = now.Add(time.Second)
	}
	m.splicing(j.Key, now)
}

// back notes that the broadcast of a backup publisher is here.
func (m *machine) back(h *local.Backup, now time.Time) {
	b := m.backups[h.Key]
	if b == nil {
		b = &backed{splices: map[string]*pin{}}
		m.backups[h.Key] = b
	}
	b.epoch, b.publishing, b.doubt = h.Epoch, h.Publishing, time.Time{}
	b.asked = now
	m.askRenditions(h.Key)
	m.pinning(h.Key, now)
	m.splicing(h.Key, now)
	m.record(h.Key)
	m.relocate(h.Key, now)
}

// unback notes that it is not any more.
func (m *machine) unback(h *local.NoBackup, now time.Time) {
	b := m.backups[h.Key]
	if b == nil || h.Epoch < b.epoch {
		return
	}
	b.sure = false
	m.splicing(h.Key, now)
	delete(m.backups, h.Key)
	m.pinning(h.Key, now)
	m.record(h.Key)
	m.relocate(h.Key, now)
}

// yields ends the backup broadcast of a key that this node is the active of by now.
func (m *machine) yields(key string, now time.Time) {
	b := m.backups[key]
	if b == nil || m.here[key] == nil {
		return
	}
	b.sure = false
	m.splicing(key, now)
	m.out.Send(m.place.Directory, &local.Outdated{
		Key: local.Beside(key), Epoch: b.epoch + 1, Node: m.name,
	})
}

// unheldTime is how long a backup that is no member goes on showing what its publisher sends: the
// active may not know of it any more, and tell it nothing of a command.
const unheldTime = 45 * time.Second

// splicing starts and ends the splices of a key, and first asks for what is commanded.
func (m *machine) splicing(key string, now time.Time) {
	b := m.backups[key]
	if b == nil {
		return
	}
	b.member(m.atlas.view.Held, now)
	m.learnFirst(key, b, now)
	p := m.pins[key]
	if p == nil || !b.shows(now) || m.here[key] != nil {
		p = &pinned{}
	}
	for _, rendition := range sortedKeys(b.splices) {
		if p.renditions[rendition] == nil {
			m.out.Send(m.place.Pins, &supervise.StopChild{
				Name: b.splices[rendition].child, Reason: "nothing is to be spliced",
			})
			delete(b.splices, rendition)
		}
	}
	for _, rendition := range sortedKeys(p.renditions) {
		one := b.splices[rendition]
		if one == nil {
			one = &pin{}
			b.splices[rendition] = one
		}
		if !one.up && p.renditions[rendition].up && now.Sub(one.asked) > startAgain {
			spec := m.place.Splice(key, rendition)
			one.child, one.asked = spec.Name, now
			m.out.Send(m.place.Pins, &supervise.StartChild{Spec: spec})
		}
	}
}

// member notes whether this node is one: what was commanded while it was not, for long, it may not
// have.
func (b *backed) member(held bool, now time.Time) {
	switch {
	case held:
		b.sure = b.shows(now)
		b.unheld = time.Time{}
	case b.unheld.IsZero():
		b.unheld = now
	}
}

// shows reports whether what the publisher sends may be given.
func (b *backed) shows(now time.Time) bool {
	return b.sure && (b.unheld.IsZero() || now.Sub(b.unheld) <= unheldTime)
}

// learnFirst asks for what is commanded, once whoever is active will tell of what will be.
func (m *machine) learnFirst(key string, b *backed, now time.Time) {
	v := &m.atlas.view
	chosen := v.Backup(key)
	if chosen == nil || chosen.Node != m.name || m.here[key] != nil || !v.Held ||
		b.sure || b.asking || now.Before(b.again) {
		return
	}
	b.asking = true
	j := &joining{Join: local.Join{Key: key}, ask: m.carriers(key)}
	if active := v.Active(key); active != nil {
		j.node = active.Node
	}
	m.joins = append(m.joins, j)
}

// mirrorAlone pins what a backup gives out that has no active: all that is commanded to be there.
func (m *machine) mirrorAlone(key string, now time.Time) {
	b, p := m.backups[key], m.pins[key]
	epoch, _ := m.atlas.view.highest(key)
	if p != nil {
		epoch = max(epoch, p.epoch)
	}
	if epoch == 0 { // nobody ever was active, as far as is known
		return
	}
	m.mirror(key, &Broadcast{Epoch: epoch, Renditions: b.renditions}, now)
}

// backupGone is how long an active awaits a backup whose node is gone from the directory: it may be
// there still, and show what it gets. A backup that is no member ends that before.
const backupGone = ghostTime

// knowBackup notes whether a broadcast that is active here has a backup, by its standby.
func (m *machine) knowBackup(key string, now time.Time) {
	c := m.here[key]
	if c == nil {
		m.await(key, "")
		return
	}
	v := &m.atlas.view
	switch b := v.Of(key, c.standby); {
	case b != nil && b.Role == Backup:
		c.backup, c.lost = b.Node, time.Time{}
	case c.backup == "":
	case v.Nodes[c.backup] != nil: // it has taken that back, or is something else by now
		c.backup = ""
	case c.lost.IsZero():
		c.lost = now
	case now.Sub(c.lost) > backupGone:
		c.backup = ""
	}
	m.await(key, c.backup)
}

// await has commands of a key await a backup, "" none, and the broadcast add nothing of its own to
// what the publisher sends while there is one.
func (m *machine) await(key, backup string) {
	v := &m.atlas.view
	if v.Awaited[key] == backup {
		return
	}
	m.place.Quiet(key, backup != "")
	v.Awaited = maps.Clone(v.Awaited)
	if backup == "" {
		delete(v.Awaited, key)
	} else {
		v.Awaited[key] = backup
	}
	m.told = true
}
