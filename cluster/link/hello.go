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

// greet is the edge's hello: it returns the other node's name.
func greet(w io.Writer, p *parser, name string) (string, error) {
	if _, err := w.Write(appendHello(nil, name)); err != nil {
		return "", err
	}
	return hear(p)
}

// answer is the origin's hello. Whom it does not take it tells why.
func answer(w io.Writer, p *parser, name string) (string, error) {
	other, err := hear(p)
	if errors.Is(err, ErrRefused) {
		_, _ = w.Write(appendRefuse(nil, err.Error())) // it ends either way
	}
	if err != nil {
		return "", err
	}
	_, err = w.Write(appendHello(nil, name))
	return other, err
}

// hear reads the other node's hello.
func hear(p *parser) (string, error) {
	var f frame
	if err := p.next(&f); err != nil {
		return "", err
	}
	switch {
	case f.typ == typeRefuse:
		return "", fmt.Errorf("%w by the other node: %.200q", ErrRefused, f.text)
	case f.typ != typeHello:
		return "", fmt.Errorf("%w: type %d in place of a hello", ErrFormat, f.typ)
	case f.version != Version:
		return "", fmt.Errorf("%w: one node speaks version %d of the link protocol, the other %d",
			ErrRefused, Version, f.version)
	case !isName(f.text):
		return "", fmt.Errorf("%w: %.80q is no name of a node", ErrRefused, f.text)
	}
	return f.text, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// isName reports whether a node can have that name, which names an actor too.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, letters) == ""
}
