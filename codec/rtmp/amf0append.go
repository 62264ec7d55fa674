package rtmp

import (
	"encoding/binary"
	"math"
)

// AppendNumber appends an AMF0 number.
func AppendNumber(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, markNumber), math.Float64bits(v))
}

// AppendBool appends an AMF0 boolean.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, markBoolean, 1)
	}
	return append(dst, markBoolean, 0)
}

// AppendString appends an AMF0 string, a long one beyond 65,535 bytes.
func AppendString(dst []byte, v string) []byte {
	if len(v) > math.MaxUint16 {
		dst = binary.BigEndian.AppendUint32(append(dst, markLongString), uint32(len(v)))
	} else {
		dst = binary.BigEndian.AppendUint16(append(dst, markString), uint16(len(v)))
	}
	return append(dst, v...)
}

// AppendNull appends an AMF0 null.
func AppendNull(dst []byte) []byte { return append(dst, markNull) }

// AppendObject appends an AMF0 object. A pair with an empty key, which AMF0 cannot express, is left
// out; a key is cut at 65,535 bytes.
func AppendObject(dst []byte, pairs ...Pair) []byte {
	return appendPairs(append(dst, markObject), pairs)
}

// AppendValue appends a value and all that is in it.
func AppendValue(dst []byte, v Value) []byte {
	switch v.Kind {
	case Number:
		return AppendNumber(dst, v.Number)
	case Boolean:
		return AppendBool(dst, v.Number != 0)
	case String:
		return AppendString(dst, v.String)
	case Object:
		return AppendObject(dst, v.Pairs...)
	case ECMAArray:
		dst = binary.BigEndian.AppendUint32(append(dst, markECMAArray), uint32(len(v.Pairs)))
		return appendPairs(dst, v.Pairs)
	case StrictArray:
		dst = binary.BigEndian.AppendUint32(append(dst, markStrictArray), uint32(len(v.Pairs)))
		for _, p := range v.Pairs {
			dst = AppendValue(dst, p.Value)
		}
		return dst
	case Date:
		dst = AppendNumber(dst, v.Number)
		dst[len(dst)-9] = markDate
		return append(dst, 0, 0)
	}
	return AppendNull(dst)
}

// appendPairs appends properties and the end of their object.
func appendPairs(dst []byte, pairs []Pair) []byte {
	for _, p := range pairs {
		key := p.Key[:min(len(p.Key), math.MaxUint16)]
		if key == "" {
			continue
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(key)))
		dst = append(dst, key...)
		dst = AppendValue(dst, p.Value)
	}
	return append(dst, 0, 0, markEnd)
}

// AppendCommand appends the body of a command message.
func AppendCommand(dst []byte, c Command) []byte {
	dst = AppendString(dst, c.Name)
	dst = AppendNumber(dst, c.Transaction)
	for _, v := range c.Args {
		dst = AppendValue(dst, v)
	}
	return dst
}
