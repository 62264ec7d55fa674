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

// Confine bounds this process as a child is bounded, before it touches what a stranger sent.
func Confine(memory int64, nice int) error {
	return confine(childOptions{Memory: memory, Nice: nice})
}

// ChildEnv is the environment of a child process: a node's may hold secrets.
func ChildEnv() []string { return childEnv() }
