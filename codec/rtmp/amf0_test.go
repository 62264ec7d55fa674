package rtmp

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// amfCases are sequences of AMF0 values.
var amfCases = []struct {
	name string
	in   string
	want []Value
	bad  bool
}{
	{name: "nothing", in: "", want: []Value{}},
	{name: "number", in: "00 3ff0000000000000", want: []Value{Num(1)}},
	{name: "booleans", in: "0100 0101 0107", want: []Value{Bool(false), Bool(true), Bool(true)}},
	{name: "string", in: "02 0002 6869", want: []Value{Str("hi")}},
	{name: "string of no length", in: "02 0000", want: []Value{Str("")}},
	{name: "invalid UTF-8", in: "02 0003 61ff62", want: []Value{Str("a?b")}},
	{name: "long string", in: "0c 00000002 6869", want: []Value{Str("hi")}},
	{name: "XML", in: "0f 00000002 6869", want: []Value{Str("hi")}},
	{name: "null, undefined, unsupported, reference", in: "05 06 0d 07 0001", want: make([]Value, 4)},
	{name: "date", in: "0b 3ff0000000000000 0000", want: []Value{{Kind: Date, Number: 1}}},
	{
		name: "object", in: "03 0001 61 0101 0001 62 05 000009 05",
		want: []Value{Obj(Pair{"a", Bool(true)}, Pair{"b", Value{}}), {}},
	},
	{name: "object of no property", in: "03 000009", want: []Value{Obj()}},
	{name: "object without an end", in: "03 0001 61 05", want: []Value{Obj(Pair{"a", Value{}})}},
	{
		name: "typed object", in: "10 0001 54 0001 61 05 000009",
		want: []Value{Obj(Pair{"a", Value{}})},
	},
	{
		name: "ECMA array with a wrong count", in: "08 ffffffff 0001 61 05 000009",
		want: []Value{{Kind: ECMAArray, Pairs: []Pair{{"a", Value{}}}}},
	},
	{
		name: "nested", in: "0a 00000002 03 0001 61 0a 00000000 000009 05 0100",
		want: []Value{
			{Kind: StrictArray, Pairs: []Pair{
				{"", Obj(Pair{"a", Value{Kind: StrictArray}})}, {"", Value{}},
			}}, Bool(false),
		},
	},
	{name: "strict array of 2^31-1 values", in: "0a 7fffffff 05", bad: true},
	{name: "strict array of one value too many", in: "0a 00000002 05", bad: true},
	{name: "short number", in: "00 3ff00000000000", bad: true},
	{name: "short string", in: "02 0003 6869", bad: true},
	{name: "short long string", in: "0c ffffffff 6869", bad: true},
	{name: "short date", in: "0b 3ff0000000000000 00", bad: true},
	{name: "key without a value", in: "03 0001 61", bad: true},
	{name: "empty key without an end", in: "03 0000 05", bad: true},
	{name: "end outside an object", in: "09", bad: true},
	{name: "movie clip", in: "04", bad: true},
	{name: "switch to AMF3", in: "11 01", bad: true},
	{name: "16 levels", in: strings.Repeat("0a00000001", 16) + "05", want: []Value{nested(16)}},
	{name: "17 levels", in: strings.Repeat("0a00000001", 17) + "05", bad: true},
	{name: "4096 values", in: strings.Repeat("05", 4096), want: make([]Value, 4096)},
	{name: "4097 values", in: strings.Repeat("05", 4097), bad: true},
}

// nested returns a null in n arrays.
func nested(n int) (v Value) {
	for range n {
		v = Value{Kind: StrictArray, Pairs: []Pair{{"", v}}}
	}
	return v
}

func TestAMF(t *testing.T) {
	for _, c := range amfCases {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.in)
			got, err := parseAMF(b)
			if check := checkAMF(b); (check == nil) != (err == nil) {
				t.Errorf("checkAMF says %v, parseAMF %v", check, err)
			}
			if c.bad {
				if !errors.Is(err, ErrAMF) {
					t.Errorf("%v, want ErrAMF", err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestAppendAMF(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"number", AppendNumber(nil, 1), "00 3ff0000000000000"},
		{"boolean", AppendBool(AppendBool(nil, true), false), "0101 0100"},
		{"string", AppendString(nil, "hi"), "02 0002 6869"},
		{"null", AppendNull(nil), "05"},
		{
			"object", AppendObject(nil, Pair{"a", Bool(true)}, Pair{"", Num(1)}, Pair{"b", Obj()}),
			"03 0001 61 0101 0001 62 03 000009 000009",
		},
		{
			"ECMA array", AppendValue(nil, Value{Kind: ECMAArray, Pairs: []Pair{{"a", Value{}}}}),
			"08 00000001 0001 61 05 000009",
		},
		{"strict array", AppendValue(nil, nested(2)), "0a 00000001 0a 00000001 05"},
		{"date", AppendValue(nil, Value{Kind: Date, Number: 1}), "0b 3ff0000000000000 0000"},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s: %x, want %x", c.name, c.got, want)
		}
	}
	long := strings.Repeat("x", math.MaxUint16+1)
	b := AppendObject(AppendString(nil, long), Pair{long, Num(1)})
	got, err := parseAMF(b)
	want := []Value{Str(long), Obj(Pair{long[1:], Num(1)})}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("long string and key: %v", err)
	}
}

func TestParseCommand(t *testing.T) {
	body := AppendCommand(nil, Command{
		Name: "publish", Transaction: 5, Args: []Value{{}, Str("key"), Str("live")},
	})
	c, err := ParseCommand(body)
	if err != nil || c.Name != "publish" || c.Transaction != 5 || c.Arg(1).String != "key" {
		t.Errorf("%+v, %v", c, err)
	}
	if c.Arg(3).Kind != Null || c.Arg(-1).Kind != Null || c.Arg(1).Get("x").Kind != Null {
		t.Error("what is not there is not null")
	}
	for _, b := range [][]byte{nil, {markNull}, {markString, 0}} {
		if _, err := ParseCommand(b); !errors.Is(err, ErrAMF) {
			t.Errorf("%x: %v, want ErrAMF", b, err)
		}
	}
	if c, err = ParseCommand(AppendString(nil, "x")); err != nil || c.Name != "x" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestParseMetadata(t *testing.T) {
	values := []Pair{
		{"width", Num(1280)},
		{"stereo", Bool(true)},
		{"encoder", Str("x")},
		{"none", Value{}},
		{"keyframes", Obj(Pair{"times", nested(1)})},
		{"made", Value{Kind: Date, Number: 9}},
	}
	want := []Pair{values[0], values[1], values[2], values[5]}
	for _, kind := range []Kind{Object, ECMAArray} {
		for _, prefix := range []string{"", setDataFrame} {
			b := AppendString([]byte(prefix), "onMetaData")
			b = AppendValue(b, Value{Kind: kind, Pairs: values})
			got, err := ParseMetadata(b)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
	}
	if got, err := ParseMetadata(AppendNull(AppendString(nil, "onFI"))); got != nil || err != nil {
		t.Errorf("%v, %v, want nothing", got, err)
	}
	if _, err := ParseMetadata([]byte{0x11}); !errors.Is(err, ErrAMF) {
		t.Errorf("%v, want ErrAMF", err)
	}
}
