// Package halide is the CPU work on pixels and samples: levels and K-weighted energy of audio,
// blurs, scaling, and the primitives of detection, on 8 bit I420 and on 16 bit or float samples.
//
// The kernels are compiled ahead of time by Halide 14 for four levels of x86-64 (SSE2, SSE4.1, AVX2
// with FMA, AVX-512) and for arm64, and the level is chosen when a kernel first runs; the
// environment variable HEADWATER_CPU_LEVEL=1..4 masks what is above. Without cgo, and for pictures
// smaller than a kernel's tile, the plain Go versions of package reference serve. Both give the
// same integers; the functions that return floating point state their tolerance.
//
// Every function checks its arguments and returns an *ArgumentError that names the wrong one;
// nothing panics. No function keeps a slice, starts a goroutine or allocates, but for the plain
// versions' row buffers. Inputs are never written to. A call is one crossing into C for all planes.
// Frame-sized calls are bounded to as many at a time as GOMAXPROCS was at start, since each
// occupies a thread: more callers wait.
package halide
