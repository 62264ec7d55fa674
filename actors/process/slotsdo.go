package process

import "context"

// Do does work in a slot, which m counts as busy, and reports false, without having done it, when
// ctx is done before one is free.
func (s *Slots) Do(ctx context.Context, m *Metrics, work func()) bool {
	lease := s.take(ctx, m.slots)
	if lease == nil {
		return false
	}
	defer lease.end()
	work()
	return true
}
