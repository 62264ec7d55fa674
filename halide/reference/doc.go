// Package reference holds the plain Go version of every kernel of package halide. It is the oracle
// of the tests and what serves where there is no cgo or where a picture is smaller than a kernel's
// tile. The functions assume arguments that package halide has checked; they write no argument but
// the destination.
package reference
