package av

// Display tells how pixels are to be shown. An encoder that is given the source's writes the same
// into its stream, so that a filtered picture keeps its colours and its shape. The zero value says
// nothing, and players assume their usual.
type Display struct {
	// Full is the range of luma: 0 to 255 rather than 16 to 235.
	Full bool
	// Primaries, Transfer and Matrix are code points of ITU-T H.273; 0 is unspecified.
	Primaries, Transfer, Matrix uint8
	// AspectWidth and AspectHeight are the shape of a pixel; 0 is unspecified.
	AspectWidth, AspectHeight uint16
}
