package process

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ending is how a child came to its end.
type ending struct {
	class endClass
	text  string
}

// endClass is what a child died of, out of a closed set.
type endClass uint8

const (
	endSegfault endClass = iota // SIGSEGV, SIGBUS
	endAbort                    // SIGABRT, and the other signals of a defect
	endKill                     // SIGKILL: someone, or the kernel as memory ran out
	endExit                     // no signal
	endOther
	endClasses
)

// String returns the word that labels metrics.
func (c endClass) String() string {
	return [...]string{"segfault", "abort", "kill", "exit", "other"}[c]
}

// endingOf tells how a process ended. A signal that Go's runtime has caught, as it does those of
// faults in C, shows in what the runtime wrote, not in the state.
func endingOf(state *os.ProcessState, err error, caught string) ending {
	name := caught
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		name = unix.SignalName(status.Signal())
	}
	if name == "" {
		if err == nil {
			return ending{endExit, "it ended by itself"}
		}
		return ending{endExit, err.Error()}
	}
	class := endOther
	switch name {
	case "SIGSEGV", "SIGBUS":
		class = endSegfault
	case "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP":
		class = endAbort
	case "SIGKILL":
		class = endKill
	}
	return ending{class, fmt.Sprintf("signal %s", name)}
}

// Bounds of what a child may write to the log.
const (
	maxLines = 40
	maxLine  = 300
)

// lastWords logs what a child writes to its standard error, within bounds, and notes the signal
// that Go's runtime died of. It is written to by one goroutine.
type lastWords struct {
	log    *slog.Logger
	line   []byte
	lines  int
	signal string
}

// Write implements io.Writer. It never fails: a child must not end because of its log.
func (w *lastWords) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' {
			w.flush()
		} else if len(w.line) < maxLine {
			w.line = append(w.line, c)
		}
	}
	return len(b), nil
}

func (w *lastWords) flush() {
	line := strings.ToValidUTF8(string(w.line), "?")
	w.line = w.line[:0]
	if w.signal == "" {
		w.signal = signalIn(line)
	}
	if w.lines++; w.lines <= maxLines && line != "" {
		w.log.Warn("child process", slog.String("stderr", line))
	}
}

// signalIn is the name of the signal that a line of Go's runtime tells of: "SIGSEGV: segmentation
// violation" or "[signal SIGSEGV: segmentation violation code=...]".
func signalIn(line string) string {
	rest, found := strings.CutPrefix(line, "[signal ")
	if !found {
		rest = line
	}
	name, _, found := strings.Cut(rest, ":")
	if !found || !strings.HasPrefix(name, "SIG") || unix.SignalNum(name) == 0 {
		return ""
	}
	return name
}
