package actors

import (
	"context"
	"log/slog"
)

// quiet passes on only what protoactor warns of: what it tells of every recovered panic and dead
// letter, the supervisors tell better, and attackers could make it tell at will.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level > slog.LevelInfo && w.Handler.Enabled(ctx, level)
}
