package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// every is a frame of each type, as it is written and as it should be read.
func every() (written []byte, read []frame) {
	add := func(b []byte, f frame) {
		written = append(written, b...)
		read = append(read, f)
	}
	add(appendHello(nil, span{1, 1}, "edge-1"),
		frame{typ: typeHello, versions: span{1, 1}, text: "edge-1"})
	add(appendHello(nil, span{1, 2}, "edge-1"),
		frame{typ: typeHello, versions: span{1, 2}, text: "edge-1"})
	add(appendRefuse(nil, "no"), frame{typ: typeRefuse, text: "no"})
	add(appendSubscribe(nil, 7, "live/a", "480p", place{3, 9}), frame{
		typ: typeSubscribe, id: 7, text: "live/a", rendition: "480p", place: place{3, 9},
	})
	add(appendID(nil, typeUnsubscribe, 8), frame{typ: typeUnsubscribe, id: 8})
	add(appendBegin(nil, 7, 3), frame{typ: typeBegin, id: 7, place: place{epoch: 3}})
	add(appendID(nil, typeEnd, 7), frame{typ: typeEnd, id: 7})
	add(appendSeal(nil, 7, &topic.Seal{Epoch: 3, Seq: 4}),
		frame{typ: typeSeal, id: 7, place: place{3, 4}})
	add(appendID(nil, typeGone, 7), frame{typ: typeGone, id: 7})
	add(appendStamp(nil, typePing, -5), frame{typ: typePing, stamp: -5})
	add(appendStamp(nil, typePong, 1<<62), frame{typ: typePong, stamp: 1 << 62})

	au := media.AccessUnit{
		Kind: media.Video, Role: media.Keyframe, Codec: media.HEVC,
		DTS: 12345678901, CTS: -40 * media.Millisecond,
	}
	au.Body, au.Tail = topic.NewBody(5000)
	au.Body[0], au.Body[4999] = 1, 2
	u := topic.NewUnit(3, 11, au)
	u.Header = topic.NewUnit(3, 2, media.AccessUnit{Kind: media.Video, Role: media.SequenceHeader})
	var head [unitHead]byte
	putUnit(&head, 7, u)
	add(append(head[:], au.Body...), frame{
		typ: typeUnit, id: 7, place: place{3, 11}, header: 2, unit: au,
	})
	return written, read
}

func TestFrames(t *testing.T) {
	written, read := every()
	p := newParser(bytes.NewReader(written), 100_000)
	for _, want := range read {
		var got frame
		if err := p.next(&got); err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v is read as %+v", want, got)
		}
	}
	if err := p.next(&frame{}); !errors.Is(err, io.EOF) {
		t.Errorf("the end is %v", err)
	}
	for n := range len(written) { // whatever is cut off is missed
		p := newParser(bytes.NewReader(written[:min(n, 400)]), 100_000)
		var err error
		for err == nil {
			err = p.next(&frame{})
		}
		if errors.Is(err, ErrFormat) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
		if n > 400 {
			break
		}
	}
}

func TestMalformed(t *testing.T) {
	unit := func(change func([]byte)) []byte {
		var head [unitHead]byte
		putUnit(&head, 1, topic.NewUnit(1, 1, media.AccessUnit{}))
		change(head[:])
		return head[:]
	}
	for name, b := range map[string][]byte{
		"HTTP":                  []byte("GET / HTTP/1.1\r\n\r\n"),
		"TLS":                   {22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3},
		"no type":               {0, 0, 0, 1, 99},
		"no size":               {0, 0, 0, 0, byte(typePing)},
		"a long ping":           {0, 0, 0, 200, byte(typePing)},
		"a huge hello":          {255, 255, 255, 255, byte(typeHello)},
		"a short unit":          {0, 0, 0, 20, byte(typeUnit)},
		"a huge unit":           unit(func(b []byte) { b[0] = 255 }),
		"a unit above the mark": unit(func(b []byte) { binary.BigEndian.PutUint32(b, 1+unitFixed+1001) }),
		"a unit of no kind":     unit(func(b []byte) { b[prefixSize+4] = media.Kinds }),
		"a unit of no role":     unit(func(b []byte) { b[prefixSize+5] = 3 }),
		"a unit of no place":    unit(func(b []byte) { clear(b[prefixSize+18 : prefixSize+26]) }),
		"a unit of no time":     unit(func(b []byte) { b[prefixSize+34] = 127 }),
		"no magic":              appendRefuse(nil, "x")[:0:0],
		"a key that is not all": {0, 0, 0, 22, byte(typeSubscribe), 0, 0, 0, 1, 16: 0, 25: 9},
	} {
		if name == "no magic" {
			b = appendHello(nil, spoken(), "x")
			b[6] = 'X'
		}
		err := newParser(bytes.NewReader(b), 1000).next(&frame{})
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	body := unit(func([]byte) {})
	if err := newParser(bytes.NewReader(body), -1).next(&frame{}); !errors.Is(err, ErrFormat) {
		t.Errorf("a unit where none is taken: %v", err)
	}
}

// Another version is told what is wrong, in words, whatever else its hello has.
func TestOtherVersion(t *testing.T) {
	near, far := net.Pipe()
	told := make(chan error, 1)
	go func() {
		_, err := answer(far, newParser(far, -1), spoken(), "origin")
		told <- err
	}()
	hello := appendHello(nil, span{2, 3}, "edge"+strings.Repeat("x", 200))
	if _, err := near.Write(hello); err != nil {
		t.Fatal(err)
	}
	_, _, err := hear(newParser(near, 0), span{2, 3})
	const want = "one node speaks version 1 of the link protocol, the other 2 to 3"
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("it is told %v", err)
	}
	if err := <-told; !errors.Is(err, ErrRefused) {
		t.Errorf("the other side knows %v", err)
	}
}

// FuzzParse holds that nothing that comes makes a parser panic or take memory beyond its bound, and
// that what it takes for a frame it can write again.
func FuzzParse(f *testing.F) {
	written, _ := every()
	f.Add(written)
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 200_000
		p := newParser(bytes.NewReader(data), most)
		var got frame
		for read := 0; p.next(&got) == nil; {
			if len(got.unit.Body) > most || len(got.text) > maxText {
				t.Fatal("beyond the bound")
			}
			again := rewrite(&got)
			if read += len(again); read > len(data) || !bytes.Equal(again, data[read-len(again):read]) {
				t.Fatalf("%+v is written as %x", got, again)
			}
		}
	})
}

// rewrite writes a frame that was read.
func rewrite(f *frame) []byte {
	switch f.typ {
	case typeHello:
		return appendHello(nil, f.versions, f.text)
	case typeRefuse:
		return appendRefuse(nil, f.text)
	case typeSubscribe:
		return appendSubscribe(nil, f.id, f.text, f.rendition, f.place)
	case typeBegin:
		return appendBegin(nil, f.id, f.place.epoch)
	case typeSeal:
		return appendSeal(nil, f.id, &topic.Seal{Epoch: f.place.epoch, Seq: f.place.seq})
	case typePing, typePong:
		return appendStamp(nil, f.typ, f.stamp)
	case typeUnit:
		u := topic.NewUnit(f.place.epoch, f.place.seq, f.unit)
		if f.header != 0 {
			u.Header = topic.NewUnit(u.Epoch, f.header, media.AccessUnit{})
		}
		var head [unitHead]byte
		putUnit(&head, f.id, u)
		return append(head[:], u.Body...)
	}
	return appendID(nil, f.typ, f.id)
}
