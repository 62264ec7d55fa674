// Package snapshot makes JPEGs of what viewers see: of the newest picture of a rendition that can
// be decoded by itself and that has left the broadcast, so that it is blurred when the stream is.
//
// The decisions are those of machine, which is a plain value: which picture is at hand, which has
// to be made, who waits for it. One picture is made at a time, on a goroutine of the actor's, in
// one of the node's slots.
package snapshot
