package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// stage is how far a viewer has come.
type stage uint8

const (
	connecting stage = iota
	shaking          // awaits S0, S1 and S2
	asking           // awaits the answers to connect, createStream, play; or to GET
	watching         // was accepted
)

// viewer is one connection. It is small, and all of its work is done when its socket has bytes.
type viewer struct {
	fd        int
	op        string // the order it came by
	stage     stage
	broadcast int
	marker    uint64
	chunks    *chunkParser // of RTMP
	tags      *tagParser   // of HTTP-FLV
	block     []byte       // handshake
	start     int64        // when it called connect
	keyframe  int64        // when it had the first one
	caughtUp  int64        // when it had what was published after start
	arrived   bool         // it has what its order asks for
	video     uint64       // number of the last picture
	audio     uint64
	received  uint32 // bytes, for acknowledgements
	acked     uint32
	window    uint32
	emit      func(message) error
}

// write sends a few bytes, for which there is always room.
func (v *viewer) write(b []byte) error {
	n, err := unix.Write(v.fd, b)
	if err != nil {
		return fmt.Errorf("write %d bytes: %w", len(b), err)
	}
	if n < len(b) {
		return fmt.Errorf("write took %d of %d bytes", n, len(b))
	}
	return nil
}

// connected goes on when the socket is connected.
func (v *viewer) connected() error {
	code, err := unix.GetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("connect: %w", unix.Errno(code))
	}
	if v.tags != nil {
		v.stage = asking
		return v.write(fmt.Appendf(nil, "GET /%s/%s.flv HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n",
			app, broadcastKey(v.broadcast), httpAddress))
	}
	v.stage = shaking
	hello := make([]byte, 1+blockSize)
	hello[0] = 3
	return v.write(hello)
}

// read takes bytes from the socket.
func (v *viewer) read(b []byte, w *watch) error {
	if v.tags != nil {
		err := v.tags.feed(b, v.emit)
		if v.stage == asking && v.tags.accepted() {
			w.accepted(v)
		}
		return err
	}
	if v.stage == shaking {
		var err error
		if b, err = v.shake(b); err != nil || v.stage == shaking {
			return err
		}
	}
	v.received += uint32(len(b))
	if v.window > 0 && v.received-v.acked >= v.window {
		v.acked = v.received
		if err := v.write(rtmp.AppendAck(nil, v.received)); err != nil {
			return err
		}
	}
	return v.chunks.feed(b, v.emit)
}

// message handles what has arrived in full.
func (v *viewer) message(m message, w *watch) error {
	switch m.typ {
	case rtmp.TypeVideo, rtmp.TypeAudio:
		v.media(m, w)
		return nil
	case rtmp.TypeCommand:
		return v.command(m, w)
	case rtmp.TypeUserControl, rtmp.TypeWindowAckSize:
		return v.control(m)
	}
	return nil
}

// media reads the mark of a unit.
func (v *viewer) media(m message, w *watch) {
	at, last := videoMark, &v.video
	if m.typ == rtmp.TypeAudio {
		at, last = audioMark, &v.audio
	}
	if len(m.head) > 1 && m.head[1] == 0 {
		return // a sequence header
	}
	k, ok := mark{}, false
	if len(m.head) >= at {
		k, ok = readMark(m.head[at:], v.marker)
	}
	if !ok {
		w.Foreign++
		return
	}
	w.Units++
	switch {
	case *last == 0 || k.seq == *last+1:
	case k.seq > *last:
		w.Gaps++
		w.Missing += int64(k.seq - *last - 1)
	default:
		w.Back++
	}
	*last = k.seq
	if v.caughtUp == 0 && k.at >= v.start {
		v.caughtUp = w.now
		w.progress(v)
	}
	if m.typ != rtmp.TypeVideo {
		return
	}
	w.delays.add(w.now - k.at)
	if v.keyframe == 0 && m.head[0]>>4&7 == 1 {
		v.keyframe = w.now
		w.progress(v)
	}
}

var errEnd = errors.New("the server closed the connection")
