package main

import "time"

// The orders that the process of the viewers obeys, one at a time, as lines of JSON.
const (
	// opJoin connects Count viewers who stay, one Every.
	opJoin = "join"
	// opBegin sets the counters to zero.
	opBegin = "begin"
	// opEnd returns what was counted since.
	opEnd = "end"
	// opProbe connects Count viewers, one Every, who leave when they have a keyframe.
	opProbe = "probe"
	// opCrowd connects Count viewers at once, who stay; it is done when each has received
	// something that was published after he came.
	opCrowd = "crowd"
)

// orderDeadline is how long an order may take beyond the time in which its viewers set out.
const orderDeadline = 15 * time.Second

// audience says whom the process of the viewers speaks to. It is its argument, as JSON.
type audience struct {
	Protocol   string
	Broadcasts int
	Marker     uint64
}

type order struct {
	Op    string
	Count int
	Every time.Duration
}

// answer is what became of an order. Which fields have a meaning depends on the order.
type answer struct {
	// Error is the first failure of a viewer, Failed how many viewers did not reach their goal.
	Error  string
	Failed int
	// Joins are the times from connect to the first keyframe in hand.
	Joins spread
	// Accepted is the time in seconds until the last viewer's request was accepted, CaughtUp until
	// the last one had what was published after he came.
	Accepted, CaughtUp float64
	tally
	CPU float64 // seconds, of the process of the viewers
}

// tally is what the viewers counted.
type tally struct {
	Bytes int64
	// Units are the access units with a mark. Gaps counts the places where the numbers of a track
	// leap, Missing the numbers left out, Back the numbers that fall, Foreign the media without a
	// mark of its broadcast.
	Units, Gaps, Missing, Back, Foreign int64
	// Lost are the viewers whose connection ended.
	Lost  int64
	Delay spread // from publish to the whole picture in hand
}
