package rtmp

import (
	"io"
	"strings"
)

// Value is one AMF0 value.
type Value struct {
	Kind   Kind
	Number float64 // of a Number; of a Date, milliseconds since 1970; of a Boolean, 0 or 1
	String string  // of a String, valid UTF-8
	Pairs  []Pair  // of an Object or ECMAArray, in order; of a StrictArray, without keys
}

// Pair is a property of an object.
type Pair struct {
	Key   string
	Value Value
}

// Num returns a Number.
func Num(v float64) Value { return Value{Kind: Number, Number: v} }

// Str returns a String.
func Str(v string) Value { return Value{Kind: String, String: v} }

// Bool returns a Boolean.
func Bool(v bool) Value {
	if v {
		return Value{Kind: Boolean, Number: 1}
	}
	return Value{Kind: Boolean}
}

// Obj returns an Object.
func Obj(pairs ...Pair) Value { return Value{Kind: Object, Pairs: pairs} }

// Get returns the first property of that name, or Null.
func (v Value) Get(key string) Value {
	for _, p := range v.Pairs {
		if p.Key == key {
			return p.Value
		}
	}
	return Value{}
}

// Command is a command message (RTMP 7.1.1).
type Command struct {
	Name        string
	Transaction float64
	Args        []Value // the command object first
}

// Arg returns argument i, counted from the command object as 0, or Null if there is none.
func (c Command) Arg(i int) Value {
	if i < 0 || i >= len(c.Args) {
		return Value{}
	}
	return c.Args[i]
}

// ParseCommand decodes the body of a command message. It fails with ErrAMF on bytes that are not
// AMF0 within AMFDepth and AMFValues, and on a command that does not begin with its name. A
// transaction id that is missing or not a number is 0.
func ParseCommand(body []byte) (Command, error) {
	values, err := parseAMF(body)
	if err != nil {
		return Command{}, err
	}
	if len(values) == 0 || values[0].Kind != String {
		s := scanner{b: body}
		return Command{}, s.bad("command without a name")
	}
	c := Command{Name: values[0].String}
	if len(values) > 1 {
		c.Transaction = values[1].Number
		c.Args = values[2:]
	}
	return c, nil
}

// ParseMetadata decodes the body of a data message that carries onMetaData, with or without
// @setDataFrame before it, and returns its numbers, booleans, strings and dates in order. It is for
// display. Data of another name gives nothing.
func ParseMetadata(body []byte) ([]Pair, error) {
	values, err := parseAMF(body)
	if err != nil {
		return nil, err
	}
	if len(values) > 0 && values[0].Kind == String && values[0].String == "@setDataFrame" {
		values = values[1:]
	}
	if len(values) < 2 || values[0].Kind != String || values[0].String != "onMetaData" {
		return nil, nil
	}
	var out []Pair
	for _, p := range values[1].Pairs {
		switch p.Value.Kind {
		case Number, Boolean, String, Date:
			out = append(out, p)
		}
	}
	return out, nil
}

// parseAMF decodes a sequence of values. open[d] collects the values of the object or array at
// depth d; the values at depth 0 are the result.
func parseAMF(b []byte) ([]Value, error) {
	s := scanner{b: b}
	var open [AMFDepth + 1][]Pair
	for {
		depth := s.depth
		t, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if t.end {
			parent := open[depth-1]
			parent[len(parent)-1].Value.Pairs = open[depth]
			open[depth] = nil
			continue
		}
		v := Value{Kind: t.kind, Number: t.num, String: valid(t.str)}
		open[depth] = append(open[depth], Pair{Key: valid(t.key), Value: v})
	}
	out := make([]Value, len(open[0]))
	for i := range open[0] {
		out[i] = open[0][i].Value
	}
	return out, nil
}

// valid returns b as a string that is valid UTF-8.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "?") }
