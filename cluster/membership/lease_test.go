package membership

import (
	"testing"
	"time"
)

func newLease() *lease {
	return &lease{ttl: TTL, backoff: backoff{
		min: 100 * time.Millisecond, max: time.Second, jitter: func() float64 { return 1 },
	}}
}

// TestPausedLeaseIsOver has the process stopped for longer than the lease, in every state in which
// it may be: it is over by the clock before etcd is asked for anything.
func TestPausedLeaseIsOver(t *testing.T) {
	now := time.Now()
	l := newLease()
	if do, _ := l.step(now); do != take {
		t.Fatalf("begins with %v", do)
	}
	l.acknowledged(7, TTL, now)
	if l.held(now.Add(TTL/2)) != 7 {
		t.Error("it does not hold")
	}
	do, pause := l.step(now)
	if do != wait || pause != TTL/5 {
		t.Errorf("%v for %v", do, pause)
	}
	woken := now.Add(10 * time.Second)
	if l.held(woken) != 0 {
		t.Error("it holds after a pause")
	}
	if do, _ = l.step(woken); do != mourn {
		t.Errorf("after a pause: %v", do)
	}
	if do, _ = l.step(woken); do != take {
		t.Errorf("after mourning: %v", do)
	}
	// An answer that waited in the socket for as long as the process was stopped renews nothing.
	l.acknowledged(8, TTL, now)
	if l.held(woken) != 0 {
		t.Error("an old answer renews it")
	}
}

// TestLeaseCountsFromWhatWasSent has answers come late: they count from when they were asked for.
func TestLeaseCountsFromWhatWasSent(t *testing.T) {
	begin := time.Now()
	l := newLease()
	l.acknowledged(1, TTL, begin)
	sent := begin.Add(time.Second)
	l.acknowledged(1, TTL, sent)
	if l.held(sent.Add(TTL-l.margin()-1)) == 0 || l.held(sent.Add(TTL-l.margin())) != 0 {
		t.Errorf("until %v after it was sent", l.until.Sub(sent))
	}
	now := sent.Add(TTL / 5)
	for range 100 {
		do, pause := l.step(now)
		switch do {
		case keep:
			l.unanswered(now)
		case wait:
			now = now.Add(pause)
		case mourn:
			if over := now.Sub(l.until); over != 0 {
				t.Errorf("told %v late", over)
			}
			return
		}
	}
	t.Error("it never ends")
}

func TestBackoffIsCapped(t *testing.T) {
	b := backoff{min: 100 * time.Millisecond, max: time.Second, jitter: func() float64 { return 0.5 }}
	var last time.Duration
	for range 20 {
		d := b.next()
		if d < last || d > time.Second {
			t.Errorf("%v after %v", d, last)
		}
		last = d
	}
	if last != 750*time.Millisecond {
		t.Errorf("in the end %v", last)
	}
	b.reset()
	if d := b.next(); d != 75*time.Millisecond {
		t.Errorf("after a reset %v", d)
	}
}
