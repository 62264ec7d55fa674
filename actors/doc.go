// Package actors is the supervised tree of a node: tree.go declares it, node.go starts it.
package actors
