package wire

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
)

// pair is a node of this process and one of another, which know each other.
func pair(t testing.TB, certificates string, shelf Shelf) (*testNode, *otherNode) {
	t.Helper()
	here, err := startNode("here", "127.0.0.1:0", certificates, shelf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(here.stop)
	other := startOther(t, "other", "127.0.0.1:0", certificates)
	other.knows("here", here.socket.Addr().String())
	here.members.Store("other", other.address)
	until(t, "the nodes talk", func() bool {
		_, err := here.caller.Ask(t.Context(), "other", &State{Key: "a"})
		return err == nil
	})
	return here, other
}

// until waits for what should become true.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("it never happens that %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// stacks are those of all goroutines, those that are alike counted.
func stacks() string {
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	return b.String()
}

func blurOf(id, key string) *settings.Command {
	return &settings.Command{ID: id, Key: key, Change: settings.SetBlur{Blur: settings.Blur{
		Mode: settings.Solid, Rects: []settings.Rect{{X: 0.1, Y: 0.2, W: 0.3, H: 0.4}},
	}}}
}

// TestQuestions asks another node each.
func TestQuestions(t *testing.T) {
	if alone(t) {
		return
	}
	here, _ := pair(t, "", nil)
	ask := func(q any) (any, error) { return here.caller.Ask(t.Context(), "other", q) }
	got, err := ask(blurOf("1", "live/a"))
	answer, ok := got.(*settings.Answer)
	if err != nil || !ok || answer.Version != 1 || answer.Node != "other" ||
		answer.State != settings.Stored || !strings.Contains(answer.Note, "not kept on any other") {
		t.Errorf("command: %+v, %v", got, err)
	}
	var refused *settings.Refused
	if _, err = ask(&settings.Command{ID: "2", Key: "a", Change: settings.SetBlur{Blur: settings.Blur{
		Rects: []settings.Rect{{W: 7, H: 1}},
	}}}); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "is 7 by 1") {
		t.Errorf("wrong command: %v", err)
	}
	got, err = ask(&settings.Adopt{Key: "live/a", Version: 9, Data: []byte("{}")})
	if a, ok := got.(*settings.Adopted); err != nil || !ok || a.Version != 1 || a.Reason == "" {
		t.Errorf("adopt: %+v, %v", got, err)
	}
	got, err = ask(&State{Key: "live/a"})
	if s, ok := got.(*Stated); err != nil || !ok || s.Epoch != 7 || s.Age != time.Second {
		t.Errorf("state: %+v, %v", got, err)
	}
	if _, err = ask(&State{Key: "none"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	if got, err = ask(&Left{}); err != nil ||
		*got.(*Drained) != (Drained{Draining: true, Broadcasts: 1, Viewers: 2, Feeds: 3}) {
		t.Errorf("left: %+v, %v", got, err)
	}
	if _, err = ask(&Drain{Move: true, Stop: true}); !errors.Is(err, ErrNode) ||
		!strings.Contains(err.Error(), "clogged") {
		t.Errorf("what fails there: %v", err)
	}
	if _, err = ask("hello"); !errors.Is(err, ErrNode) {
		t.Errorf("no question: %v", err)
	}
	if _, err = here.caller.Ask(t.Context(), "third", &List{}); !errors.Is(err, ErrNode) {
		t.Errorf("no node: %v", err)
	}
}

// TestSilentNode has a node that does not answer in time, and too much asked of it.
func TestSilentNode(t *testing.T) {
	if alone(t) {
		return
	}
	here, _ := pair(t, "", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	var group sync.WaitGroup
	outcomes := make(chan string, 2*inFlight)
	for range 2 * inFlight {
		group.Go(func() {
			_, err := here.caller.Ask(ctx, "other", &List{})
			outcomes <- fmt.Sprint(err)
		})
	}
	group.Wait()
	close(outcomes)
	counts := map[string]int{}
	for o := range outcomes {
		counts[o]++
	}
	if counts["node other: no answer: it did not answer in time"] != inFlight ||
		counts["node other: no answer: it has too many questions to answer"] != inFlight {
		t.Errorf("%v", counts)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestNodeDies asks a node that is killed, and the next on its address.
func TestNodeDies(t *testing.T) {
	if alone(t) {
		return
	}
	here, other := pair(t, "", nil)
	failed := make(chan error, 1)
	go func() {
		_, err := here.caller.Ask(t.Context(), "other", &List{})
		failed <- err
	}()
	until(t, "the question is on its way", func() bool {
		_, err := here.caller.Ask(t.Context(), "other", &State{})
		return err == nil
	})
	other.kill()
	began := time.Now()
	if err := <-failed; !errors.Is(err, ErrNode) || time.Since(began) > time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	before := runtime.NumGoroutine()
	for range 3 {
		if _, err := here.caller.Ask(t.Context(), "other", &State{}); err == nil {
			t.Error("a dead node answers")
		}
	}
	next := startOther(t, "other", other.address, "")
	next.knows("here", here.socket.Addr().String())
	until(t, "the next node answers", func() bool {
		_, err := here.caller.Ask(t.Context(), "other", &State{Key: "a"})
		return err == nil
	})
	defer func() {
		if t.Failed() {
			t.Logf("%d goroutines before\n%s", before, stacks())
		}
	}()
	until(t, "attempts leave nothing behind", func() bool {
		return runtime.NumGoroutine() <= before+12
	})
}

// TestCrash has the actor fail: the port is free for the next incarnation.
func TestCrash(t *testing.T) {
	if alone(t) {
		return
	}
	here, _ := pair(t, "", nil)
	for range 2 {
		here.system.Root.Send(here.caller.wire, &supervise.Crash{Reason: "a test"})
		until(t, "it is back", func() bool {
			_, err := here.caller.Ask(t.Context(), "other", &State{Key: "a"})
			return err == nil
		})
	}
}

// TestTakenPort says which address is taken, at once.
func TestTakenPort(t *testing.T) {
	s, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Listen(t.Context(), s.Addr().String()); err == nil ||
		!strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
	if _, err := Listen(t.Context(), ":0"); err == nil ||
		!strings.Contains(err.Error(), "every address of this machine") {
		t.Error(err)
	}
}
