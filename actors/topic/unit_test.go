package topic

import (
	"bytes"
	"io"
	"testing"
	"unsafe"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// The container forms are what the codecs write, byte for byte.
func TestUnitForms(t *testing.T) {
	kinds := map[media.Kind][2]uint8{
		media.Video: {rtmp.ChunkVideo, rtmp.TypeVideo},
		media.Audio: {rtmp.ChunkAudio, rtmp.TypeAudio},
		media.Data:  {rtmp.ChunkData, rtmp.TypeData},
	}
	for kind, ids := range kinds {
		for _, at := range []int64{0, 1, 0xfffffe, 0xffffff, 0x1000000, 0xffffffff, 0x100000005} {
			for _, size := range []int{1, 127, 128, 129, 70000} {
				body, tail := flv.NewBody(size)
				for i := range body {
					body[i] = byte(i * 7)
				}
				dts := media.FromMillis(at)
				early := NewUnit(1, 1, media.AccessUnit{Kind: kind, Body: body, Tail: tail})
				for _, u := range []*Unit{
					NewUnit(1, 1, media.AccessUnit{Kind: kind, DTS: dts, Body: body, Tail: tail}),
					early.at(dts),
				} {
					header, rest := u.FLV()
					got := append(bytes.Clone(header), rest...)
					if want := flv.AppendTag(nil, kind, dts, body); !bytes.Equal(got, want) {
						t.Fatalf("%v at %d: FLV % x, want % x", kind, at, got[:15], want[:15])
					}
					header, rest = u.RTMP()
					got = append(bytes.Clone(header), rest...)
					want := rtmp.AppendMessage(nil, ids[0], ids[1], uint32(at), 1, body, rtmp.MaxChunkSize)
					if !bytes.Equal(got, want) {
						t.Fatalf("%v at %d: RTMP % x, want % x", kind, at, got[:15], want[:15])
					}
					if &rest[0] != &body[0] || u.Size() != size+4 {
						t.Fatal("the payload is not the one that came in")
					}
				}
			}
		}
	}
}

func TestUnitsParse(t *testing.T) {
	var stream bytes.Buffer
	header := flv.FileHeader(true, true)
	stream.Write(header[:])
	var units []*Unit
	for i, letter := range []byte("DVAKfadf") {
		u := unit(1, uint64(i+1), letter, media.Time(i)*7*ms)
		units = append(units, u)
		h, rest := u.FLV()
		stream.Write(h)
		stream.Write(rest)
	}
	r := flv.NewReader(&stream, 0)
	for i, u := range units {
		tag, err := r.Next()
		if err != nil || tag.Kind != u.Kind || tag.Time != u.DTS || !bytes.Equal(tag.Tail, u.Tail) {
			t.Fatalf("tag %d: %v %v at %v", i, err, tag.Kind, tag.Time)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last tag: %v", err)
	}
}

func TestUnitMoves(t *testing.T) {
	u := unit(1, 1, 'K', 40*ms)
	if u.at(40*ms) != u {
		t.Error("a unit that stays where it is is copied")
	}
	before, _ := u.FLV()
	before = bytes.Clone(before)
	moved := u.at(50 * ms)
	after, _ := u.FLV()
	if moved == u || !bytes.Equal(before, after) || u.DTS != 40*ms || moved.DTS != 50*ms {
		t.Error("moving a unit changes the one that others share")
	}
}

// overhead is no less than what a unit takes beside its payload.
func TestOverhead(t *testing.T) {
	if size := unsafe.Sizeof(Unit{}) + 2*unsafe.Sizeof(uintptr(0)); size > overhead {
		t.Errorf("a unit takes %d bytes beside its payload, %d are counted", size, overhead)
	}
}
