// Package link is the media plane between two nodes: one TCP connection, optionally with TLS on
// both sides, by which an edge follows any number of an origin's broadcasts. The edge dials,
// subscribes, and then takes what is pushed.
//
// What is written, all integers big endian:
//
//	 0       4      5
//	+--------+------+----------------------+
//	| length | type | length-1 bytes more  |
//	+--------+------+----------------------+
//
//	hello        "HWLK" version:1 name...         first on either side; the name is the node's
//	hello        "HWLK" version:1 least:1 name... of a version above 1
//	refuse       reason...                        in place of a hello, and the end
//	subscribe    id:4 epoch:8 seq:8 n:1 key:n rendition...
//	                                              from behind that unit on, if it is still there
//	unsubscribe  id:4
//	unit         id:4 kind:1 role:1 codec:4 epoch:8 seq:8 header:8 dts:8 cts:8 body...
//	             header is the sequence number of the unit's sequence header, 0 for none
//	begin        id:4 epoch:8                     units to catch up with follow, after a place to
//	                                              begin, or after the one asked for
//	end          id:4                             those were all
//	seal         id:4 epoch:8 seq:8               nobody new may begin with what came so far
//	gone         id:4                             the origin does not have the broadcast any more
//	ping, pong   stamp:8                          a pong has the stamp of its ping
//
// An edge says the highest version that it speaks, and the least; the origin answers with the one
// that both speak from then on, the highest that both know. Where there is none each tells the
// other, and logs, which versions the two speak. So nodes are upgraded one by one, in any order, as
// long as a release speaks the version of the one before. The first ten bytes of a hello, and a
// refusal, are the same in every version.
//
// An edge sends nothing but hello, subscribe, unsubscribe, ping and pong.
//
// An origin is whoever is followed: what it does not carry itself, but follows on another node, it
// gives out of its edge's ring, which it keeps without a viewer for as long as somebody asks.
//
// A subscription is a cursor on the rendition's ring at the origin: nothing is queued for a link
// but what the ring keeps for everybody. A link that is too slow for a broadcast goes on at its
// newest keyframe, as a viewer would, and costs no other link anything.
package link
