package directory

import (
	"net/url"
	"strings"
)

// Keys are the keys of one cluster in etcd.
type Keys struct{ prefix string }

// NewKeys returns those of the cluster of that name.
func NewKeys(cluster string) Keys { return Keys{"/headwater/" + url.PathEscape(cluster) + "/"} }

// Kinds of keys, as they begin below the prefix.
const (
	kindNodes      = "nodes/"
	kindBroadcasts = "broadcasts/"
	kindEpochs     = "epochs/"
	kindSettings   = "settings/"
)

// Prefix is what all of them begin with.
func (k Keys) Prefix() string { return k.prefix }

// Node is the key of a node's record.
func (k Keys) Node(name string) string { return k.prefix + kindNodes + url.PathEscape(name) }

// Broadcast is the key of what a node carries.
func (k Keys) Broadcast(key, node string) string {
	return k.carriers(key) + url.PathEscape(node)
}

// carriers is what the records of all nodes that carry a key begin with.
func (k Keys) carriers(key string) string {
	return k.prefix + kindBroadcasts + url.PathEscape(key) + "/"
}

// Epoch is the key of a broadcast's epoch.
func (k Keys) Epoch(key string) string { return k.prefix + kindEpochs + url.PathEscape(key) }

// Settings is the key of what is commanded of a broadcast.
func (k Keys) Settings(key string) string { return k.prefix + kindSettings + url.PathEscape(key) }

// parsed is a key of etcd's below the prefix, taken apart.
type parsed struct{ kind, key, node string }

// parse takes a key apart. It reports false for one that none of the functions above makes.
func parse(below string) (p parsed, ok bool) {
	kind, rest, _ := strings.Cut(below, "/")
	p.kind = kind + "/"
	switch p.kind {
	case kindNodes:
		p.node, ok = unescape(rest)
		return p, ok && validNode(p.node) == nil
	case kindEpochs, kindSettings:
		p.key, ok = unescape(rest)
	case kindBroadcasts:
		key, node, _ := strings.Cut(rest, "/")
		var okNode bool
		p.key, ok = unescape(key)
		p.node, okNode = unescape(node)
		ok = ok && okNode && validNode(p.node) == nil
	}
	return p, ok && validKey(p.key) == nil
}

// unescape undoes url.PathEscape, of what it would write alone: each name has one key.
func unescape(s string) (string, bool) {
	name, err := url.PathUnescape(s)
	return name, err == nil && name != "" && url.PathEscape(name) == s
}
