package settings

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

const (
	// retry is the pause before what could not be stored is tried again.
	retry = time.Second
	// lost is how long the keeper may take to answer; the question or the answer is lost then.
	lost = 10 * time.Second
	// atOnce bounds the keys of one round of trying again.
	atOnce = 256
)

// keeping is what is known of how a key's settings are kept beyond this node.
type keeping struct {
	unstored bool   // these settings are not known to be stored for all nodes
	storing  bool   // the keeper is asked to keep it
	turn     uint64 // counts what it is asked
	since    time.Time
	next     time.Time // when the keeper may be asked again
	getters  []*actor.PID
	loading  time.Time // when the keeper was asked for what others have, zero if it was not
}

// store has the keeper keep what is not stored yet.
func (m *machine) store(key string, e *entry, now time.Time) {
	if m.Keeper == nil || !e.unstored {
		return
	}
	m.dirty[key] = e
	if now.Before(e.next) ||
		e.storing && now.Sub(e.since) < lost {
		return
	}
	e.storing, e.since = true, now
	e.turn++
	m.out.Send(m.Keeper, &Store{
		Key: key, Base: e.base, Version: e.settings.Version, Turn: e.turn,
		Data: e.encode(false), Mirror: e.encode(true),
	})
}

// again has the keeper try again what it could not keep.
func (m *machine) again(now time.Time) {
	n := 0
	for key, e := range m.dirty {
		switch {
		case !e.unstored:
			delete(m.dirty, key)
		case !now.Before(e.next) && n < atOnce:
			n++
			m.store(key, e, now)
		}
	}
}

// vanished has what was stored for all nodes be stored again, if there is anything, with the next
// round of trying: it may be every key's. What is being stored may be gone too.
func (m *machine) vanished(key string) {
	if e := m.entries[key]; e != nil && m.Keeper != nil && e.settings.Version > 0 {
		e.unstored, e.storing = true, false
		e.turn++
		m.dirty[key] = e
	}
}

// rebind notes that the keeper is another one: what the former was asked may be lost.
func (m *machine) rebind(now time.Time) {
	for key, e := range m.entries {
		if len(e.getters) > 0 {
			e.loading = now
			m.out.Send(m.Keeper, &Load{Key: key})
		}
		if e.storing {
			e.storing = false
			m.store(key, e, now)
		}
	}
}

// unstored tells whether anything may have to be stored yet.
func (m *machine) unstored() bool { return len(m.dirty) > 0 }

// kept notes what the keeper did.
func (m *machine) kept(k *Kept, now time.Time) {
	e := m.entries[k.Key]
	switch {
	case e == nil, k.Turn != e.turn && k.Version != 0:
	case k.Version == 0:
		for i := range k.Others {
			_ = m.adopt(&k.Others[i], e) // what cannot be read is not there
		}
		m.store(k.Key, e, now)
		m.loaded(k.Key, e)
	default:
		m.tried(k, e, now)
	}
}

// tried notes what became of a Store.
func (m *machine) tried(k *Kept, e *entry, now time.Time) {
	e.storing, e.next = false, time.Time{}
	if k.Stored {
		e.stored(k.Version)
		e.unstored = e.settings.Version != k.Version
	}
	if k.Backup != nil && k.Backup.Reason != "" { // it has to have it
		e.unstored = true
	}
	reason, merged := k.Reason, false
	for i := range k.Others {
		if err := m.conflict(&k.Others[i], e); err != nil {
			reason = err.Error()
		} else {
			merged = true
		}
	}
	for _, s := range e.seen {
		if s.answer == nil && s.version <= k.Version && k.Backup != nil {
			s.backup = k.Backup
		}
		switch {
		case s.answer != nil || s.version > k.Version:
		case k.Stored || k.Mirrored:
			s.kept = true
			m.settle(k.Key, e, s)
		case s.held != nil && !merged:
			m.unkept(s, reason)
		}
	}
	if k.Stored || merged || k.Mirrored && e.settings.Version > k.Version {
		m.store(k.Key, e, now) // there is more by now
	} else {
		e.next = now.Add(retry)
	}
}

// conflict goes on from what others have stored meanwhile.
func (m *machine) conflict(a *Adopt, e *entry) error {
	if a.Stored && a.Version < e.base { // what was stored has been lost there; this is later
		e.base = a.Version
		return nil
	}
	if a.Stored && a.Version == e.base && a.Version > 0 {
		e.base-- // of the same version, and another
	}
	return m.adopt(a, e)
}

// unkept answers a command that holds here and is not kept anywhere else, and says so.
func (m *machine) unkept(s *seen, reason string) {
	a := *s.held
	if !s.kept {
		if a.Note != "" {
			a.Note += "; "
		}
		a.Note += "it is not kept on any other node yet: " + reason
	}
	m.answer(s, &a)
}

// take adopts the settings that others have and answers with what is here now.
func (m *machine) take(a *Adopt, from *actor.PID, now time.Time) {
	e := m.entry(a.Key, now)
	out := &Adopted{Key: a.Key, Reason: "this node keeps the settings of too many keys"}
	if e != nil {
		out = m.merge(a, e, now)
	}
	if a.Await {
		m.await(a, out, e, from)
	} else {
		m.out.Send(from, out)
	}
}

func (m *machine) merge(a *Adopt, e *entry, now time.Time) *Adopted {
	err := m.adopt(a, e)
	out := m.export(a.Key)
	if err != nil {
		out.Reason = err.Error()
	}
	m.store(a.Key, e, now)
	return out
}

// export returns the record of a key.
func (m *machine) export(key string) *Adopted {
	out := &Adopted{Key: key}
	if e := m.entries[key]; e != nil && e.settings.Version > 0 {
		out.Version, out.Data = e.settings.Version, e.encode(true)
	}
	return out
}

// adopt merges what others have into what is here.
func (m *machine) adopt(a *Adopt, e *entry) error {
	in, err := decode(a.Data)
	if err != nil {
		return err
	}
	mine := e.settings.Version
	switch {
	case in.same(&e.record):
		if a.Stored {
			e.stored(mine)
			e.unstored = false
		}
		return nil
	case !a.Stored && in.settings.Version < mine,
		a.Stored && in.settings.Version <= e.base: // it is old
		return nil
	}
	if a.Stored {
		in.base, in.pending = in.settings.Version, nil
	}
	e.rebase(in, a.Stored)
	e.unstored = e.unstored || m.backed(a.Key) // the backup has to hear of it
	m.tell(a.Key, e)
	return nil
}

// rebase goes on from what others have: what is pending here and not in it is done again on top.
func (e *entry) rebase(in *record, stored bool) {
	mine, pending := e.settings.Version, e.pending
	e.storing = false // what is being stored is no former version of this
	e.turn++
	e.record = *in
	e.unstored = !stored
	for _, p := range pending {
		e.unstored = e.redo(p) || e.unstored
	}
	if e.settings.Version <= mine { // another content needs another version
		e.settings.Version = mine + 1
		e.unstored = true
	}
}

// tell tells the follower, and waits for it once more for what is not answered.
func (m *machine) tell(key string, e *entry) {
	m.out.Send(e.follower, e.current(key))
	for _, s := range e.seen {
		if s.answer != nil {
			continue
		}
		s.version, s.kept = e.settings.Version, !e.unstored
		if e.follower != nil {
			s.held = nil
		}
		m.settle(key, e, s)
	}
}

// get answers who asks for settings. Of a key that nobody publishes here there may be later ones.
func (m *machine) get(g *Get, from *actor.PID, now time.Time) {
	e := m.entries[g.Key]
	if m.Keeper != nil && (e == nil || e.follower == nil) {
		e = m.entry(g.Key, now)
	}
	switch {
	case e == nil:
		initial := m.Initial
		m.out.Send(from, &Current{Key: g.Key, Settings: &initial})
	case m.Keeper == nil || e.follower != nil || len(e.getters) >= maxSeen:
		e.touched = now
		m.out.Send(from, e.current(g.Key))
	default:
		e.getters = append(e.getters, from)
		if now.Sub(e.loading) > patience { // the former question may be lost
			e.loading = now
			m.out.Send(m.Keeper, &Load{Key: g.Key})
		}
	}
}

// loaded answers who has asked for settings, with what there is.
func (m *machine) loaded(key string, e *entry) {
	for _, to := range e.getters {
		m.out.Send(to, e.current(key))
	}
	e.getters, e.loading = nil, time.Time{}
	if e.settings.Version == 0 && e.follower == nil {
		delete(m.entries, key) // it was only asked for
	}
}
