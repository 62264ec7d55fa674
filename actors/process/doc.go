// Package process makes one rendition of a broadcast: it decodes the source's H.264, filters the
// pictures (regions are blurred, or the whole is masked), scales them, encodes them again and sends
// the access units to the broadcast's gate.
//
// Pipeline does the work and is a plain value: units and orders in, outputs out. The actor around
// it follows the source's topic, keeps a bounded queue, and runs the pipeline on a goroutine of its
// own or in a child process (Isolation). It fails closed: what it cannot filter it does not put
// out.
//
// Every message of this package travels as a pointer.
package process
