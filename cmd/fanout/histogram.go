package main

import (
	"math/bits"
	"time"
)

// Each power of two is divided into subBuckets buckets: a value is off by at most 1.6 %.
const (
	subBits    = 6
	subBuckets = 1 << subBits
	buckets    = (64 - subBits) * subBuckets
)

// histogram counts durations in microseconds.
type histogram struct {
	counts [buckets]uint64
	n      uint64
	max    int64
}

func (h *histogram) add(nanoseconds int64) {
	us := max(nanoseconds, 0) / 1000
	h.counts[bucketOf(uint64(us))]++
	h.n++
	h.max = max(h.max, us)
}

func bucketOf(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return shift*subBuckets + int(v>>shift)
}

// bucketTop is the greatest value in bucket i.
func bucketTop(i int) uint64 {
	if i < 2*subBuckets {
		return uint64(i)
	}
	shift := i/subBuckets - 1
	return uint64(i-shift*subBuckets+1)<<shift - 1
}

// quantile returns the value in microseconds that a share q of the values does not exceed.
func (h *histogram) quantile(q float64) int64 {
	rank := min(uint64(q*float64(h.n)), h.n-1)
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen > rank {
			return min(int64(bucketTop(i)), h.max)
		}
	}
	return 0
}

// spread is what is reported of a histogram, in milliseconds.
type spread struct {
	N             uint64
	P50, P99, Max float64
}

func (h *histogram) spread() spread {
	if h.n == 0 {
		return spread{}
	}
	ms := float64(time.Millisecond / time.Microsecond)
	return spread{
		N:   h.n,
		P50: float64(h.quantile(0.5)) / ms,
		P99: float64(h.quantile(0.99)) / ms,
		Max: float64(h.max) / ms,
	}
}
