// Package membership is a node's way to etcd, where a cluster keeps who is in it and what each
// member carries: a client, a server in this process for a cluster that has none of its own, a
// session that is there as long as the node is, and a mirror of everything that is written.
//
// The session's lease is what the node's records hang on. Whether it may be over, the session knows
// by its own clock, counted from when the last keepalive that was acknowledged had been sent: a
// process that was stopped for longer than the lease knows so before it hears from etcd, and etcd
// never lets a lease go before that. A session that was lost goes on trying; with the next lease
// all that was registered is registered anew.
package membership
