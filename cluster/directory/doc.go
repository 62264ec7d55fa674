// Package directory is what the nodes of a cluster know of each other by way of etcd, and the actor
// that speaks for this node: the registrar.
//
// Below /headwater/NAME/ etcd has, as JSON:
//
//	nodes/NODE             who is here: roles, addresses, state, load; as long as its lease
//	broadcasts/KEY/NODE    what a node carries, and as what; as long as its lease
//	epochs/KEY             the highest epoch that was granted, and to whom; a day
//	settings/KEY           what is commanded of a broadcast, by version; a day
//
// A KEY is escaped as a part of a path. Only the transaction that grants an epoch decides anything;
// all else is told, not asked for: each node mirrors everything, and which node is standby, which
// edge follows whom, where the next publisher had better go, are pure functions of that mirror.
// While etcd is gone the mirror stays as it was, and so does all that follows from it: a node whose
// record is gone, by contrast to one that took its broadcast back, is followed on for a while.
//
// A node with the second broadcast of a publisher, a backup, mirrors the active as its standby does
// and is preferred as such. It is sure of what is commanded before anything of that broadcast is
// given: it asks the active once that has it as its standby, and so tells it of all that follows.
package directory
