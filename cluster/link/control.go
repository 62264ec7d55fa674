package link

import "sync"

// control is what is to be written beside media: little, and bounded by the subscriptions there
// are. It wakes the writer through its bell.
type control struct {
	mu   sync.Mutex
	buf  []byte
	bell chan struct{}
}

func newControl() *control { return &control{bell: make(chan struct{}, 1)} }

// add appends a frame.
func (c *control) add(frame func([]byte) []byte) {
	c.mu.Lock()
	c.buf = frame(c.buf)
	c.mu.Unlock()
	c.ring()
}

// ring wakes the writer.
func (c *control) ring() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// take moves what there is to the end of dst.
func (c *control) take(dst []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	dst = append(dst, c.buf...)
	if c.buf = c.buf[:0]; cap(c.buf) > keptControl {
		c.buf = nil
	}
	return dst
}

// keptControl is how much memory for frames is kept though it is not used.
const keptControl = 4 << 10
