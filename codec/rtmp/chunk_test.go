package rtmp

import (
	"bytes"
	"testing"
)

func TestAppendMessage(t *testing.T) {
	body := []byte{1, 2, 3, 4, 5}
	for _, c := range []struct {
		name  string
		csid  uint8
		ts    uint32
		chunk int
		want  string
	}{
		{"one chunk", 6, 0x010203, 128, "06 010203 000005 09 01000000 0102030405"},
		{"three chunks", 6, 1, 2, "06 000001 000005 09 01000000 0102 c6 0304 c6 05"},
		{"exact chunk", 6, 1, 5, "06 000001 000005 09 01000000 0102030405"},
		{"last short timestamp", 6, 0xfffffe, 4, "06 fffffe 000005 09 01000000 01020304 c6 05"},
		{
			"first extended timestamp", 6, 0xffffff, 4,
			"06 ffffff 000005 09 01000000 00ffffff 01020304 c6 00ffffff 05",
		},
		{
			"greatest timestamp", 6, 0xffffffff, 3,
			"06 ffffff 000005 09 01000000 ffffffff 010203 c6 ffffffff 0405",
		},
		{"two byte header", 64, 1, 4, "0000 000001 000005 09 01000000 01020304 c000 05"},
		{"last two byte header", 255, 1, 4, "00bf 000001 000005 09 01000000 01020304 c0bf 05"},
		{"no chunk size", 6, 1, 0, "06 000001 000005 09 01000000 0102030405"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := AppendMessage([]byte{0xee}, c.csid, TypeVideo, c.ts, 1, body, c.chunk)
			if want := unhex(t, "ee"+c.want); !bytes.Equal(got, want) {
				t.Errorf("%x, want %x", got, want)
			}
			var h [MaxHeader]byte
			n := PutHeader(&h, c.csid, TypeVideo, c.ts, 1, len(body))
			if !bytes.HasPrefix(got[1:], h[:n]) {
				t.Errorf("PutHeader gave %x", h[:n])
			}
		})
	}
}

func TestAppendControl(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"chunk size", AppendSetChunkSize(nil, 4096), "02 000000 000004 01 00000000 00001000"},
		{"ack", AppendAck(nil, 0xfffffffe), "02 000000 000004 03 00000000 fffffffe"},
		{"window", AppendWindowAckSize(nil, 2500000), "02 000000 000004 05 00000000 002625a0"},
		{
			"stream begin", AppendUserControl(nil, EventStreamBegin, 1),
			"02 000000 000006 04 00000000 0000 00000001",
		},
		{
			"stream end", AppendUserControl(nil, EventStreamEOF, 1),
			"02 000000 000006 04 00000000 0001 00000001",
		},
		{
			"ping response", AppendUserControl(nil, EventPingResponse, 0x12345678),
			"02 000000 000006 04 00000000 0007 12345678",
		},
		{
			"status", AppendStatus(nil, 1, "status", "A.B", "c", 4096),
			"03 000000 000046 14 01000000 02 0008 6f6e537461747573 00 0000000000000000 05 03" +
				"0005 6c6576656c 02 0006 737461747573 0004 636f6465 02 0003 412e42" +
				"000b 6465736372697074696f6e 02 0001 63 000009",
		},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s: %x, want %x", c.name, c.got, want)
		}
	}
}

func TestPutHeaderAllocations(t *testing.T) {
	var h [MaxHeader]byte
	n := testing.AllocsPerRun(100, func() { PutHeader(&h, ChunkVideo, TypeVideo, 1<<24, 1, 8192) })
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
