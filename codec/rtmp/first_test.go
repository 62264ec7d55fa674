package rtmp

import (
	"bytes"
	"testing"
)

func TestFirst(t *testing.T) {
	b := AppendMessage(nil, ChunkVideo, TypeVideo, 5, 1, bytes.Repeat([]byte{7}, 1000), 128)
	m, err := newReader(bytes.NewReader(b), DefaultLimits()).Next()
	if err != nil || len(m.Body) != 1000 || len(m.Tail) != 1004 || m.Timestamp != 5 {
		t.Fatal(m, err)
	}
}
