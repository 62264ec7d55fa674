package directory

import "math"

// The score of a node for a key. All nodes compute the same, so that they agree without a word, and
// when a node comes or goes only what it wins or had moves.

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func fnv(s string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// mix has every bit depend on every other (the finaliser of SplitMix64). FNV by itself leaves the
// upper bits of texts that differ at their end nearly the same.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// score is the rendezvous hash.
func score(node, key string) uint64 { return mix(mix(fnv(node)) + fnv(key)) }

// weighted is the score of a node that is to win in proportion to its weight: the smallest of
// exponentially distributed values.
func weighted(node, key string, weight float64) float64 {
	u := (float64(score(node, key)>>11) + 0.5) / (1 << 53) // within (0, 1)
	return -math.Log(u) / weight
}
