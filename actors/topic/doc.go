// Package topic is where the media of one rendition of a broadcast passes: a ring of immutable
// access units that any number of readers follow with a cursor, and the actor that fills it. It is
// the same at the origin, fed by a publisher, and at the edge, fed by relays.
//
// The invariants that readers rely on are kept by Machine, before anything enters the ring:
// sequence order within an epoch, no stale epoch, headers before the first picture, a keyframe
// after every gap, decoding times that never fall.
package topic
