package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/halide"
)

// ChildSocket is the file descriptor at which a child finds its socket.
const ChildSocket = 3

// Child is all that a child process does: it runs one pipeline for the actor at the other end of
// the socket, and returns when that is gone. Its memory is bounded first of all, and it steps back
// behind the node's other work.
func Child(socket *os.File) error {
	conn, err := net.FileConn(socket)
	if err != nil {
		return fmt.Errorf("file descriptor %d is no socket: %w", ChildSocket, err)
	}
	_ = socket.Close() // conn has its own
	defer func() { _ = conn.Close() }()
	return serve(conn, confine, segfault)
}

// confine sets the process' limits.
func confine(o childOptions) error {
	memory := uint64(max(o.Memory, 0)) //nolint:gosec // not negative
	if memory > 0 {
		limit := &unix.Rlimit{Cur: memory, Max: memory}
		if err := unix.Setrlimit(unix.RLIMIT_DATA, limit); err != nil {
			return fmt.Errorf("bound the memory to %d bytes: %w", memory, err)
		}
	}
	// No picture of a stranger's ends in a core file.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	if o.Nice > 0 {
		// Of the group, which is this process: by its own number it would be this thread alone.
		if err := unix.Setpriority(unix.PRIO_PGRP, 0, o.Nice); err != nil {
			return fmt.Errorf("nice %d: %w", o.Nice, err)
		}
	}
	// Where memory runs out, a child goes before the node. Best effort: it is not ours everywhere.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	return nil
}

// segfault has a kernel write, in C, to memory that is not to be written to. It does not return.
func segfault() {
	if err := writeProtected(); err != nil {
		panic(fmt.Errorf("drill: %w", err))
	}
}

func writeProtected() error {
	const side = 256
	pool, err := av.NewPool(side, side, 1)
	if err != nil {
		return err
	}
	frame, err := pool.Get()
	if err != nil {
		return err
	}
	dst, src := view(frame, size{side, side}), halide.NewFrame(side, side)
	page := os.Getpagesize()
	pix := alignedPages(dst.Y.Pix, page)
	if len(pix) < page {
		return errors.New("no whole page to protect")
	}
	if err := unix.Mprotect(pix, unix.PROT_NONE); err != nil {
		return fmt.Errorf("mprotect: %w", err)
	}
	whole := halide.Region{Rect: halide.Rect{W: side, H: side}, Effect: halide.Solid}
	return errors.Join(halide.BlurRegions(&dst, &src, []halide.Region{whole}, false),
		errors.New("it could be written to"))
}

// alignedPages is the part of b that is whole pages.
func alignedPages(b []byte, page int) []byte {
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % uintptr(page))
	skip := (page - at) % page
	if skip >= len(b) {
		return nil
	}
	b = b[skip:]
	return b[:len(b)/page*page]
}
