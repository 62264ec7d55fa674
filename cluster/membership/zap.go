package membership

import (
	"context"
	"log/slog"
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// hush, while it is set, has all that etcd says be for debugging: while it starts and stops it
// warns of what is as it should be, and a client complains of each attempt.
type hush = atomic.Bool

// zapTo returns a logger for etcd's parts that writes to ours. What they call information is of no
// use to who operates a node, and is at the level of debugging here.
func zapTo(log *slog.Logger, hush *hush) *zap.Logger {
	if log == nil {
		return zap.NewNop()
	}
	return zap.New(&zapCore{log: log, hush: hush})
}

type zapCore struct {
	log    *slog.Logger
	hush   *hush
	fields []zapcore.Field
}

// quieter is the level at which something of etcd's is logged here.
func (z *zapCore) quieter(level zapcore.Level) slog.Level {
	switch {
	case z.hush.Load():
		return slog.LevelDebug
	case level >= zapcore.ErrorLevel:
		return slog.LevelWarn
	case level == zapcore.WarnLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// Enabled implements zapcore.LevelEnabler.
func (z *zapCore) Enabled(level zapcore.Level) bool {
	return level > zapcore.DebugLevel && z.log.Enabled(context.Background(), z.quieter(level))
}

// With implements zapcore.Core.
func (z *zapCore) With(fields []zapcore.Field) zapcore.Core {
	all := append(append([]zapcore.Field(nil), z.fields...), fields...)
	return &zapCore{log: z.log, hush: z.hush, fields: all}
}

// Check implements zapcore.Core.
func (z *zapCore) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(e.Level) {
		return c.AddCore(e, z)
	}
	return c
}

// Write implements zapcore.Core. The message is etcd's, and so an attribute of ours.
func (z *zapCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range z.fields {
		f.AddTo(encoder)
	}
	for _, f := range fields {
		f.AddTo(encoder)
	}
	attrs := []slog.Attr{slog.String("message", e.Message)}
	if len(encoder.Fields) > 0 {
		attrs = append(attrs, slog.Any("fields", encoder.Fields))
	}
	z.log.LogAttrs(context.Background(), z.quieter(e.Level), "etcd says", attrs...)
	return nil
}

// Sync implements zapcore.Core.
func (z *zapCore) Sync() error { return nil }
