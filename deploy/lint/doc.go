// Package lint holds what is in deploy to what reads it: Docker's parser, the Compose
// specification, Kubernetes' types, systemd's own verification, and the binary itself. It is a
// module of its own, so that what the parsers need is no matter of the product's.
package lint
