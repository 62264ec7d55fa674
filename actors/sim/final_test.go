package sim

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with the tree.
var (
	errDeaf    = errors.New("alive: a viewer of a broadcast that is published gets nothing")
	errAbsent  = errors.New("alive: nobody publishes, or views, who wants to")
	errLeft    = errors.New("gone: something is left though nobody is there")
	errEndings = errors.New("gone: an actor panicked while it ended")
	errDeadEnd = errors.New("gone: goroutines are left")
)

// fixed are the actors of a node with no broadcast: it and what it starts with.
const fixed = 9

// look looks at the tree about once a second.
func (w *world) look() {
	w.checkMailboxes()
	for _, pid := range w.census.PIDs("topic") {
		p := w.probes[pid]
		if p == nil || p.alone.IsZero() {
			continue
		}
		if alone := time.Since(p.alone); alone > p.grace+5*time.Second { // it may have been starved
			w.fail(pid, fmt.Errorf("%w: %v, grace %v", errGrace, alone, p.grace))
		}
	}
	w.in(time.Second, w.look)
}

// checkMailboxes reads lengths and capacities off the live tree.
func (w *world) checkMailboxes() {
	var out bytes.Buffer
	if err := w.node.DrawTree(&out, 0); err != nil {
		w.fail("node", err)
	}
	for line := range strings.Lines(out.String()) {
		for _, word := range strings.Fields(line) {
			length, capacity, ok := strings.Cut(word, "/")
			n, err := strconv.Atoi(length)
			bound, err2 := strconv.Atoi(capacity)
			if ok && err == nil && err2 == nil && n > bound {
				w.fail("node", fmt.Errorf("%w: %s", errBox, line))
			}
		}
	}
}

// grace of a viewer: how long he may get nothing while his broadcast is published.
const patienceForMedia = 3 * time.Second

// checkAlive holds that after a time without faults everybody is served who wants to be.
func (w *world) checkAlive() {
	if w.broken != nil {
		return
	}
	for _, k := range w.keys {
		if k.session == nil || !k.session.up {
			w.fail(k.name, fmt.Errorf("%w: no publisher", errAbsent))
		}
	}
	for _, v := range w.sortedViewers() {
		s := v.key.session
		if !v.up || v.over || s == nil || time.Since(s.began) < patienceForMedia {
			continue
		}
		if time.Since(v.last) > patienceForMedia || v.latest.session != s.id {
			w.fail(v.pid, fmt.Errorf("%w: for %v, last of session %d, now %d", errDeaf,
				time.Since(v.last), v.latest.session, s.id))
		}
	}
}

// checkGone holds that nothing is left of broadcasts that nobody publishes or views.
func (w *world) checkGone() {
	if w.broken != nil {
		return
	}
	if n := w.census.Len(); n != fixed || len(w.probes) != 4 {
		var out bytes.Buffer
		_ = w.node.DrawTree(&out, 0)
		w.fail("node", fmt.Errorf("%w: %d actors, %d probes\n%s", errLeft, n, len(w.probes), &out))
	}
	for _, k := range w.census.Kinds() {
		if n := k.Goroutines.Running.Load(); n != 0 {
			w.fail("node", fmt.Errorf("%w: %d of %s", errDeadEnd, n, k.Name))
		}
		if n := k.EndPanics.Load(); n != 0 && !w.bombed {
			w.fail("node", fmt.Errorf("%w: %d of %s", errEndings, n, k.Name))
		}
		w.counts.drops += int(k.Drops.Load())
	}
	if p := w.probes["node/directory"]; p != nil {
		w.checkDirectory(reflect.ValueOf(p.inner).Elem())
	}
}

// checkDirectory holds that nobody follows a key, publishes it or waits for it.
func (w *world) checkDirectory(directory reflect.Value) {
	entries := directory.FieldByName("machine").Elem().FieldByName("entries")
	for each := entries.MapRange(); each.Next(); {
		e := each.Value().Elem()
		followers, claims := e.FieldByName("followers").Len(), e.FieldByName("claims").Len()
		if followers != 0 || claims != 0 || !e.FieldByName("current").IsNil() {
			w.fail("node/directory", fmt.Errorf("%w: key %v: %d followers, %d claims, topic %v", errLeft,
				each.Key(), followers, claims, e.FieldByName("current")))
		}
	}
}
