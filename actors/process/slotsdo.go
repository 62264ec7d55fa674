package process

import "context"

// Do does work in a slot, and reports false, without having done it, when ctx is done before one is
// free.
func (s *Slots) Do(ctx context.Context, work func()) bool {
	lease := s.take(ctx, nil)
	if lease == nil {
		return false
	}
	defer lease.end()
	work()
	return true
}
