//go:build cgo

package av

/*
#include "av.h"
#cgo noescape hwav_frame_new
#cgo nocallback hwav_frame_new
#cgo noescape hwav_frame_clear
#cgo nocallback hwav_frame_clear
#cgo noescape hwav_frame_free
#cgo nocallback hwav_frame_free
*/
import "C"

import "sync"

// shelf keeps the frames that nobody holds, so that neither side allocates for the next. A frame
// comes back by its last Release, from any goroutine, also after its owner was closed: then it is
// freed.
type shelf struct {
	keep bool // the picture's memory stays with the frame: a pool's does, a decoder's does not

	mu     sync.Mutex
	free   []*Frame
	closed bool
}

// take returns a frame with one reference, or nil if none is free.
func (s *shelf) take() *Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free)
	if n == 0 {
		return nil
	}
	f := s.free[n-1]
	s.free = s.free[:n-1]
	f.refs.Store(1)
	return f
}

// empty returns a frame without a picture.
func (s *shelf) empty() (*Frame, error) {
	if f := s.take(); f != nil {
		return f, nil
	}
	f := &Frame{home: s}
	if err := failed("av_frame_alloc", C.hwav_frame_new(&f.c)); err != nil {
		return nil, err
	}
	f.refs.Store(1)
	return f, nil
}

func (s *shelf) put(f *Frame) {
	if !s.keep {
		C.hwav_frame_clear(f.c)
		f.view = C.hwav_view{}
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.free = append(s.free, f)
	}
	s.mu.Unlock()
	if closed {
		f.drop()
	}
}

// close frees what is on the shelf, and lets what is out be freed as it comes back.
func (s *shelf) close() {
	s.mu.Lock()
	free := s.free
	s.free, s.closed = nil, true
	s.mu.Unlock()
	for _, f := range free {
		f.drop()
	}
}

// drop frees the frame's C side.
func (f *Frame) drop() {
	C.hwav_frame_free(f.c)
	f.c, f.view = nil, C.hwav_view{}
}
