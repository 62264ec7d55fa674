package topic

import "slices"

// Watcher is told when a ring has moved, at once and whatever the merge window is, by whoever moved
// it. It is for a reader that follows many rings from one goroutine: it must not wait.
type Watcher interface{ RingMoved() }

// Watch has a watcher told from now on.
func (r *Ring) Watch(w Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Watcher
	if now := r.watchers.Load(); now != nil {
		all = slices.Clone(*now)
	}
	all = append(all, w)
	r.watchers.Store(&all)
}

// Unwatch ends a Watch.
func (r *Ring) Unwatch(w Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.watchers.Load()
	if now == nil {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(*now), func(o Watcher) bool { return o == w })
	if len(rest) == 0 {
		r.watchers.Store(nil)
		return
	}
	r.watchers.Store(&rest)
}

// Tell tells the watchers. It is the writer's.
func (r *Ring) Tell() {
	if all := r.watchers.Load(); all != nil {
		for _, w := range *all {
			w.RingMoved()
		}
	}
}

// Watchers counts them.
func (r *Ring) Watchers() int {
	if all := r.watchers.Load(); all != nil {
		return len(*all)
	}
	return 0
}
