// Package control is what a node shows over HTTP: the page, the broadcasts, the live tree, metrics
// and health, beside the HTTP-FLV streams of the node itself.
package control
