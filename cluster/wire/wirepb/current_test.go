package wirepb

import (
	"os/exec"
	"testing"
)

// TestGeneratedCodeIsCurrent holds the Go code to wire.proto, where there is a protoc to ask.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	if _, err := exec.LookPath("protoc"); err != nil {
		t.Log("there is no protoc here; make media installs it")
		return
	}
	out, err := exec.Command("../../../deploy/scripts/proto.sh", "check").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
