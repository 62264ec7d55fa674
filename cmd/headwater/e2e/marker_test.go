package e2e

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/headwater-live/headwater/codec/av"
)

// rect is a rectangle in fractions of the picture, as commands have it.
type rect struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// in returns the rectangle in a picture's pixels.
func (r rect) in(width, height int) image.Rectangle {
	x, y := r.X*float64(width), r.Y*float64(height)
	return image.Rect(int(math.Round(x)), int(math.Round(y)),
		int(math.Round(x+r.W*float64(width))), int(math.Round(y+r.H*float64(height))))
}

// marker is a field of cells, black and white at random, that is drawn into each picture: what must
// not be readable. Its cells are finer than the strokes of a large line of text.
type marker struct {
	rect       rect
	cols, rows int
	white      [][]bool
}

// newMarker returns the marker of a rectangle.
func newMarker(r rect, cols, rows int) *marker {
	m := &marker{rect: r, cols: cols, rows: rows}
	source := rand.New(rand.NewPCG(4, 711))
	for range m.rows {
		row := make([]bool, m.cols)
		for i := range row {
			row[i] = source.IntN(2) == 1
		}
		m.white = append(m.white, row)
	}
	return m
}

// The luma of the marker's cells, which is all that video has between black and white.
const darkest, brightest = 16, 235

// readable is the contrast from which on the marker counts as readable, and unreadable is what must
// remain of it at most: a tenth of what was drawn. TestBlur shows that pictures which are not
// blurred are far above the one, and those of every mode below the other.
const readable, unreadable = 48, 22

// write writes the marker as a picture for ffmpeg to draw.
func (m *marker) write(t *testing.T, path string, width, height int) {
	t.Helper()
	at := m.rect.in(width, height)
	img := image.NewGray(image.Rect(0, 0, at.Dx(), at.Dy()))
	for y := range at.Dy() {
		for x := range at.Dx() {
			if m.white[y*m.rows/at.Dy()][x*m.cols/at.Dx()] {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, img); err != nil {
		t.Fatal(err)
	}
}

// contrast is how much brighter the white cells are than the black ones beside them, as a mean: 219
// where the marker is as it was drawn, 0 where nothing is left of it.
func (m *marker) contrast(f *av.Frame) float64 {
	width, height := f.Size()
	pix, stride := f.Plane(0)
	return m.contrastIn(pix, stride, width, height)
}

// contrastIn is contrast of a picture's luma.
func (m *marker) contrastIn(pix []byte, stride, width, height int) float64 {
	cells := m.cells(pix, stride, m.rect.in(width, height))
	sum, n := 0.0, 0.0
	for y := range m.rows {
		for x := range m.cols - 1 {
			if m.white[y][x] == m.white[y][x+1] {
				continue
			}
			step := cells[y][x] - cells[y][x+1]
			if !m.white[y][x] {
				step = -step
			}
			sum += step
			n++
		}
	}
	return sum / n
}

// cells is the mean luma of the inner part of each cell: a scaled cell's edge is mixed.
func (m *marker) cells(pix []byte, stride int, at image.Rectangle) [][]float64 {
	width, height := float64(at.Dx())/float64(m.cols), float64(at.Dy())/float64(m.rows)
	const edge = 0.2
	out := make([][]float64, m.rows)
	for row := range out {
		out[row] = make([]float64, m.cols)
		y0 := at.Min.Y + int(math.Round((float64(row)+edge)*height))
		y1 := max(y0+1, at.Min.Y+int(math.Round((float64(row)+1-edge)*height)))
		for col := range out[row] {
			x0 := at.Min.X + int(math.Round((float64(col)+edge)*width))
			x1 := max(x0+1, at.Min.X+int(math.Round((float64(col)+1-edge)*width)))
			sum := 0
			for y := y0; y < y1; y++ {
				for _, v := range pix[y*stride+x0 : y*stride+x1] {
					sum += int(v)
				}
			}
			out[row][col] = float64(sum) / float64((y1-y0)*(x1-x0))
		}
	}
	return out
}
