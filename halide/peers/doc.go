// Package peers calls other implementations of what package halide does, to measure them side by
// side in one process: libyuv, OpenCV, libavfilter, and straightforward C built by gcc for this
// very machine. It is empty without the build tag peers, and nothing but a benchmark imports it.
package peers
