//go:build cgo

package av

/*
#include "av.h"
#cgo noescape hwav_frame_alloc
#cgo nocallback hwav_frame_alloc
*/
import "C"

import "sync"

// Pool makes frames of one size to write to, for what comes out of kernels. Its memory is bounded:
// a frame of 720x1280 is about 1.5 MB. Any goroutine may use it.
type Pool struct {
	shelf         shelf
	width, height int
	most          int

	mu     sync.Mutex
	made   int
	closed bool
}

// maxPoolSide bounds a pool's frames; libav could do more, a stream could not.
const maxPoolSide = 16384

// NewPool returns a pool of at most frames frames, of any size from 1x1. Memory is taken as it is
// first needed.
func NewPool(width, height, frames int) (*Pool, error) {
	if width < 1 || height < 1 || width > maxPoolSide || height > maxPoolSide || frames < 1 {
		return nil, refuse(ErrOption, "NewPool", "%d frames of %dx%d, want 1x1 to %dx%d",
			frames, width, height, maxPoolSide, maxPoolSide)
	}
	return &Pool{shelf: shelf{keep: true}, width: width, height: height, most: frames}, nil
}

// Get returns a frame that nobody else holds, to write to; its last Release gives it back. A new
// one is black, one that was used shows what it last did. When all are out it returns ErrExhausted.
func (p *Pool) Get() (*Frame, error) {
	const call = "Pool.Get"
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, refuse(ErrClosed, call, "pool is closed")
	}
	if f := p.shelf.take(); f != nil {
		return f, nil
	}
	if p.made == p.most {
		return nil, refuse(ErrExhausted, call, "all %d frames are out", p.most)
	}
	f := &Frame{home: &p.shelf}
	code := C.hwav_frame_alloc(&f.c, C.int(p.width), C.int(p.height), &f.view)
	if err := failed("av_frame_get_buffer", code); err != nil {
		return nil, err
	}
	f.refs.Store(1)
	p.made++
	return f, nil
}

// Close frees the frames that are in; those that are out are freed by their last Release. Closing
// twice is safe.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.shelf.close()
}
