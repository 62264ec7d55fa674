package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Field is one setting.
type Field struct {
	// Key is its full name, such as viewer.max-behind.
	Key string
	// Help is one sentence.
	Help string
	// Default is the text of its default. It may be empty.
	Default string
	// Allowed says what is taken, or nothing where any text is.
	Allowed string

	low, high string   // both ends of its range, or both empty
	oneof     []string // all its values, or none
	index     []int    // where it is in a Config
}

// Env is the name of the field's environment variable, such as HEADWATER_VIEWER_MAX_BEHIND.
func (f *Field) Env() string {
	return "HEADWATER_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(f.Key))
}

// Text returns the field's value in a Config, as it would be written.
func (f *Field) Text(c *Config) string {
	return fmt.Sprint(reflect.ValueOf(c).Elem().FieldByIndex(f.index).Interface())
}

// Fields returns all settings, in the order of Config.
func Fields() []Field {
	return fieldsOf(nil, reflect.TypeFor[Config](), "", nil)
}

func fieldsOf(fields []Field, t reflect.Type, prefix string, index []int) []Field {
	for i := range t.NumField() {
		sf := t.Field(i)
		at := append(slices.Clone(index), i)
		if section, ok := sf.Tag.Lookup("prefix"); ok {
			fields = fieldsOf(fields, sf.Type, prefix+section, at)
			continue
		}
		f := Field{
			Key:     prefix + sf.Tag.Get("name"),
			Default: sf.Tag.Get("default"),
			Allowed: allowed(sf),
			index:   at,
		}
		f.Help = help(f.Key)
		f.low, f.high, _ = strings.Cut(sf.Tag.Get("range"), "..")
		if values := sf.Tag.Get("oneof"); values != "" {
			f.oneof = strings.Split(values, ",")
		}
		fields = append(fields, f)
	}
	return fields
}

// allowed says in words what a field of Config may be.
func allowed(sf reflect.StructField) string {
	if ends := sf.Tag.Get("range"); ends != "" {
		return strings.Replace(ends, "..", " to ", 1)
	}
	if values := sf.Tag.Get("oneof"); values != "" {
		return strings.ReplaceAll(values, ",", ", ")
	}
	switch sf.Type {
	case reflect.TypeFor[bool]():
		return "true, false"
	case reflect.TypeFor[Address]():
		return "host:port"
	case reflect.TypeFor[MergeWindow]():
		return "adaptive, or 0s to " + time.Duration(MaxMergeWindow).String()
	}
	return ""
}

// set reads text into the field, if it is allowed.
func (f *Field) set(c *Config, text string) error {
	dst := reflect.ValueOf(c).Elem().FieldByIndex(f.index)
	v, err := parse(dst.Type(), text)
	if err != nil {
		return err
	}
	if err := f.check(v); err != nil {
		return err
	}
	dst.Set(v)
	return nil
}

// copyFrom takes the field's value of another Config, if it is allowed.
func (f *Field) copyFrom(c, from *Config) error {
	v := reflect.ValueOf(from).Elem().FieldByIndex(f.index)
	if err := f.check(v); err != nil {
		return err
	}
	reflect.ValueOf(c).Elem().FieldByIndex(f.index).Set(v)
	return nil
}

// check holds a value to the field's values or range.
func (f *Field) check(v reflect.Value) error {
	if f.oneof != nil && !slices.Contains(f.oneof, v.String()) {
		return fmt.Errorf("%s is none of %s", quote(v.String()), f.Allowed)
	}
	if f.low == "" {
		return nil
	}
	low, errLow := parse(v.Type(), f.low)
	high, errHigh := parse(v.Type(), f.high)
	if err := errors.Join(errLow, errHigh); err != nil {
		return fmt.Errorf("range %s: %w", f.Allowed, err)
	}
	if v.Int() < low.Int() || v.Int() > high.Int() {
		return fmt.Errorf("%v is out of range; allowed: %s", v.Interface(), f.Allowed)
	}
	return nil
}

// parse reads text as a type of Config's.
func parse(t reflect.Type, text string) (reflect.Value, error) {
	p := reflect.New(t)
	if u, ok := p.Interface().(encoding.TextUnmarshaler); ok {
		return p.Elem(), u.UnmarshalText([]byte(text))
	}
	switch t.Kind() {
	case reflect.String:
		p.Elem().SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return p.Elem(), fmt.Errorf("%s is not a whole number", quote(text))
		}
		p.Elem().SetInt(int64(n))
	case reflect.Bool:
		if text != "true" && text != "false" {
			return p.Elem(), fmt.Errorf("%s is neither true nor false", quote(text))
		}
		p.Elem().SetBool(text == "true")
	default:
		return p.Elem(), fmt.Errorf("no way to read a %v", t)
	}
	return p.Elem(), nil
}
