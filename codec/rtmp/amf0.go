package rtmp

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Bounds of the AMF0 that is read from a peer: how deep values nest and how many there are.
const (
	AMFDepth  = 16
	AMFValues = 4096
)

// Markers of AMF0 (Adobe, "AMF 0", 2007, section 2.1).
const (
	markNumber      = 0x00
	markBoolean     = 0x01
	markString      = 0x02
	markObject      = 0x03
	markNull        = 0x05
	markUndefined   = 0x06
	markReference   = 0x07
	markECMAArray   = 0x08
	markEnd         = 0x09
	markStrictArray = 0x0a
	markDate        = 0x0b
	markLongString  = 0x0c
	markUnsupported = 0x0d
	markXML         = 0x0f
	markTypedObject = 0x10
)

// Kind is the kind of an AMF0 value.
type Kind uint8

// The kinds of value. What AMF0 has beyond them is read as the nearest: undefined, unsupported and
// references as Null, XML as String, typed objects as Object.
const (
	Null Kind = iota
	Number
	Boolean
	String
	Object
	ECMAArray
	StrictArray
	Date
)

// frame is an object or array that the scanner is inside of.
type frame struct {
	keyed bool
	left  uint32 // values to come, if not keyed
}

// token is one value, or the end of an object or array.
type token struct {
	kind Kind
	end  bool
	num  float64 // Number, Date; Boolean as 0 or 1
	key  []byte
	str  []byte
}

// scanner walks AMF0 values in bytes it does not own, without recursion. A body that ends where a
// property or element may begin closes what is open: some encoders leave the end marker out.
type scanner struct {
	b      []byte
	i      int
	values int
	depth  int
	stack  [AMFDepth]frame
}

// bad returns an error at the scanner's place.
func (s *scanner) bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d of %d", ErrAMF, fmt.Sprintf(format, args...), s.i, len(s.b))
}

// take returns the next n bytes.
func (s *scanner) take(n int) ([]byte, error) {
	if n > len(s.b)-s.i {
		return nil, s.bad("%d bytes wanted, %d left", n, len(s.b)-s.i)
	}
	b := s.b[s.i : s.i+n]
	s.i += n
	return b, nil
}

// text returns the next string with a length of two or four bytes.
func (s *scanner) text(size int) ([]byte, error) {
	b, err := s.take(size)
	if err != nil {
		return nil, err
	}
	if size == 2 {
		return s.take(int(binary.BigEndian.Uint16(b)))
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(s.b)-s.i) {
		return nil, s.bad("string of %d bytes, %d left", n, len(s.b)-s.i)
	}
	return s.take(int(n))
}

// next returns the next token, or io.EOF behind the last.
func (s *scanner) next() (t token, err error) {
	if s.depth > 0 {
		f := &s.stack[s.depth-1]
		if s.i == len(s.b) || !f.keyed && f.left == 0 {
			s.depth--
			return token{end: true}, nil
		}
		if f.keyed {
			if t.key, err = s.text(2); err != nil {
				return t, err
			}
			if len(t.key) == 0 {
				return s.closeObject()
			}
		} else {
			f.left--
		}
	}
	if s.i == len(s.b) {
		if s.depth > 0 {
			return t, s.bad("key without a value")
		}
		return t, io.EOF
	}
	if s.values++; s.values > AMFValues {
		return t, s.bad("more than %d values", AMFValues)
	}
	m := s.b[s.i]
	s.i++
	return s.value(t, m)
}

// closeObject reads the marker behind an empty key.
func (s *scanner) closeObject() (t token, err error) {
	b, err := s.take(1)
	if err != nil {
		return t, err
	}
	if b[0] != markEnd {
		return t, s.bad("marker %#x behind an empty key, want %#x", b[0], markEnd)
	}
	s.depth--
	return token{end: true}, nil
}

// value reads what follows marker m into t.
func (s *scanner) value(t token, m byte) (token, error) {
	var b []byte
	var err error
	switch m {
	case markNumber, markDate:
		t.kind = Number
		if b, err = s.take(8); err == nil {
			t.num = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
		if m == markDate && err == nil {
			t.kind = Date
			_, err = s.take(2)
		}
	case markBoolean:
		t.kind = Boolean
		if b, err = s.take(1); err == nil && b[0] != 0 {
			t.num = 1
		}
	case markString:
		t.kind = String
		t.str, err = s.text(2)
	case markLongString, markXML:
		t.kind = String
		t.str, err = s.text(4)
	case markNull, markUndefined, markUnsupported:
	case markReference:
		_, err = s.take(2)
	case markObject, markTypedObject, markECMAArray, markStrictArray:
		return s.open(t, m)
	default:
		err = s.bad("marker %#x", m)
	}
	return t, err
}

// open begins an object or array.
func (s *scanner) open(t token, m byte) (token, error) {
	if s.depth == AMFDepth {
		return t, s.bad("more than %d levels", AMFDepth)
	}
	f := frame{keyed: true}
	t.kind = Object
	switch m {
	case markTypedObject:
		if _, err := s.text(2); err != nil {
			return t, err
		}
	case markECMAArray, markStrictArray:
		b, err := s.take(4)
		if err != nil {
			return t, err
		}
		t.kind = ECMAArray
		if m == markStrictArray {
			t.kind = StrictArray
			f = frame{left: binary.BigEndian.Uint32(b)}
			if uint64(f.left) > uint64(len(s.b)-s.i) {
				return t, s.bad("array of %d values, %d bytes left", f.left, len(s.b)-s.i)
			}
		}
	}
	s.stack[s.depth] = f
	s.depth++
	return t, nil
}

// checkAMF tells whether b is a sequence of AMF0 values within bounds.
func checkAMF(b []byte) error {
	s := scanner{b: b}
	for {
		if _, err := s.next(); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}
