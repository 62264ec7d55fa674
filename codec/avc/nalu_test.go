package avc

import "testing"

var units = []struct {
	name   string
	unit   string
	size   int
	types  []NALType
	broken bool
	idr    bool
}{
	{"empty", "", 4, nil, false, false},
	{"picture", "\x00\x00\x00\x02\x41x", 4, []NALType{NALSlice}, false, false},
	{
		"idr behind the rest", "\x00\x00\x00\x02\x09\xf0\x00\x00\x00\x01\x06\x00\x00\x00\x02\x65x", 4,
		[]NALType{NALAUD, NALSEI, NALIDR},
		false, true,
	},
	{"length of two", "\x00\x01\x67\x00\x01\x68", 2, []NALType{NALSPS, NALPPS}, false, false},
	{"length of one", "\x01\x65", 1, []NALType{NALIDR}, false, true},
	{"empty ones are left out", "\x00\x01\x0c\x00", 1, []NALType{NALFiller}, false, false},
	{"cut length", "\x00\x00\x00\x01\x65\x00\x00", 4, []NALType{NALIDR}, true, true},
	{"too long", "\x00\x00\x00\x01\x41\x00\x00\x00\x02\x65", 4, []NALType{NALSlice}, true, false},
	{"far too long", "\xff\xff\xff\xff\x65", 4, nil, true, false},
	{"no length size", "\x01\x65", 0, nil, true, false},
	{"length size of five", "\x01\x65", 5, nil, true, false},
}

func TestNALUs(t *testing.T) {
	for _, c := range units {
		var got []NALType
		cur := NALUs([]byte(c.unit), c.size)
		for cur.Next() {
			got = append(got, Type(cur.NALU()))
		}
		if string(bytesOf(got)) != string(bytesOf(c.types)) || cur.Broken() != c.broken {
			t.Errorf("%s: %v broken %v, want %v %v", c.name, got, cur.Broken(), c.types, c.broken)
		}
		if cur.Next() || cur.NALU() != nil {
			t.Errorf("%s: goes on after its end", c.name)
		}
		if idr := HasIDR([]byte(c.unit), c.size); idr != c.idr {
			t.Errorf("%s: HasIDR %v", c.name, idr)
		}
	}
}

func bytesOf(types []NALType) (b []byte) {
	for _, v := range types {
		b = append(b, byte(v))
	}
	return b
}

func TestHasIDRDoesNotAllocate(t *testing.T) {
	unit := []byte(units[2].unit)
	if n := testing.AllocsPerRun(100, func() { HasIDR(unit, 4) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzNALUs(f *testing.F) {
	for _, c := range units {
		f.Add([]byte(c.unit), c.size)
	}
	f.Fuzz(func(t *testing.T, unit []byte, size int) {
		end, idr := 0, false
		c := NALUs(unit, size)
		for c.Next() {
			n := c.NALU()
			// The NAL units are in the access unit, in order, each behind a length that is its own.
			at := cap(unit) - cap(n)
			if len(n) == 0 || at < end+size || at+len(n) > len(unit) {
				t.Fatalf("NAL unit %x at byte %d of %d, behind byte %d", n, at, len(unit), end)
			}
			if got := int(unit[at-1]); got != len(n)&0xff {
				t.Fatalf("NAL unit of %d bytes behind a length that ends in %d", len(n), got)
			}
			end = at + len(n)
			idr = idr || Type(n) == NALIDR
		}
		if HasIDR(unit, size) != idr {
			t.Fatalf("HasIDR is not %v", idr)
		}
	})
}

func BenchmarkHasIDR(b *testing.B) {
	unit := []byte(units[2].unit)
	b.ReportAllocs()
	for b.Loop() {
		HasIDR(unit, 4)
	}
}
