package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// quality is JPEG's.
const quality = 80

// ask makes the question that a unit, which needs no other, is.
func ask(u *topic.Unit, o *Options) (*question, error) {
	record, err := payload(u.Header)
	if err != nil {
		return nil, err
	}
	unit, err := payload(u)
	if err != nil {
		return nil, err
	}
	return &question{
		Record: record, Unit: unit, Limits: o.Limits, Memory: o.Isolation.Memory,
		Nice: o.Isolation.Nice,
	}, nil
}

// take makes the picture of a unit, here or in a child process.
func take(ctx context.Context, u *topic.Unit, o *Options) (*Picture, error) {
	q, err := ask(u, o)
	if err != nil {
		return nil, err
	}
	var a *answer
	if o.Isolation.Process {
		a, err = elsewhere(ctx, q, o.Isolation.Command)
	} else {
		a, err = picture(q)
	}
	if err != nil {
		return nil, err
	}
	return &Picture{
		JPEG: a.JPEG, Width: a.Width, Height: a.Height, Epoch: u.Epoch, Seq: u.Seq, PTS: u.PTS(),
	}, nil
}

// picture decodes an access unit and makes a JPEG of it.
func picture(q *question) (*answer, error) {
	decoder, err := av.NewDecoder(q.Record, q.Limits)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	a := &answer{}
	emit := func(f *av.Frame) error {
		defer f.Release()
		if a.JPEG != nil { // damage: a unit is one picture
			return nil
		}
		var err error
		a.Width, a.Height = f.Size()
		a.JPEG, err = encode(f)
		return err
	}
	err = decoder.Decode(q.Unit, 0, 0, emit)
	if err == nil {
		err = decoder.Flush(emit)
	}
	switch {
	case a.JPEG != nil:
		return a, nil
	case err != nil:
		return nil, err
	}
	return nil, errors.New("the keyframe gives no picture by itself")
}

// payload is what the decoder gets of an AVC unit.
func payload(u *topic.Unit) ([]byte, error) {
	if u == nil {
		return nil, errors.New("the keyframe has no sequence header")
	}
	info, err := flv.Parse(media.Video, u.Body)
	if err != nil {
		return nil, err
	}
	if info.Codec != media.AVC {
		return nil, fmt.Errorf("the video is %v; only H.264 (avc1) can be shown", info.Codec)
	}
	return u.Body[info.Payload:], nil
}

// encode makes a JPEG of a frame, whose planes it only reads. JPEG's samples have the range 0 to
// 255; those of video mostly 16 to 235 and 240, of which JPEG would make a picture without black
// and white. Which matrix the stream names is not looked at: JPEG knows BT.601's only, and the
// difference is a slight one of hue.
func encode(f *av.Frame) ([]byte, error) {
	luma, chroma := stretch(16, 219, 0), stretch(128, 224, 128)
	if f.Display().Full {
		luma, chroma = stretch(0, 255, 0), stretch(0, 255, 0)
	}
	width, height := f.Size()
	w, h := (width+1)/2, (height+1)/2
	picture := &image.YCbCr{
		Rect: image.Rect(0, 0, width, height), SubsampleRatio: image.YCbCrSubsampleRatio420,
		Y: luma.plane(f, 0, width, height), YStride: width,
		Cb: chroma.plane(f, 1, w, h), Cr: chroma.plane(f, 2, w, h), CStride: w,
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// table gives each value of a sample another.
type table [256]byte

// stretch makes the table that stretches span values to 255, and has the value zero become to.
func stretch(zero, span, to float64) *table {
	t := &table{}
	for i := range t {
		t[i] = byte(min(max(to+math.Round(255*(float64(i)-zero)/span), 0), 255))
	}
	return t
}

// plane copies a plane through the table.
func (t *table) plane(f *av.Frame, i, width, height int) []byte {
	pix, stride := f.Plane(i)
	out := make([]byte, 0, width*height)
	for row := range height {
		for _, sample := range pix[row*stride:][:width] {
			out = append(out, t[sample])
		}
	}
	return out
}
