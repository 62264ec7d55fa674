package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// reader reads the nodes of one YAML document into a Config. Nothing is passed over in silence:
// what it cannot place or read is a problem.
type reader struct {
	path     string
	fields   []Field
	config   *Config
	problems []error
}

// readYAML reads text into c. path is for the problems that it returns.
func (c *Config) readYAML(path string, text []byte) []error {
	r := reader{path: path, fields: Fields(), config: c}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		r.syntax(err)
		return r.problems
	}
	docs := file.Docs
	for len(docs) > 0 && empty(docs[len(docs)-1].Body) {
		docs = docs[:len(docs)-1]
	}
	if len(docs) == 0 {
		return nil
	}
	if len(docs) > 1 {
		r.problem(docs[len(docs)-1].Body, "a further document begins here; a file has one")
		return r.problems
	}
	r.section(docs[0].Body, "")
	return r.problems
}

// syntax takes the parser's error apart, to name the place as all other problems do.
func (r *reader) syntax(err error) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		r.problems = append(r.problems, fmt.Errorf("%s:%d: %s", r.path,
			at.GetToken().Position.Line, at.GetMessage()))
		return
	}
	r.problems = append(r.problems, fmt.Errorf("%s: %w", r.path, err))
}

func (r *reader) problem(n ast.Node, format string, args ...any) {
	line := 0
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		line = n.GetToken().Position.Line
	}
	r.problems = append(r.problems,
		fmt.Errorf("%s:%d: %s", r.path, line, fmt.Sprintf(format, args...)))
}

// section reads a mapping. name is its key, or empty for the whole document.
func (r *reader) section(n ast.Node, name string) {
	if empty(n) {
		return
	}
	mapping, ok := n.(ast.MapNode)
	if !ok && name == "" {
		r.problem(n, "want sections such as rtmp:, found %s", describe(n))
		return
	}
	if !ok {
		r.problem(n, "%s: want a section, found %s", name, describe(n))
		return
	}
	for it := mapping.MapRange(); it.Next(); {
		word, ok := keyOf(it.Key())
		if !ok {
			r.problem(it.Key(), "want a plain key, found %s", it.Key())
			continue
		}
		r.entry(it.Key(), join(name, word), it.Value())
	}
}

func (r *reader) entry(at ast.Node, key string, value ast.Node) {
	if f, ok := find(r.fields, key); ok && !strings.Contains(lastWord(at), ".") {
		r.setting(at, f, value)
		return
	}
	if r.isSection(key) {
		r.section(value, key)
		return
	}
	_, mapping := value.(ast.MapNode)
	near := nearest(key, r.candidates(mapping))
	if near == key {
		near = lastPart(key) + " in the section " + strings.TrimSuffix(key, "."+lastPart(key))
	}
	r.problem(at, "unknown key %s; the nearest is %s", quote(key), near)
}

// setting reads one value.
func (r *reader) setting(at ast.Node, f *Field, value ast.Node) {
	text, kind := scalar(value)
	if want := mismatch(f.kind(), kind); want != "" {
		r.problem(at, "%s: want %s, found %s", f.Key, want, describe(value))
		return
	}
	if err := f.set(r.config, text); err != nil {
		r.problem(at, "%s: %v", f.Key, err)
	}
}

func (r *reader) isSection(key string) bool {
	for i := range r.fields {
		if strings.HasPrefix(r.fields[i].Key, key+".") {
			return true
		}
	}
	return false
}

// candidates are what an unknown key may be meant for: sections, or settings.
func (r *reader) candidates(sections bool) []string {
	var keys []string
	for i := range r.fields {
		key := r.fields[i].Key
		if sections {
			key = strings.TrimSuffix(key, "."+lastPart(key))
		}
		if len(keys) == 0 || keys[len(keys)-1] != key {
			keys = append(keys, key)
		}
	}
	return keys
}

// kind is the kind of the field's own type, or Interface if it reads its text itself.
func (f *Field) kind() reflect.Kind {
	t := reflect.TypeFor[Config]().FieldByIndex(f.index).Type
	if _, ok := reflect.PointerTo(t).MethodByName("UnmarshalText"); ok {
		return reflect.Interface
	}
	return t.Kind()
}

// mismatch tells what a field of some kind wants instead of a node of another, or nothing. The
// kind Invalid is what is no scalar.
func mismatch(field, node reflect.Kind) string {
	switch {
	case field == node, field == reflect.Interface && node != reflect.Invalid:
		return ""
	case field == reflect.Int:
		return "a whole number"
	case field == reflect.Bool:
		return "true or false"
	case field == reflect.String:
		return "text"
	}
	return "a value"
}

// scalar returns the text of a node as it is written, and its kind.
func scalar(n ast.Node) (string, reflect.Kind) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, reflect.String
	case *ast.LiteralNode:
		return n.Value.Value, reflect.String
	case *ast.IntegerNode:
		return n.GetToken().Value, reflect.Int
	case *ast.FloatNode:
		return n.GetToken().Value, reflect.Float64
	case *ast.BoolNode:
		return n.GetToken().Value, reflect.Bool
	}
	return "", reflect.Invalid
}

// describe names a node for a problem.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		text, _ := scalar(n)
		return fmt.Sprintf("the text %q", text)
	case *ast.IntegerNode, *ast.FloatNode:
		return "the number " + n.GetToken().Value
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode:
		return "an anchor"
	case *ast.AliasNode:
		return "an alias"
	case *ast.TagNode:
		return "a tag"
	case ast.MapNode:
		return "a section"
	}
	if empty(n) {
		return "nothing"
	}
	return n.String()
}

func empty(n ast.Node) bool {
	if n == nil {
		return true
	}
	_, null := n.(*ast.NullNode)
	return null
}

// keyOf returns the text of a key that is a plain scalar.
func keyOf(key ast.MapKeyNode) (string, bool) {
	n, ok := key.(ast.Node)
	if !ok || key.IsMergeKey() {
		return "", false
	}
	text, kind := scalar(n)
	return text, kind != reflect.Invalid
}

func lastWord(n ast.Node) string {
	text, _ := scalar(n)
	return text
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

func join(section, word string) string {
	if section == "" {
		return word
	}
	return section + "." + word
}
