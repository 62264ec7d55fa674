// Package topic is where the media of one rendition of a broadcast passes: a ring of immutable
// access units that any number of readers follow with a cursor, and the actor that fills it. It is
// the same at the origin, fed by a publisher, and at the edge, fed by relays.
//
// The invariants that readers rely on are kept by Machine, before anything enters the ring:
// sequence order within an epoch, no stale epoch, headers before the first picture, a keyframe
// after every gap, decoding times that never fall.
//
// An edge's topic may have several upstreams: the active origin, the standby, parents. Each brings
// the units of an epoch in order, under the same numbers, and each may skip some. What comes twice
// is dropped. Where Options.Patience is set, what is ahead is held back while units are missing
// before it, for 300 ms, 512 units or 4 MiB at the most, so that another upstream can fill the
// hole; then all of it enters at once, in order. A hole that nobody fills in time is a gap, and so
// is at once one of more than 200 units, which nobody is about to bring. What an
// upstream's snapshot has counts as brought and no more: where it has begun anew further on, the
// topic goes there only when nobody brings what lies between. An epoch begins at once with whatever
// comes first of it, after what is held of the one before, and a seal holds at once. Units in order
// pay for this with a comparison: no memory, no timer, no clock is used while there is no hole.
package topic
