//go:build race

package sim

// defaultSeeds and fewSeeds are how many seeds are enough under the race detector, which takes ten
// times as long: the driver runs one thing at a time, so that there is little to race.
const (
	defaultSeeds = 20
	fewSeeds     = 3
)
