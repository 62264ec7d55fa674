package supervise

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// few is up to how many children are looked through for a name: most supervisors have two or three,
// and a map costs as much as they do.
const few = 8

// kids are the actors of a supervisor's children: a few in a row, many by their names.
type kids struct {
	row    []*kid
	byName map[string]*kid // in place of the row, once they are more than few
}

func (k *kids) of(name string) *kid {
	if k.byName != nil {
		return k.byName[name]
	}
	if i := k.index(name); i >= 0 {
		return k.row[i]
	}
	return nil
}

func (k *kids) index(name string) int {
	return slices.IndexFunc(k.row, func(one *kid) bool { return one.vital.Spec.Name == name })
}

// add enters a child in place of a former one of its name.
func (k *kids) add(one *kid) {
	name := one.vital.Spec.Name
	i := k.index(name)
	switch {
	case k.byName != nil:
		k.byName[name] = one
	case i >= 0:
		k.row[i] = one
	case len(k.row) < few:
		k.row = append(k.row, one)
	default:
		k.byName = map[string]*kid{name: one}
		for _, former := range k.row {
			k.byName[former.vital.Spec.Name] = former
		}
		k.row = nil
	}
}

func (k *kids) remove(name string) {
	delete(k.byName, name)
	if i := k.index(name); i >= 0 {
		k.row = slices.Delete(k.row, i, i+1)
	}
}

func (k *kids) len() int { return len(k.row) + len(k.byName) }

func (k *kids) all() iter.Seq[*kid] {
	if k.byName != nil {
		return maps.Values(k.byName)
	}
	return slices.Values(k.row)
}

// names are those of all, whatever becomes of them meanwhile.
func (k *kids) names() []string {
	names := make([]string, 0, k.len())
	for one := range k.all() {
		names = append(names, one.vital.Spec.Name)
	}
	return names
}

// timers are pauses and lingers, by the machine's number. There are hardly ever many.
type timers []numbered

type numbered struct {
	n     int
	timer *time.Timer
}

func (t *timers) add(n int, timer *time.Timer) { *t = append(*t, numbered{n, timer}) }

func (t *timers) remove(n int) {
	*t = slices.DeleteFunc(*t, func(o numbered) bool { return o.n == n })
}

func (t *timers) stop() {
	for _, o := range *t {
		o.timer.Stop()
	}
}
