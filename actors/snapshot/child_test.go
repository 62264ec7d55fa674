package snapshot

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/codec/av"
)

// Arguments that make child processes of this test's own binary.
const (
	childArg = "snapshot-child"
	crashArg = "crash"
	babble   = "babble"
)

func TestMain(m *testing.M) {
	switch os.Args[len(os.Args)-1] {
	case childArg:
		if err := Child(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	case crashArg:
		os.Exit(3)
	case babble:
		_, _ = os.Stdout.WriteString("hello")
		return
	}
	os.Exit(m.Run())
}

func inChild(arg string) *Options {
	return &Options{Isolation: process.Isolation{
		Process: true, Command: []string{os.Args[0], arg}, Memory: 512 << 20, Nice: 1,
	}}
}

// TestChild holds that a child makes the picture that is made here, to the byte.
func TestChild(t *testing.T) {
	u := keyframe(t, "-pix_fmt yuv420p -c:v libx264")
	here, err := take(t.Context(), u, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	there, err := take(t.Context(), u, inChild(childArg))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(here.JPEG, there.JPEG) || there.Width != 160 || there.Height != 90 ||
		there.PTS != here.PTS || there.Seq != here.Seq {
		t.Errorf("the child makes another picture: %d and %d bytes", len(here.JPEG), len(there.JPEG))
	}
}

func TestChildFails(t *testing.T) {
	u := keyframe(t, "-pix_fmt yuv420p -c:v libx264")
	small := inChild(childArg)
	small.Limits = av.Limits{Width: 100, Height: 100}
	for want, o := range map[string]*Options{
		"picture of 160x90, at most 100x100": small,
		"the child process died: exit":       inChild(crashArg),
		"nothing that makes sense":           inChild(babble),
		"no command of the child":            {Isolation: process.Isolation{Process: true}},
		"start the child process /none": {
			Isolation: process.Isolation{Process: true, Command: []string{"/none"}},
		},
	} {
		if p, err := take(t.Context(), u, o); p != nil || err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := Child(strings.NewReader("{"), &bytes.Buffer{}); err == nil {
		t.Error("half a question is answered")
	}
}
