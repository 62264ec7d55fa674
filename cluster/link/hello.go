package link

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ErrRefused says that one of the two nodes does not take the other.
var ErrRefused = errors.New("the link is refused")

// helloTime is what the two hellos may take.
const helloTime = 5 * time.Second

// span are the versions of the protocol that a node speaks.
type span struct{ least, most uint8 }

// spoken are those of this node.
func spoken() span { return span{Least, Version} }

// String says which, for people.
func (s span) String() string {
	if s.least >= s.most {
		return fmt.Sprint(s.most)
	}
	return fmt.Sprintf("%d to %d", s.least, s.most)
}

// with is the version that two nodes speak with each other: the highest that both know. It is 0 if
// there is none.
func (s span) with(other span) uint8 {
	v := min(s.most, other.most)
	if v < s.least || v < other.least {
		return 0
	}
	return v
}

// greet is the edge's hello: it says which versions it speaks, and the origin's answer has the one
// that is spoken. It returns the other node's name.
func greet(w io.Writer, p *parser, mine span, name string) (string, error) {
	if _, err := w.Write(appendHello(nil, mine, name)); err != nil {
		return "", err
	}
	other, _, err := hear(p, mine)
	return other, err
}

// answer is the origin's hello, in the version that is spoken. Whom it does not take it tells why.
func answer(w io.Writer, p *parser, mine span, name string) (string, error) {
	other, version, err := hear(p, mine)
	if errors.Is(err, ErrRefused) {
		_, _ = w.Write(appendRefuse(nil, err.Error())) // it ends either way
	}
	if err != nil {
		return "", err
	}
	_, err = w.Write(appendHello(nil, span{version, version}, name))
	return other, err
}

// errRefusedThere is a refusal by the other node.
var errRefusedThere = fmt.Errorf("%w by the other node", ErrRefused)

// hear reads the other node's hello, and decides which version is spoken.
func hear(p *parser, mine span) (name string, version uint8, err error) {
	var f frame
	if err := p.next(&f); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w %s", err,
				"in place of a hello: does one of the nodes want TLS, and the other not?")
		}
		return "", 0, err
	}
	version = mine.with(f.versions)
	switch {
	case f.typ == typeRefuse:
		return "", 0, fmt.Errorf("%w: %.200q", errRefusedThere, f.text)
	case f.typ != typeHello:
		return "", 0, fmt.Errorf("%w: type %d in place of a hello", ErrFormat, f.typ)
	case version == 0:
		return "", 0, fmt.Errorf("%w: one node speaks version %v of the link protocol, the other %v",
			ErrRefused, mine, f.versions)
	case !isName(f.text):
		return "", 0, fmt.Errorf("%w: %.80q is no name of a node", ErrRefused, f.text)
	}
	return f.text, version, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// isName reports whether a node can have that name, which names an actor too.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, letters) == ""
}
