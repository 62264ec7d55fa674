package mailbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// spell writes messages as a word: c1 control, m1 media, u1 urgent, an envelope in brackets.
func spell(msgs []any) string {
	words := make([]string, 0, len(msgs))
	for _, msg := range msgs {
		words = append(words, spellOne(msg))
	}
	return strings.Join(words, " ")
}

func spellOne(msg any) string {
	switch m := msg.(type) {
	case *control:
		return fmt.Sprintf("c%d", m.n)
	case *media:
		return fmt.Sprintf("m%d", m.n)
	case *urgent:
		return fmt.Sprintf("u%d", m.n)
	case *actor.MessageEnvelope:
		return "[" + spellOne(m.Message) + "]"
	case *actor.PoisonPill:
		return "poison"
	case *actor.Stop:
		return "stop"
	default:
		return fmt.Sprintf("%T", msg)
	}
}

// unspell is the way back.
func unspell(words string) []any {
	var msgs []any
	for word := range strings.FieldsSeq(words) {
		inner := strings.Trim(word, "[]")
		n := 0
		_, _ = fmt.Sscanf(inner[1:], "%d", &n)
		var msg any
		switch {
		case word == "poison":
			msg = &actor.PoisonPill{}
		case inner[0] == 'c':
			msg = &control{n}
		case inner[0] == 'm':
			msg = &media{n}
		case inner[0] == 'u':
			msg = &urgent{n}
		}
		if inner != word {
			msg = &actor.MessageEnvelope{Message: msg}
		}
		msgs = append(msgs, msg)
	}
	return msgs
}

func TestDropRule(t *testing.T) {
	for _, c := range []struct{ name, posted, handled, lost string }{
		{"room for all", "c1 m2 c3", "c1 m2 c3", ""},
		{"the oldest media makes room for control", "m1 m2 c3 c4", "m2 c3 c4", "m1"},
		{"the oldest media makes room for media", "m1 m2 m3 m4 m5", "m3 m4 m5", "m1 m2"},
		{"control is passed over", "c1 m2 c3 m4 c5", "c1 c3 c5", "m2 m4"},
		{"among control only, the new one is refused", "c1 c2 c3 c4 m5", "c1 c2 c3", "c4 m5"},
		{"control wins over the last media, then is refused", "c1 c2 m3 c4 c5", "c1 c2 c4", "m3 c5"},
		{"media in an envelope is media", "[m1] c2 c3 c4", "c2 c3 c4", "[m1]"},
		{"control in an envelope is control", "[c1] [c2] [c3] [c4]", "[c1] [c2] [c3]", "[c4]"},
		{"urgent neither counts nor waits", "c1 c2 c3 u4 [u5]", "u4 [u5] c1 c2 c3", ""},
		{"a poison pill is never refused", "c1 c2 c3 poison", "c1 c2 c3 poison", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var lost []any
			m, stats, r, d := build(Options{
				Capacity: 3, Owner: owner{dropped: func(msg any) { lost = append(lost, msg) }},
			})
			for _, msg := range unspell(c.posted) {
				m.PostUserMessage(msg)
			}
			if n := m.UserMessageCount(); n > 3+strings.Count(c.posted, "poison") {
				t.Errorf("%d messages wait", n)
			}
			d.run()
			if got := spell(r.got); got != c.handled {
				t.Errorf("handled %q, want %q", got, c.handled)
			}
			if got := spell(lost); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
			if int(stats.Drops()) != len(lost) || stats.Len() != 0 || stats.Cap() != 3 {
				t.Errorf("drops %d len %d cap %d", stats.Drops(), stats.Len(), stats.Cap())
			}
		})
	}
}

func TestDefaultCapacity(t *testing.T) {
	m, stats, _, _ := build(Options{})
	for i := range DefaultCapacity + 7 {
		m.PostUserMessage(&control{i})
	}
	if stats.Len() != DefaultCapacity || stats.Drops() != 7 {
		t.Errorf("len %d drops %d, want %d and 7", stats.Len(), stats.Drops(), DefaultCapacity)
	}
}

// The stock dropping mailbox spins for ever after its first drop. This one asks its dispatcher once
// a burst, drops or not, and never when it is empty, refuses or is suspended.
func TestIdleCostsNothing(t *testing.T) {
	m, stats, _, d := build(Options{Capacity: 4})
	for round := range 3 {
		for i := range 20 {
			m.PostUserMessage(&media{i})
		}
		d.run()
		if d.scheduled != round+1 {
			t.Fatalf("round %d: scheduled %d times", round, d.scheduled)
		}
	}
	if stats.Drops() != 3*16 {
		t.Errorf("drops %d, want 48", stats.Drops())
	}
	m.PostSystemMessage(&actor.SuspendMailbox{})
	d.run()
	was := d.scheduled
	for i := range 20 {
		m.PostUserMessage(&control{i})
		d.run()
	}
	if got := d.scheduled - was; got != 4 {
		t.Errorf("suspended: scheduled %d times for 4 messages taken and 16 refused", got)
	}
}

func TestIdleCostsNothingInAnActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		gate := make(chan struct{})
		handled := 0
		producer, stats := New(Options{Capacity: 16})
		d := &counting{Dispatcher: actor.NewDefaultDispatcher(300)}
		pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *control:
				<-gate
			case *media:
				handled++
			}
		}, actor.WithMailbox(producer), actor.WithDispatcher(d)))
		system.Root.Send(pid, &control{})
		synctest.Wait()
		for i := range 100 {
			system.Root.Send(pid, &media{i})
		}
		close(gate)
		synctest.Wait() // a mailbox that spins never lets it through
		if handled != 16 || stats.Drops() != 84 || d.n.Load() > 2 {
			t.Errorf("handled %d, drops %d, scheduled %d", handled, stats.Drops(), d.n.Load())
		}
		system.Root.Stop(pid)
		synctest.Wait()
	})
}

func TestSuspendAndResume(t *testing.T) {
	m, _, r, d := build(Options{})
	m.PostUserMessage(&control{1})
	m.PostSystemMessage(&actor.SuspendMailbox{})
	m.PostUserMessage(&control{2})
	m.PostSystemMessage(&actor.Stop{})
	m.PostUserMessage(&urgent{3})
	d.run()
	if got := spell(r.got); got != "stop u3" {
		t.Errorf("suspended: handled %q", got)
	}
	m.PostSystemMessage(&actor.ResumeMailbox{})
	d.run()
	if got := spell(r.got); got != "stop u3 c1 c2" {
		t.Errorf("resumed: handled %q", got)
	}
}

func TestSystemOvertakes(t *testing.T) {
	m, _, r, d := build(Options{})
	for i := range 3 {
		m.PostUserMessage(&control{i})
	}
	m.PostUserMessage(&urgent{3})
	m.PostSystemMessage(&actor.Stop{})
	m.PostUserMessage(&urgent{4})
	d.run()
	if got := spell(r.got); got != "u3 stop u4 c0 c1 c2" {
		t.Errorf("handled %q", got)
	}
}

func TestPanicIsEscalatedWithStack(t *testing.T) {
	m, stats, r, d := build(Options{})
	boom := errors.New("boom")
	r.handle = func(msg any) {
		if c, ok := msg.(*control); ok && c.n == 2 {
			m.PostSystemMessage(&actor.SuspendMailbox{}) // as protoactor's EscalateFailure does
			panic(boom)
		}
	}
	for _, msg := range unspell("c1 c2 c3") {
		m.PostUserMessage(msg)
	}
	d.run()
	if spell(r.got) != "c1 c2" || stats.Len() != 1 || len(r.failures) != 1 {
		t.Fatalf("handled %q, %d wait, failures %v", spell(r.got), stats.Len(), r.failures)
	}
	p, ok := r.failures[0].(*Panic)
	if !ok || !errors.Is(p, boom) || p.Error() != "boom" || p.On != "*mailbox.control" ||
		!strings.Contains(string(p.Stack), "TestPanicIsEscalatedWithStack") {
		t.Errorf("failure %#v", r.failures[0])
	}
	if p := (&Panic{Value: 7}); p.Error() != "panic: 7" || p.Unwrap() != nil {
		t.Errorf("%v", p)
	}
}

func TestBatchOfOneSchedulesEachMessage(t *testing.T) {
	m, _, r, d := build(Options{Batch: 1})
	for _, msg := range unspell("c1 c2 c3") {
		m.PostUserMessage(msg)
	}
	for want := range slices.Values([]string{"c1", "c1 c2", "c1 c2 c3"}) {
		if !d.step() || spell(r.got) != want {
			t.Fatalf("handled %q, want %q", spell(r.got), want)
		}
	}
	if d.step() || d.scheduled != 3 {
		t.Errorf("scheduled %d times for 3 messages", d.scheduled)
	}
}

func TestClosedMailboxHandsBackWhatNobodyReads(t *testing.T) {
	var unread []any
	m, stats, r, d := build(Options{
		Owner: owner{unread: func(msg any) { unread = append(unread, msg) }},
	})
	for _, msg := range unspell("c1 m2") {
		m.PostUserMessage(msg)
	}
	m.PostSystemMessage(&actor.SuspendMailbox{}) // it has failed, and is then stopped
	stats.Close()
	d.run()
	m.PostUserMessage(&control{3})
	d.run()
	if len(r.got) != 0 || spell(unread) != "c1 m2 c3" || stats.Len() != 0 || stats.Drops() != 0 {
		t.Errorf("handled %q, unread %q, len %d", spell(r.got), spell(unread), stats.Len())
	}
}

func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, stats, _, d := build(Options{Batch: 1})
		if stats.Age(time.Now()) != 0 {
			t.Error("an empty mailbox has an age")
		}
		m.PostUserMessage(&control{1})
		<-time.After(3 * time.Second)
		m.PostUserMessage(&control{2})
		<-time.After(time.Second)
		if got := stats.Age(time.Now()); got != 4*time.Second {
			t.Errorf("age %v, want 4s", got)
		}
		d.step()
		if got := stats.Age(time.Now()); got != time.Second {
			t.Errorf("age %v, want 1s", got)
		}
		d.run()
		if got := stats.Age(time.Now()); got != 0 {
			t.Errorf("age %v, want 0", got)
		}
	})
}

func TestHandledIsTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took []time.Duration
		m, _, r, d := build(Options{
			Owner: owner{handled: func(v time.Duration) { took = append(took, v) }},
		})
		r.handle = func(any) { <-time.After(20 * time.Millisecond) }
		for _, msg := range unspell("c1 u2 m3") {
			m.PostUserMessage(msg)
		}
		d.run()
		want := []time.Duration{20 * time.Millisecond, 20 * time.Millisecond}
		if !slices.Equal(took, want) {
			t.Errorf("timed %v, want %v", took, want)
		}
	})
}

// Protoactor makes an actor's identity known before its mailbox has a dispatcher: what is sent
// meanwhile waits, and the actor hears of its start first.
func TestMessagesBeforeTheStart(t *testing.T) {
	producer, _ := New(Options{})
	m, r, d := producer(), &recorder{}, &manual{}
	m.PostUserMessage(&control{1})
	m.PostUserMessage(&urgent{2})
	m.RegisterHandlers(r, d)
	m.PostUserMessage(&control{3})
	if d.scheduled != 0 {
		t.Error("it runs before its actor starts")
	}
	m.PostSystemMessage(&actor.Started{})
	d.run()
	if len(r.got) != 4 {
		t.Fatalf("it handled %v", r.got)
	}
	if _, ok := r.got[0].(*actor.Started); !ok {
		t.Errorf("the first message is %T", r.got[0])
	}
}
