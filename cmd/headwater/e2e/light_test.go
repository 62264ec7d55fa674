package e2e

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// light is a viewer by HTTP-FLV that keeps hashes only: some hundreds of them leave a machine of
// two cores to what is tested.
type light struct {
	name  string
	conn  net.Conn
	ended chan struct{}
	err   error // why, after ended

	mu  sync.Mutex
	got []entry
}

// crowd has the host watch what a node serves, so many times.
func (h *host) crowd(t *testing.T, on *node, key string, size int) []*light {
	t.Helper()
	var all []*light
	for i := range size {
		name := fmt.Sprintf("viewer %d of %s", i+1, on.host.name)
		all = append(all, watchLight(name, h.dial(t, on.http), key))
	}
	return all
}

// watchLight watches on a connection.
func watchLight(name string, conn net.Conn, key string) *light {
	v := &light{name: name, conn: conn, ended: make(chan struct{})}
	go func() {
		defer close(v.ended)
		v.err = v.play(key)
	}()
	return v
}

func (v *light) play(key string) error {
	_, err := fmt.Fprintf(v.conn, "GET /live/%s HTTP/1.1\r\nHost: x\r\n\r\n", flvPath(key))
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(v.conn, 16<<10), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return &httpError{response.StatusCode, response.Status}
	}
	const fileHeader, tagHeader, tagSize = 9 + 4, 11, 4
	buf := make([]byte, 64<<10)
	if _, err := io.ReadFull(response.Body, buf[:fileHeader]); err != nil {
		return err
	}
	for {
		if _, err := io.ReadFull(response.Body, buf[:tagHeader]); err != nil {
			return err
		}
		kind, known := flvKind(buf[0])
		size := int(binary.BigEndian.Uint32(buf[0:]) & 0xffffff)
		ms := int64(buf[7])<<24 | int64(binary.BigEndian.Uint32(buf[3:])&0xffffff)
		if !known || size > 8<<20 {
			return errors.New("what comes is no FLV")
		}
		if len(buf) < size+tagSize {
			buf = make([]byte, 2*size)
		}
		if _, err := io.ReadFull(response.Body, buf[:size+tagSize]); err != nil {
			return err
		}
		if e, ok := entryOf(kind, ms, buf[:size]); ok {
			v.mu.Lock()
			v.got = append(v.got, e)
			v.mu.Unlock()
		}
	}
}

// flvKind is what a tag's type says.
func flvKind(tag byte) (media.Kind, bool) {
	switch tag {
	case 8:
		return media.Audio, true
	case 9:
		return media.Video, true
	case 18:
		return media.Data, true
	}
	return 0, false
}

// entries is what has arrived by now.
func (v *light) entries() []entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.got[:len(v.got):len(v.got)]
}

// latest is the last unit that has arrived.
func (v *light) latest() (entry, bool) {
	got := v.entries()
	if len(got) == 0 {
		return entry{}, false
	}
	return got[len(got)-1], true
}

// awaitEntries waits until a light viewer has that many units.
func (v *light) awaitEntries(t *testing.T, want int) {
	t.Helper()
	await(t, fmt.Sprintf("%s has %d units", v.name, want), func() bool {
		v.mustWatch(t)
		return len(v.entries()) >= want
	})
}

// mustWatch fails the test if the viewer's connection has ended.
func (v *light) mustWatch(t *testing.T) {
	t.Helper()
	if over(v.ended) {
		t.Fatalf("%s was disconnected after %d units: %v", v.name, len(v.entries()), v.err)
	}
}

// awaitEnd waits until each viewer has the last unit of the ledger, which may not grow any more.
func (l *ledger) awaitEnd(t *testing.T, viewers ...*light) {
	t.Helper()
	end, _ := l.last()
	for _, v := range viewers {
		await(t, v.name+" has the last unit", func() bool {
			v.mustWatch(t)
			e, ok := v.latest()
			return ok && e.sum == end.sum
		})
	}
}

// TestLightCrowd has two hundred light viewers on two edges of a network without faults.
func TestLightCrowd(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	o := l.host(t, "o-1").origin(t)
	audience := l.host(t, "audience")
	s := newSource(t, film.get(t))
	s.publish(t, l.host(t, "studio"), o, "film")
	groups := groups{}
	for i := range 2 {
		e := l.host(t, fmt.Sprint("e-", i+1)).edge(t, []*node{o})
		groups[e.host.name] = audience.crowd(t, e, "film", 100)
	}
	began := processorTime(t)
	s.run(t)
	groups.all()[199].awaitEntries(t, 600)
	s.halt()
	s.ledger.awaitEnd(t, groups.all()...)
	t.Logf("the viewers and the source took %v of a processor", processorTime(t)-began)
	if a := s.ledger.report(t, groups); !a.clean() || a.viewers != 200 {
		t.Error("something was lost")
	}
}
