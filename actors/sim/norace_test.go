//go:build !race

package sim

// defaultSeeds is how many seeds a run of the tests takes, fewSeeds what runs each several times.
const (
	defaultSeeds = 200
	fewSeeds     = 12
)
