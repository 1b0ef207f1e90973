package http

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sporegate/internal/bindings/listener/imports/wasi_http_outgoing_handler"
	"sporegate/internal/bindings/listener/imports/wasi_http_types"
	"sporegate/internal/bindings/listener/imports/wasi_io_streams"
	witTypes "sporegate/internal/wit/types"
)

// What one write to a stream may hold.
const writeBytes = 4096

var (
	errBroken   = errors.New("the stream broke")
	errNoAnswer = errors.New("the gateway gave no answer to the request")
)

func send(r *Request, to target) (*Response, error) {
	request, err := outgoing(r, to)
	if err != nil {
		return nil, err
	}
	body := request.Body()
	options := witTypes.None[*wasi_http_types.RequestOptions]()
	if r.Timeout > 0 {
		options = witTypes.Some(optionsOf(r.Timeout))
	}
	// It takes the request.
	handled := wasi_http_outgoing_handler.Handle(request, options)
	if handled.IsErr() {
		if body.IsOk() {
			body.Ok().Drop()
		}
		return nil, errorOf(handled.Err())
	}
	future := handled.Ok()
	defer future.Drop()
	// Where it fails the response says why.
	written := errBroken
	if body.IsOk() {
		written = write(body.Ok(), r.Body)
	}
	response, err := wait(future)
	if err == nil && written != nil {
		response.Drop()
		err = written
	}
	if err != nil {
		return nil, err
	}
	return responseOf(response)
}

func outgoing(r *Request, to target) (*wasi_http_types.OutgoingRequest, error) {
	var entries []witTypes.Tuple2[string, []uint8]
	for name, values := range r.Header {
		for _, value := range values {
			entries = append(entries, witTypes.Tuple2[string, []uint8]{F0: name, F1: []byte(value)})
		}
	}
	fields := wasi_http_types.FieldsFromList(entries)
	if fields.IsErr() {
		return nil, errors.New("a header of the request has a name or a value that none may have")
	}
	// It takes the headers.
	request := wasi_http_types.MakeOutgoingRequest(fields.Ok())
	scheme := wasi_http_types.MakeSchemeHttp()
	if to.secure {
		scheme = wasi_http_types.MakeSchemeHttps()
	}
	for _, part := range []struct {
		name string
		set  witTypes.Result[witTypes.Unit, witTypes.Unit]
	}{
		{"method", request.SetMethod(methodOf(r.Method))},
		{"scheme", request.SetScheme(witTypes.Some(scheme))},
		{"host of the URL", request.SetAuthority(witTypes.Some(to.authority))},
		{"path of the URL", request.SetPathWithQuery(witTypes.Some(to.pathWithQuery))},
	} {
		if part.set.IsErr() {
			request.Drop()
			return nil, fmt.Errorf("the %s has characters that none may have", part.name)
		}
	}
	return request, nil
}

func methodOf(name string) wasi_http_types.Method {
	switch strings.ToUpper(name) {
	case "", "GET":
		return wasi_http_types.MakeMethodGet()
	case "HEAD":
		return wasi_http_types.MakeMethodHead()
	case "POST":
		return wasi_http_types.MakeMethodPost()
	case "PUT":
		return wasi_http_types.MakeMethodPut()
	case "DELETE":
		return wasi_http_types.MakeMethodDelete()
	case "OPTIONS":
		return wasi_http_types.MakeMethodOptions()
	case "PATCH":
		return wasi_http_types.MakeMethodPatch()
	default:
		return wasi_http_types.MakeMethodOther(name)
	}
}

func optionsOf(timeout time.Duration) *wasi_http_types.RequestOptions {
	options := wasi_http_types.MakeRequestOptions()
	nanoseconds := witTypes.Some(uint64(timeout.Nanoseconds()))
	// A host that knows no such limit has its own.
	_ = options.SetConnectTimeout(nanoseconds)
	_ = options.SetFirstByteTimeout(nanoseconds)
	_ = options.SetBetweenBytesTimeout(nanoseconds)
	return options
}

func write(body *wasi_http_types.OutgoingBody, bytes []byte) error {
	if len(bytes) > 0 {
		if err := writeAll(body, bytes); err != nil {
			body.Drop()
			return err
		}
	}
	// It takes the body.
	finished := wasi_http_types.OutgoingBodyFinish(body, witTypes.None[*wasi_http_types.Fields]())
	if finished.IsErr() {
		return errorOf(finished.Err())
	}
	return nil
}

func writeAll(body *wasi_http_types.OutgoingBody, bytes []byte) error {
	opened := body.Write()
	if opened.IsErr() {
		return errBroken
	}
	stream := opened.Ok()
	defer stream.Drop()
	for len(bytes) > 0 {
		part := bytes[:min(len(bytes), writeBytes)]
		if written := stream.BlockingWriteAndFlush(part); written.IsErr() {
			return streamErrorOf(written.Err())
		}
		bytes = bytes[len(part):]
	}
	return nil
}

func wait(future *wasi_http_types.FutureIncomingResponse) (*wasi_http_types.IncomingResponse, error) {
	ready := future.Subscribe()
	ready.Block()
	ready.Drop()
	got := future.Get()
	if got.IsNone() || got.Some().IsErr() {
		return nil, errNoAnswer
	}
	response := got.Some().Ok()
	if response.IsErr() {
		return nil, errorOf(response.Err())
	}
	return response.Ok(), nil
}

func responseOf(response *wasi_http_types.IncomingResponse) (*Response, error) {
	defer response.Drop()
	header := Header{}
	fields := response.Headers()
	for _, entry := range fields.Entries() {
		header.Add(entry.F0, string(entry.F1))
	}
	fields.Drop()
	consumed := response.Consume()
	if consumed.IsErr() {
		return nil, errBroken
	}
	stream := consumed.Ok().Stream()
	if stream.IsErr() {
		consumed.Ok().Drop()
		return nil, errBroken
	}
	return &Response{int(response.Status()), header, openBody(consumed.Ok(), stream.Ok())}, nil
}

func streamErrorOf(err wasi_io_streams.StreamError) error {
	if err.Tag() == wasi_io_streams.StreamError_Closed {
		return errBroken
	}
	failed := err.LastOperationFailed()
	defer failed.Drop()
	if code := wasi_http_types.HttpErrorCode(failed); code.IsSome() {
		return errorOf(code.Some())
	}
	return fmt.Errorf("the stream broke: %s", failed.ToDebugString())
}
