package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watch is the process of the viewers: one thread, one epoll, one buffer.
type watch struct {
	audience
	clock
	tally   // since opBegin
	now     int64
	epoll   int
	viewers []*viewer // by file descriptor
	joined  int       // viewers that ever set out
	buffer  []byte
	delays  histogram
	orders  []byte // of the orders that have not come in full
	task    *task  // the order in hand
	failure error  // the first viewer's since opBegin
}

// task is an order that takes time.
type task struct {
	order
	begin              int64
	started            int
	done, failed       int
	accepted, caughtUp int64 // of the last viewer
	joins              histogram
	failure            error
}

const orderFD = 0

// runWatch is the subcommand that watches.
func runWatch(args []string) error {
	if len(args) != 1 {
		return errors.New("want the audience as the only argument")
	}
	w := &watch{buffer: make([]byte, 256<<10)}
	if err := json.Unmarshal([]byte(args[0]), &w.audience); err != nil {
		return fmt.Errorf("audience %q: %w", args[0], err)
	}
	var err error
	if w.clock, err = newClock(); err != nil {
		return err
	}
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if err := w.follow(orderFD, unix.EPOLL_CTL_ADD, unix.EPOLLIN); err != nil {
		return err
	}
	return w.loop()
}

func (w *watch) follow(fd, op int, events uint32) error {
	err := unix.EpollCtl(w.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
	if err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

func (w *watch) loop() error {
	events := make([]unix.EpollEvent, 1024)
	for {
		timeout, err := w.step()
		if err != nil {
			return err
		}
		n, err := unix.EpollWait(w.epoll, events, timeout)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == orderFD {
				if end, err := w.obey(); err != nil || end {
					return err
				}
				continue
			}
			if v := w.viewers[e.Fd]; v != nil {
				w.ready(v, e.Events)
			}
		}
	}
}

// ready serves a viewer whose socket has something to say.
func (w *watch) ready(v *viewer, events uint32) {
	if v.stage == connecting {
		err := v.connected()
		if err == nil {
			err = w.follow(v.fd, unix.EPOLL_CTL_MOD, unix.EPOLLIN)
		}
		if err != nil {
			w.leave(v, err)
		}
		return
	}
	// The socket never blocks, so the scheduler need not know of the call.
	n, _, code := unix.RawSyscall(unix.SYS_READ, uintptr(v.fd),
		uintptr(unsafe.Pointer(&w.buffer[0])), uintptr(len(w.buffer)))
	switch {
	case code == unix.EAGAIN || code == unix.EINTR:
		return
	case code != 0:
		w.leave(v, fmt.Errorf("read: %w", code))
		return
	case n == 0:
		w.leave(v, errEnd)
		return
	}
	w.now = w.clock.now()
	w.Bytes += int64(n)
	if err := v.read(w.buffer[:n], w); err != nil {
		w.leave(v, err)
		return
	}
	if v.op == opProbe && v.arrived {
		w.close(v)
	}
}

// join lets a viewer set out.
func (w *watch) join(op string) error {
	v, port := &viewer{op: op, broadcast: w.joined % w.Broadcasts}, rtmpPort
	if w.Protocol == protocolFLV {
		port = httpPort
		tags := newTagParser()
		v.tags = &tags
	} else {
		chunks := newChunkParser()
		v.chunks = &chunks
	}
	v.marker = w.Marker + uint64(v.broadcast)
	v.emit = func(m message) error { return v.message(m, w) }
	w.joined++
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("TCP_NODELAY: %w", err)
	}
	v.fd, v.start = fd, w.clock.now()
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	if err != nil && err != unix.EINPROGRESS {
		return fmt.Errorf("connect: %w", err)
	}
	for len(w.viewers) <= fd {
		w.viewers = append(w.viewers, nil)
	}
	w.viewers[fd] = v
	return w.follow(fd, unix.EPOLL_CTL_ADD, unix.EPOLLOUT)
}

// leave closes a viewer that failed.
func (w *watch) leave(v *viewer, err error) {
	w.close(v)
	err = fmt.Errorf("viewer of %s, %v after connect: %w", broadcastKey(v.broadcast),
		time.Duration(w.clock.now()-v.start).Round(time.Millisecond), err)
	if t := w.task; t != nil && t.Op == v.op && !v.arrived {
		t.failed++
		if t.failure == nil {
			t.failure = err
		}
		return
	}
	w.Lost++
	if w.failure == nil {
		w.failure = err
	}
}

func (w *watch) close(v *viewer) {
	w.viewers[v.fd] = nil
	_ = unix.Close(v.fd) // nothing is to be done about it
}

// write sends an answer to whoever gives the orders.
func (w *watch) write(a answer) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(b, '\n'))
	return err
}
