package process

import "time"

// pacer decides what becomes of work that is late. The order of what is given up: every second
// picture, three of four, then all up to the next IDR picture. What is put out is filtered always.
type pacer struct{ level int }

// Backlogs at which the next step is taken. A step is taken back when the backlog is half of that.
const (
	lateHalf    = 150 * time.Millisecond
	lateQuarter = 500 * time.Millisecond
	lateSkip    = 2 * time.Second
)

// pace is how many pictures there are to each that is encoded; skip asks to drop what waits, up to
// the newest IDR picture.
func (p *pacer) pace(backlog time.Duration) (pace int, skip bool) {
	steps := [...]time.Duration{lateHalf, lateQuarter, lateSkip}
	for p.level < len(steps) && backlog > steps[p.level] {
		p.level++
	}
	for p.level > 0 && backlog < steps[p.level-1]/2 {
		p.level--
	}
	return [...]int{1, 2, 4, 4}[p.level], p.level == len(steps)
}
