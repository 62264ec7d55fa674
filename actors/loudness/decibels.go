package loudness

import "math"

// Floor is the least level that is ever reported, in dBFS and in LUFS: digital silence, and what is
// not known yet. 16 bit samples end at -98 dBFS.
const Floor = -120.0

// floorPower is the mean square at Floor.
const floorPower = 1e-12

// decibels is a mean square, 1 at full scale, in dBFS. A sine of full scale is at -3.01.
func decibels(meanSquare float64) float64 {
	if !(meanSquare > floorPower) { // NaN is silence too
		return Floor
	}
	return 10 * math.Log10(meanSquare)
}

// offset is what makes a sine of 997 Hz at 0 dBFS in one channel read -3.01 LUFS: ITU-R BS.1770-4,
// annex 1, equation 2.
const offset = -0.691

// lufs is the loudness in LUFS of a sum over the channels of the mean squares of the weighted
// signal: equation 2, whose weight is 1 for left and right.
func lufs(power float64) float64 { return max(Floor, offset+decibels(power)) }

// powerAt is the power whose loudness is l, in LUFS.
func powerAt(l float64) float64 { return math.Pow(10, (l-offset)/10) }
