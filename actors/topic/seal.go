package topic

// Seal has those who join from now on begin at a keyframe that is still to come: what came so far
// must not be shown to anybody new. It is passed on to the subscribers.
type Seal struct {
	// Epoch and Seq are the last unit that is sealed. A zero Epoch means all that the topic has.
	Epoch, Seq uint64
}

// covers reports whether a unit may not be what a late joiner begins with.
func (s *Seal) covers(u *Unit) bool {
	return s != nil && (u.Epoch < s.Epoch || u.Epoch == s.Epoch && u.Seq <= s.Seq)
}

// Seal forgets the place where a decoder can begin, if it is sealed, and lets no place be one again
// that is: a seal may overtake units that were on their way. It returns what is sealed, nil
// for nothing.
func (m *Machine) Seal(s *Seal) *Seal {
	if s.Epoch == 0 {
		s = &Seal{Epoch: m.mark.epoch, Seq: m.mark.seq}
	}
	if s.Epoch == 0 {
		return nil
	}
	if former := m.ring.sealed.Load(); former != nil && (s.Epoch < former.Epoch ||
		s.Epoch == former.Epoch && s.Seq <= former.Seq) {
		return former
	}
	m.ring.seal(s)
	return s
}

// seal is the writer's. A reader that finds a unit behind the sealed ones finds the seal too, as it
// was there before.
func (r *Ring) seal(s *Seal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed.Store(s)
	if e := r.entry.Load(); e != nil && s.covers(e.unit) {
		r.entry.Store(nil)
	}
	if e := r.shown.Load(); e != nil && s.covers(e.unit) {
		r.shown.Store(nil)
	}
}

// Sealed returns the latest seal, nil if there was none.
func (r *Ring) Sealed() *Seal { return r.sealed.Load() }
