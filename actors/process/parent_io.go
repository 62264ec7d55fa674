package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/headwater-live/headwater/actors/own"
)

// kid is a child process. One goroutine, locked to its thread, starts it and waits for it: the
// kernel kills the child when that thread ends, which is when this process does. The child notices
// by its socket as well.
type kid struct {
	cmd    *exec.Cmd
	conn   net.Conn
	words  *lastWords
	up     chan error    // whether it could be started
	gone   chan struct{} // closed when it has ended
	ended  ending
	stop   context.CancelFunc
	metric *Metrics
	asked  atomic.Bool // its end was asked for
}

// farewell is how long a child whose socket has broken may take to end, before it is killed.
const farewell = time.Second

// passedOn are the variables of the environment that a child gets; a node's others may be secrets.
var passedOn = [...]string{
	"LD_LIBRARY_PATH", "HEADWATER_CPU_LEVEL", "ASAN_OPTIONS", "GOCOVERDIR", "TMPDIR",
}

// spawn starts a child and greets it. It ends with ctx.
func spawn(
	ctx context.Context, goroutines *own.Group, o *Isolation, c childOptions, m *Metrics,
	log *slog.Logger,
) (engine, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("isolation by process: no command of the child is configured")
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	k := &kid{
		conn: ours, up: make(chan error, 1), gone: make(chan struct{}), stop: stop, metric: m,
		words: &lastWords{log: log},
	}
	k.cmd = exec.CommandContext(ctx, o.Command[0], o.Command[1:]...) //nolint:gosec // our own
	k.cmd.Env = childEnv()
	k.cmd.ExtraFiles = []*os.File{theirs}
	k.cmd.Stderr = k.words
	k.cmd.WaitDelay = farewell
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if !goroutines.Go("child", k.run) {
		k.up <- context.Canceled
	}
	err = <-k.up
	_ = theirs.Close()
	if err != nil {
		stop()
		_ = ours.Close()
		return nil, fmt.Errorf("start the child process %s: %w", o.Command[0], err)
	}
	r := &remote{link: newLink(ours), o: c, end: k.why}
	if err := r.greet(); err != nil {
		err = k.why(err)
		k.close()
		return nil, err
	}
	return &isolated{remote: r, kid: k}, nil
}

// isolated is a remote engine with its child.
type isolated struct {
	*remote
	kid *kid
}

func (i *isolated) close() { i.kid.close() }

func childEnv() []string {
	env := []string{"GOMAXPROCS=1", "GOTRACEBACK=single"}
	for _, name := range passedOn {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// socketPair gives the two ends of a connection, ours for Go's poller.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	file := os.NewFile(uintptr(fds[0]), "child")
	theirs = os.NewFile(uintptr(fds[1]), "parent")
	ours, err = net.FileConn(file)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return ours, theirs, nil
}

// run is the child's life.
func (k *kid) run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(k.gone)
	if err := errors.Join(ctx.Err(), k.cmd.Start()); err != nil {
		k.up <- err
		return
	}
	k.metric.childUp()
	k.up <- nil
	err := k.cmd.Wait()
	k.ended = endingOf(k.cmd.ProcessState, err, k.words.signal)
	k.metric.childDown(k.ended, ctx.Err() != nil || k.asked.Load())
}

// why waits for the end of a child that does not answer, and tells of it. err is how that was
// noticed.
func (k *kid) why(err error) error {
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-k.gone:
		return fmt.Errorf("the child process died: %s", k.ended.text)
	case <-timer.C:
		k.stop()
		<-k.gone
		return fmt.Errorf("the child process was killed, as it made no sense: %w", err)
	}
}

// close ends the child, whose work is not worth waiting for.
func (k *kid) close() {
	k.asked.Store(true)
	k.stop()
	_ = k.conn.Close()
}
