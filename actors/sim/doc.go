// Package sim is a simulation of a node: its real tree, without sockets, in virtual time, run
// message by message in an order that a seed draws, under a plan of publishers, viewers and faults
// that the same seed draws. What must always hold is checked at every step and for every viewer.
//
// It is tests only. A seed that fails is run again, with its trace, by
//
//	go test ./actors/sim -run TestSeeds -sim.seed=N -v
package sim
