package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// TestVersions has nodes of one release and the next ones meet: they speak the highest version that
// both know, and where there is none each knows why.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		edge, origin span
		want         uint8 // 0: refused
	}{
		{span{1, 1}, span{1, 1}, 1},
		{span{1, 2}, span{1, 1}, 1}, // the edge is upgraded first
		{span{1, 1}, span{1, 2}, 1}, // the origin is
		{span{1, 2}, span{1, 2}, 2},
		{span{2, 3}, span{1, 2}, 2},
		{span{2, 3}, span{1, 1}, 0},
		{span{1, 1}, span{2, 3}, 0},
	} {
		near, far := net.Pipe()
		answered := make(chan error, 1)
		go func() {
			name, err := answer(far, newParser(far, -1), c.origin, "origin")
			if err == nil && name != "edge" {
				err = errors.New(name)
			}
			answered <- err
		}()
		p := newParser(near, 0)
		if _, err := near.Write(appendHello(nil, c.edge, "edge")); err != nil {
			t.Fatal(err)
		}
		_, got, err := hear(p, c.edge)
		there := <-answered
		if got != c.want || (err == nil) != (c.want > 0) || (there == nil) != (c.want > 0) {
			t.Errorf("%v and %v speak %d: %v, %v", c.edge, c.origin, got, err, there)
		}
		for _, err := range []error{err, there} {
			told := errors.Is(err, ErrRefused) && strings.Contains(err.Error(), "speaks version")
			if err != nil && !told {
				t.Errorf("%v and %v: %v", c.edge, c.origin, err)
			}
		}
	}
}

// An origin from before hellos had a range is met with its own version the next time, and one that
// is not there, or comes back, with all again.
func TestOldOrigin(t *testing.T) {
	s := &said{}
	for i, step := range []struct {
		err error
		old bool
	}{
		{errRefusedThere, true},
		{nil, true},
		{io.EOF, false},
		{errRefusedThere, true},
		{errRefusedThere, false},
	} {
		if s.heard(step.err); s.old.Load() != step.old {
			t.Errorf("%d: old is %v", i, !step.old)
		}
	}
}

// record is what a node of version 1 has sent, taken down from the binary of commit c4e493f.
func record(t *testing.T, name string) []byte {
	t.Helper()
	sent, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// TestVersionOneEdge has a recorded edge of version 1 come to this node, and to the next release.
func TestVersionOneEdge(t *testing.T) {
	for _, mine := range []span{spoken(), {1, 2}} {
		var said bytes.Buffer
		p := newParser(bytes.NewReader(record(t, "version1-edge.bin")), -1)
		name, err := answer(&said, p, mine, "origin")
		if err != nil || name != "old-edge" {
			t.Fatalf("%v: %q, %v", mine, name, err)
		}
		if want := "\x00\x00\x00\x0c\x01HWLK\x01origin"; said.String() != want {
			t.Errorf("%v: it is told %q", mine, said.String())
		}
		var key string
		for f := (frame{}); p.next(&f) == nil; {
			if f.typ == typeSubscribe {
				key = f.text
			}
		}
		if key != "live/demo" {
			t.Errorf("it asks for %q", key)
		}
	}
}

// TestVersionOneOrigin reads what a recorded origin of version 1 gives out.
func TestVersionOneOrigin(t *testing.T) {
	for _, mine := range []span{spoken(), {1, 2}} {
		p := newParser(bytes.NewReader(record(t, "version1-origin.bin")), 1<<20)
		name, err := greet(io.Discard, p, mine, "edge")
		if err != nil || name != "old-origin" {
			t.Fatalf("%v: %q, %v", mine, name, err)
		}
		units := 0
		for f := (frame{}); ; {
			if err = p.next(&f); err != nil {
				break
			}
			if f.typ == typeUnit {
				units++
			}
		}
		if err != io.EOF || units < 20 {
			t.Errorf("%d units, then %v", units, err)
		}
	}
}
