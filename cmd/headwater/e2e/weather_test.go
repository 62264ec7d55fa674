package e2e

import (
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// weatherOf is what happens to what a host sends.
type weatherOf struct {
	delay, jitter time.Duration // each packet waits delay, and up to jitter more or less
	loss          float64       // how many of 100 packets are lost
	reorder       float64       // how many of 100 packets do not wait, and overtake those that do
}

// weather makes it happen, as the netem scheduler would, which is a module that not every kernel
// has: the kernel queues the host's packets (NFQUEUE) and keeps them, and weather says of each by
// its number when it goes on or that it is lost. Connections and packets are real all the same:
// nothing reads them, retransmission and congestion control are the kernel's.
type weather struct {
	queue uint16
	file  *os.File // a netlink socket
	ended chan struct{}

	mu     sync.Mutex
	now    weatherOf
	random *rand.Rand
	held   heldPackets
	last   time.Time   // when the latest goes on of those that keep their order
	timer  *time.Timer // releases what is due
	lost   int
	passed int
}

// Numbers of linux/netfilter/nfnetlink_queue.h.
const (
	nfqPacket  = unix.NFNL_SUBSYS_QUEUE << 8
	nfqVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1
	nfqConfig  = unix.NFNL_SUBSYS_QUEUE<<8 | 2

	nfqaPacketHeader = 1 // in packets: the number, big-endian, first
	nfqaVerdict      = 2 // in verdicts: what, and the number
	nfqaCommand      = 1 // in configurations
	nfqaParams       = 2
	nfqaMaxLength    = 3

	nfqCommandBind = 1
	nfqCopyMeta    = 1 // packets are told of without what is in them

	verdictDrop, verdictAccept = 0, 1
)

// startWeather takes the packets of a queue in a namespace.
func startWeather(t *testing.T, ns string, queue uint16, seed uint64, now weatherOf) *weather {
	t.Helper()
	w := &weather{
		queue: queue, ended: make(chan struct{}), now: now, random: rand.New(rand.NewPCG(seed, 0)),
	}
	fd := -1
	err := within(ns, func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK,
			unix.NETLINK_NETFILTER)
		return err
	})
	if err != nil {
		t.Fatalf("no netlink socket: %v", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20); err != nil {
		t.Fatal(err)
	}
	w.file = os.NewFile(uintptr(fd), "nfqueue")
	w.timer = time.AfterFunc(time.Hour, w.release)
	bind := attribute(nfqaCommand, []byte{nfqCommandBind, 0, 0, unix.AF_INET})
	params := attribute(nfqaParams, []byte{0, 0, 0, 0, nfqCopyMeta})
	length := attribute(nfqaMaxLength, binary.BigEndian.AppendUint32(nil, 20_000))
	for _, attributes := range [][]byte{bind, append(params, length...)} {
		if err := w.configure(attributes); err != nil {
			t.Fatalf("NFQUEUE %d cannot be had: %v", queue, err)
		}
	}
	t.Cleanup(func() { w.stop(t) })
	go w.read()
	return w
}

// configure sends a configuration and awaits that it is acknowledged.
func (w *weather) configure(attributes []byte) error {
	if err := w.send(nfqConfig, unix.NLM_F_ACK, attributes); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	n, err := w.file.Read(buf)
	if err != nil {
		return err
	}
	if n < 20 || binary.NativeEndian.Uint16(buf[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("an answer of %d bytes", n)
	}
	if code := int32(binary.NativeEndian.Uint32(buf[16:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

func (w *weather) send(kind, flags uint16, attributes []byte) error {
	message := binary.NativeEndian.AppendUint32(nil, uint32(20+len(attributes)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, unix.NLM_F_REQUEST|flags)
	message = append(message, make([]byte, 8)...)             // sequence and port: whatever
	message = append(message, unix.AF_UNSPEC, 0)              // family, version
	message = binary.BigEndian.AppendUint16(message, w.queue) // as the resource
	_, err := w.file.Write(append(message, attributes...))
	return err
}

// attribute is a netlink attribute, padded.
func attribute(kind uint16, value []byte) []byte {
	out := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	out = append(binary.NativeEndian.AppendUint16(out, kind), value...)
	return append(out, make([]byte, -len(value)&3)...)
}

// stop lets all go on that waits.
func (w *weather) stop(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	for _, h := range w.held {
		w.verdict(h.id, verdictAccept)
	}
	w.held = nil
	w.mu.Unlock()
	w.timer.Stop()
	err := w.file.Close()
	<-w.ended
	if err == nil {
		t.Logf("of queue %d %d packets went on, %d were lost", w.queue, w.passed, w.lost)
	}
}

func (w *weather) read() {
	defer close(w.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		switch {
		case err == nil:
			w.packets(buf[:n])
		case errors.Is(err, unix.ENOBUFS): // some were not told of: they are lost
		default:
			return
		}
	}
}

// packets takes a batch of netlink messages.
func (w *weather) packets(batch []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(batch) >= 20 {
		size := int(binary.NativeEndian.Uint32(batch))
		if size < 20 || size > len(batch) {
			return
		}
		if binary.NativeEndian.Uint16(batch[4:]) == nfqPacket {
			if id, ok := packetID(batch[20:size]); ok {
				w.packet(id)
			}
		}
		batch = batch[min(len(batch), (size+3)&^3):]
	}
}

// packetID finds a packet's number among its attributes.
func packetID(attributes []byte) (id uint32, ok bool) {
	for len(attributes) >= 4 {
		size := int(binary.NativeEndian.Uint16(attributes))
		if size < 4 || size > len(attributes) {
			return 0, false
		}
		if binary.NativeEndian.Uint16(attributes[2:]) == nfqaPacketHeader && size >= 8 {
			return binary.BigEndian.Uint32(attributes[4:]), true
		}
		attributes = attributes[min(len(attributes), (size+3)&^3):]
	}
	return 0, false
}

// packet decides what becomes of a packet.
func (w *weather) packet(id uint32) {
	if w.random.Float64()*100 < w.now.loss {
		w.lost++
		w.verdict(id, verdictDrop)
		return
	}
	w.passed++
	if w.random.Float64()*100 < w.now.reorder {
		w.verdict(id, verdictAccept)
		return
	}
	wait := w.now.delay
	if w.now.jitter > 0 {
		wait += time.Duration((w.random.Float64()*2 - 1) * float64(w.now.jitter))
	}
	due := time.Now().Add(wait)
	if due.Before(w.last) { // jitter alone does not reorder: that is what reorder is for
		due = w.last
	}
	w.last = due
	heap.Push(&w.held, waiting{due, id})
	if w.held[0].id == id {
		w.timer.Reset(time.Until(due))
	}
}

// release lets what is due go on.
func (w *weather) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.held) > 0 {
		wait := time.Until(w.held[0].due)
		if wait > 0 {
			w.timer.Reset(wait)
			return
		}
		w.verdict(heap.Pop(&w.held).(waiting).id, verdictAccept)
	}
}

func (w *weather) verdict(id, what uint32) {
	value := binary.BigEndian.AppendUint32(nil, what)
	value = binary.BigEndian.AppendUint32(value, id)
	_ = w.send(nfqVerdict, 0, attribute(nfqaVerdict, value)) // the packet may be gone with its host
}

// waiting is a packet that the kernel keeps; heldPackets are all, the next to go on first.
type (
	waiting struct {
		due time.Time
		id  uint32
	}
	heldPackets []waiting
)

// The methods of heap.Interface. Numbers rise, and settle what is due at one time.

func (h heldPackets) Len() int { return len(h) }

func (h heldPackets) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].id < h[j].id
	}
	return h[i].due.Before(h[j].due)
}

func (h heldPackets) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *heldPackets) Push(x any) { *h = append(*h, x.(waiting)) }

func (h *heldPackets) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
