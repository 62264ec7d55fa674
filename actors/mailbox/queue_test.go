package mailbox

import (
	"slices"
	"testing"
)

// FuzzQueue holds the ring against a plain slice. A byte is a step: its low bits say push control,
// push media, pop or drop the oldest.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 2, 3})
	f.Add([]byte{0, 0, 0, 1, 3, 0, 2, 2, 1, 1, 3, 3, 3, 2, 2, 2, 2})
	f.Add([]byte{1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 0, 3, 3, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var q queue
		var model []slot
		for i, step := range steps {
			at := int64(i + 1)
			switch step & 3 {
			case 0:
				q.push(&control{i}, at)
				model = append(model, slot{&control{i}, at})
			case 1:
				q.push(&media{i}, at)
				model = append(model, slot{&media{i}, at})
			case 2:
				if len(model) > 0 {
					same(t, q.pop(), model[0].msg)
					model = model[1:]
				}
			case 3:
				var want any
				if at := slices.IndexFunc(model, func(s slot) bool { return droppable(s.msg) }); at >= 0 {
					want = model[at].msg
					model = slices.Delete(model, at, at+1)
				}
				same(t, q.dropOldest(), want)
			}
			oldest := int64(0)
			if len(model) > 0 {
				oldest = model[0].at
			}
			if q.n != len(model) || q.oldest() != oldest {
				t.Fatalf("step %d: n %d oldest %d, want %d and %d", i, q.n, q.oldest(), len(model), oldest)
			}
		}
		for _, s := range model {
			same(t, q.pop(), s.msg)
		}
		held := slices.ContainsFunc(q.slots, func(s slot) bool { return s.msg != nil })
		if held || q.loose != 0 {
			t.Fatalf("the empty ring holds a message: %v, counts %d droppable", held, q.loose)
		}
	})
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if want == nil {
		if got != nil {
			t.Fatalf("got %v, want nothing", got)
		}
		return
	}
	if got == nil || spellOne(got) != spellOne(want) {
		t.Fatalf("got %v, want %s", got, spellOne(want))
	}
}
