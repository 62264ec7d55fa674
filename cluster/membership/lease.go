package membership

import "time"

// lease is what a session knows of its lease, by the clock alone: it asks nobody and is told the
// time. It is over when it may be over.
type lease struct {
	ttl     time.Duration // wanted
	id      int64         // 0 for none
	until   time.Time     // by when it is over unless it is kept
	next    time.Time     // when to ask etcd next
	backoff backoff
}

// deed is what a lease needs done.
type deed uint8

const (
	wait  deed = iota
	take       // a new one
	keep       // the one that is held
	mourn      // it is over: tell so
)

// margin is how much earlier a lease counts as over than etcd may end it: for clocks that do not
// run alike.
func (l *lease) margin() time.Duration { return l.ttl / 30 }

// step says what to do now, or how long to wait.
func (l *lease) step(now time.Time) (deed, time.Duration) {
	switch {
	case l.id != 0 && !now.Before(l.until):
		l.id, l.next = 0, now
		l.backoff.reset()
		return mourn, 0
	case now.Before(l.next):
		pause := l.next.Sub(now)
		if l.id != 0 {
			pause = min(pause, l.until.Sub(now))
		}
		return wait, pause
	case l.id == 0:
		return take, 0
	}
	return keep, 0
}

// acknowledged notes that etcd grants or keeps a lease, as asked at sent.
func (l *lease) acknowledged(id int64, ttl time.Duration, sent time.Time) {
	l.id = id
	l.until = sent.Add(ttl - l.margin())
	l.next = sent.Add(ttl / 5)
	l.backoff.reset()
}

// unanswered notes that etcd did not answer.
func (l *lease) unanswered(now time.Time) { l.next = now.Add(l.backoff.next()) }

// revoked notes that etcd has it no more.
func (l *lease) revoked(now time.Time) { l.until = now }

// held is the id of the lease that holds at that time, 0 for none.
func (l *lease) held(now time.Time) int64 {
	if l.id != 0 && now.Before(l.until) {
		return l.id
	}
	return 0
}
