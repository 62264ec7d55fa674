// Package loudness measures how loud a broadcast is: sample peak and RMS, loudness as ITU-R BS.1770
// and EBU R128 define it, silence and clipping. The audio itself is not touched.
//
// Meter is the measurement, a pure machine; Machine decodes audio units for it and says when
// players are to be told. The actor feeds Machine on a goroutine of its own, through a queue that
// drops its oldest unit when full: a measurement may miss a frame, but never holds up a broadcast.
package loudness
