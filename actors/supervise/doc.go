// Package supervise holds the supervision of the tree: specs as data, one-for-one, rest-for-one and
// dynamic supervisors, restart limits in a real window, jittered capped back-off, escalation,
// ordered starts and stops, and a census of who lives.
//
// The rules are those of Erlang/OTP, on protoactor-go's actors, whose own strategies are too weak
// for them: its exponential back-off is linear, a spent limit leaves a headless tree, a panic while
// stopping resurrects or hangs, and a child stuck in Receive keeps its parents from ending. The
// decisions are taken by a machine that is a plain value (machine.go, advance.go); supervisor.go
// and worker.go are the actors around it.
package supervise
