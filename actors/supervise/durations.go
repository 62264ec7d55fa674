package supervise

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// durations is a histogram with a bucket for each power of four from one microsecond to one second,
// cheap enough to be fed by every message: an addition or two, no lock.
type durations struct {
	buckets [bucketCount + 1]atomic.Uint64 // the last is beyond all bounds
	nanos   atomic.Uint64
}

const (
	bucketCount = 11
	firstBucket = time.Microsecond
)

// bound is the upper bound of bucket i.
func bound(i int) time.Duration { return firstBucket << (2 * i) }

func (d *durations) observe(v time.Duration) {
	over := uint64(max(0, v-1)) / uint64(firstBucket)
	i := min((bits.Len64(over)+1)/2, bucketCount)
	d.buckets[i].Add(1)
	d.nanos.Add(uint64(max(0, v)))
}

// snapshot returns the count, the sum in seconds and the cumulative count of each bound in seconds.
func (d *durations) snapshot() (count uint64, sum float64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, bucketCount)
	for i := range bucketCount {
		count += d.buckets[i].Load()
		buckets[bound(i).Seconds()] = count
	}
	count += d.buckets[bucketCount].Load()
	return count, time.Duration(d.nanos.Load()).Seconds(), buckets
}
