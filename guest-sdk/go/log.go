package sporegate

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// LogLevel is the lowest level that log/slog lets through, info in the beginning.
var LogLevel slog.LevelVar

func init() {
	slog.SetDefault(slog.New(newLogHandler()))
}

// logHandler gives lines to the gateway, which knows the time, the module and the level.
type logHandler struct {
	// Writes into line.
	attributes slog.Handler
	line       *logLine
}

type logLine struct {
	sync.Mutex
	bytes.Buffer
}

func newLogHandler() slog.Handler {
	line := new(logLine)
	return logHandler{slog.NewTextHandler(&line.Buffer, &slog.HandlerOptions{Level: &LogLevel}), line}
}

func (h logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= LogLevel.Level()
}

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	onlyAttributes := slog.NewRecord(time.Time{}, record.Level, "", 0)
	record.Attrs(func(attribute slog.Attr) bool {
		onlyAttributes.AddAttrs(attribute)
		return true
	})
	h.line.Lock()
	defer h.line.Unlock()
	h.line.Reset()
	if err := h.attributes.Handle(ctx, onlyAttributes); err != nil {
		return err
	}
	text := bytes.TrimPrefix(h.line.Bytes(), []byte("level="+record.Level.String()+` msg=""`))
	message := record.Message + string(bytes.TrimRight(text, "\n"))
	gateway.log(record.Level, strings.ToValidUTF8(message, "\uFFFD"))
	return nil
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return logHandler{h.attributes.WithAttrs(attributes), h.line}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.attributes.WithGroup(name), h.line}
}
