package process

import (
	"errors"

	"github.com/headwater-live/headwater/codec/media"
)

// engine runs a pipeline, here or in a child process. An error means that it is of no more use.
type engine interface {
	order(o *Order) (from media.Time, err error)
	resume(emit func(*Output) error) (Report, error)
	push(u *Unit, pace int, emit func(*Output) error) (Report, error)
	segfault() error
	// close is called last, by whoever called the others.
	close()
}

// local runs the pipeline on the caller's goroutine.
type local struct{ pipeline *Pipeline }

func (l local) order(o *Order) (media.Time, error) { return l.pipeline.Order(*o), nil }

func (l local) resume(emit func(*Output) error) (Report, error) { return l.pipeline.Resume(emit) }

func (l local) push(u *Unit, pace int, emit func(*Output) error) (Report, error) {
	return l.pipeline.Push(u, pace, emit)
}

func (l local) segfault() error {
	return errors.New("the drill is refused: the pipeline runs in this process, which it would end")
}

func (l local) close() { l.pipeline.Close() }
