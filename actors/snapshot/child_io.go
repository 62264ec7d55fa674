package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/codec/av"
)

// question is what a picture is made of.
type question struct {
	Record, Unit []byte
	Limits       av.Limits
	Memory       int64
	Nice         int
}

// answer is a picture, or why there is none.
type answer struct {
	JPEG          []byte
	Width, Height int
	Reason        string
}

// Bounds of a child, which has read what a stranger sent.
const (
	childTime = 5 * time.Second
	maxAnswer = 64 << 20
	farewell  = time.Second
)

// Child is all that a child process does: it reads a question, binds itself, and answers.
func Child(in io.Reader, out io.Writer) error {
	var q question
	if err := json.NewDecoder(in).Decode(&q); err != nil {
		return err
	}
	if err := process.Confine(q.Memory, q.Nice); err != nil {
		return err
	}
	a, err := picture(&q)
	if err != nil {
		a = &answer{Reason: err.Error()}
	}
	return json.NewEncoder(out).Encode(a)
}

// elsewhere has a child process make a picture. The kernel kills it when the thread that started it
// ends, which is when this process does.
func elsewhere(ctx context.Context, q *question, command []string) (*answer, error) {
	if len(command) == 0 {
		return nil, errors.New("isolation by process: no command of the child is configured")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, childTime)
	defer cancel()
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	child := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own
	child.Env = process.ChildEnv()
	child.Stdin = strings.NewReader(string(text))
	child.WaitDelay = farewell
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("start the child process %s: %w", command[0], err)
	}
	var a answer
	err = json.NewDecoder(io.LimitReader(out, maxAnswer)).Decode(&a)
	nonsense := err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
	if nonsense {
		cancel()
	}
	ended := child.Wait()
	switch {
	case ended != nil && !nonsense:
		return nil, fmt.Errorf("the child process died: %w", ended)
	case err != nil:
		return nil, fmt.Errorf("the child process answers nothing that makes sense: %w", err)
	case a.Reason != "":
		return nil, errors.New(a.Reason)
	}
	return &a, nil
}
