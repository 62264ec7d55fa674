// Package wire carries what nodes of a cluster say to each other beside media: commands, settings
// for the node that takes over, what a node carries, draining.
//
// It is protoactor's Remote, over gRPC, with little left of it. Remote has an actor system of its
// own, in which there is one actor, the gateway: whoever reaches the port reaches nothing of the
// tree. The stream lets through envelopes to the gateway and nothing else; watching, stopping,
// spawning and listing of actors end the stream with an error. With TLS both sides show a
// certificate of the cluster's authority, the one that links are made with.
//
// What is sent is one message, an Envelope, that states the version of the protocol, so that a node
// answers a question that it does not know, of a later version, by saying so. It is sent to nodes
// of the member list only: every failed attempt at another address would cost seconds and memory.
//
// The (wire) actor owns Remote. It is asked by Ask, and by Caller from outside of the tree; it
// answers the questions of others by the functions of Local, each on a goroutine of its own, as
// many at a time as Options allow. It keeps settings for (settings) too: see settings.Store.
package wire
