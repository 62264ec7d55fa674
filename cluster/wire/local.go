package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/headwater-live/headwater/actors/settings"
)

// answer answers a question of another node.
func (l *Local) answer(ctx context.Context, q any) any {
	out, err := l.try(ctx, q)
	if err != nil {
		return err
	}
	return out
}

func (l *Local) try(ctx context.Context, q any) (out any, err error) {
	defer func() { // a question of another node must not end this actor
		if value := recover(); value != nil {
			err = fmt.Errorf("it failed: %v", value)
		}
	}()
	switch q := q.(type) {
	case *settings.Command:
		a, err := l.Command(ctx, *q)
		return &a, err
	case *settings.Adopt:
		a, err := l.Adopt(ctx, *q)
		return &a, err
	case *State:
		s, err := l.State(ctx, q.Key)
		return &s, err
	case *List:
		all, err := l.List(ctx)
		return &Listed{all}, err
	case *Drain:
		d, err := l.Drain(ctx, *q)
		return &d, err
	case *Left:
		d, err := l.Left(ctx)
		return &d, err
	}
	return nil, errors.New("that is no question")
}
