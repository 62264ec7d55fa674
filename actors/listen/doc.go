// Package listen holds the actors that own a node's listening sockets. The RTMP listener negotiates
// each connection, by go-rtmp behind our guard, until it is known what it is for; then the
// connection goes to the actor that will own it, a publisher's ingest or a viewer. The HTTP
// listener serves a handler, from which HTTP-FLV viewers take their connections in the same way.
//
// Media never passes through go-rtmp: the guard lets go of it once a publish or play command is
// accepted.
package listen
