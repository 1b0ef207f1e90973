package http

import (
	"errors"
	"io"

	"sporegate/internal/bindings/listener/imports/wasi_http_types"
	"sporegate/internal/bindings/listener/imports/wasi_io_streams"
	"sporegate/internal/call"
	witRuntime "sporegate/internal/wit/runtime"
)

// What one read asks for.
const readBytes = 16 << 10

// body is the body of a response. What it is of is dropped after it, never by the garbage collector,
// which knows no order.
type body struct {
	stream *wasi_io_streams.InputStream
	of     *wasi_http_types.IncomingBody
	rest   []byte
	err    error
}

// open are those that have to be closed when the call ends.
var open = map[*body]struct{}{}

func init() {
	call.AtEnd(func() {
		for body := range open {
			body.Close()
		}
	})
}

func openBody(of *wasi_http_types.IncomingBody, stream *wasi_io_streams.InputStream) *body {
	body := &body{stream: stream, of: of}
	open[body] = struct{}{}
	return body
}

func (b *body) Read(into []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		if len(into) == 0 {
			return 0, nil
		}
		b.fetch()
	}
	read := copy(into, b.rest)
	b.rest = b.rest[read:]
	return read, nil
}

// fetch waits for the next piece, or for the end.
func (b *body) fetch() {
	result := b.stream.BlockingRead(readBytes)
	if result.IsOk() {
		b.rest = result.Ok()
		// What a long answer brings need not be held until the call ends.
		witRuntime.Unpin()
		return
	}
	err := io.EOF
	if result.Err().Tag() != wasi_io_streams.StreamError_Closed {
		err = streamErrorOf(result.Err())
	}
	b.end(err)
}

var errClosed = errors.New("the body of the response is closed; it ends with the call that it began in")

func (b *body) Close() error {
	b.rest = nil
	b.end(errClosed)
	return nil
}

func (b *body) end(err error) {
	if b.stream != nil {
		b.stream.Drop()
		b.of.Drop()
		b.stream, b.of = nil, nil
		delete(open, b)
		b.err = err
	}
}
