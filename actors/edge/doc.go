// Package edge brings broadcasts to viewers: the relay that follows a broadcast's topic wherever it
// is, and the viewers, one actor each, that own a socket and a goroutine that writes to it.
//
// Viewers attach through an edge on the origin's own node too: there is one code path.
package edge
