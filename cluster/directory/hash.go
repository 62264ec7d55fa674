package directory

import (
	"hash/fnv"
	"math"
)

// The score of a node for a key. All nodes compute the same, so that they agree without a word, and
// when a node comes or goes only what it wins or had moves.

func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails, by its documentation
	return h.Sum64()
}

// mix has every bit depend on every other (the finaliser of SplitMix64). FNV by itself leaves the
// upper bits of texts that differ at their end nearly the same.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// score is the rendezvous hash.
func score(node, key string) uint64 { return mix(mix(hashOf(node)) + hashOf(key)) }

// weighted is the score of a node that is to win in proportion to its weight: the smallest of
// exponentially distributed values.
func weighted(node, key string, weight float64) float64 {
	u := (float64(score(node, key)>>11) + 0.5) / (1 << 53) // within (0, 1)
	return -math.Log(u) / weight
}
