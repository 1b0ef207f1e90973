package sporegate

import (
	"log/slog"

	"sporegate/internal/bindings/listener/imports/sporegate_gateway_clients"
	"sporegate/internal/bindings/listener/imports/sporegate_gateway_listeners"
	"sporegate/internal/bindings/listener/imports/sporegate_gateway_types"
	"sporegate/internal/bindings/listener/imports/wasi_logging_logging"
	witTypes "sporegate/internal/wit/types"
)

// bindings is the gateway that the module is in.
type bindings struct{}

var gateway host = bindings{}

func (bindings) basePath() string {
	return sporegate_gateway_clients.BasePath()
}

func (bindings) client(id string) (Client, bool) {
	client := sporegate_gateway_clients.GetClient(id)
	if client.IsNone() {
		return Client{}, false
	}
	return clientOf(client.Some()), true
}

func (bindings) clientsOnPath(path string, cursor *string, limit uint32) (page, error) {
	return pageOf(sporegate_gateway_clients.GetClientsOnPath(path, optional(cursor), limit))
}

func (bindings) clientsOfUser(username string, cursor *string, limit uint32) (page, error) {
	return pageOf(sporegate_gateway_clients.GetClientsOfUser(username, optional(cursor), limit))
}

func (bindings) clientCount() uint64 {
	return sporegate_gateway_clients.GetClientCount()
}

func (bindings) claims(id string) (string, bool) {
	claims := sporegate_gateway_clients.GetClaims(id)
	return claims.SomeOr(""), claims.IsSome()
}

func (bindings) send(id string, message Message) error {
	return done(sporegate_gateway_clients.SendMessage(id, payloadOf(message)))
}

func (bindings) broadcast(to Audience, message Message) (uint64, error) {
	result := sporegate_gateway_clients.Broadcast(audienceOf(to), payloadOf(message), to.except)
	if result.IsErr() {
		return 0, errorOf(result.Err())
	}
	return result.Ok(), nil
}

func (bindings) close(id string, code uint16, reason string) error {
	return done(sporegate_gateway_clients.Close(id, code, reason))
}

func (bindings) flush() error {
	return done(sporegate_gateway_clients.Flush())
}

func (bindings) addMessageListener(name string, matcher Matcher, priority int32) error {
	tests := make([]sporegate_gateway_listeners.ContentTest, len(matcher.tests))
	for i, test := range matcher.tests {
		tests[i] = testOf(test)
	}
	wanted := sporegate_gateway_listeners.MessageMatcher{
		Path: optionalPath(matcher.path), Content: tests, Roles: matcher.roles,
	}
	return done(sporegate_gateway_listeners.AddMessageListener(name, wanted, priority))
}

func (bindings) removeMessageListener(name string) error {
	return done(sporegate_gateway_listeners.RemoveMessageListener(name))
}

func (bindings) addDisconnectListener(name, path string) error {
	return done(sporegate_gateway_listeners.AddDisconnectListener(name, optionalPath(path)))
}

func (bindings) removeDisconnectListener(name string) error {
	return done(sporegate_gateway_listeners.RemoveDisconnectListener(name))
}

func (bindings) log(level slog.Level, line string) {
	wasi_logging_logging.Log(logLevelOf(level), "", line)
}

func logLevelOf(level slog.Level) uint8 {
	switch {
	case level < slog.LevelDebug:
		return wasi_logging_logging.Level_Trace
	case level < slog.LevelInfo:
		return wasi_logging_logging.Level_Debug
	case level < slog.LevelWarn:
		return wasi_logging_logging.Level_Info
	case level < slog.LevelError:
		return wasi_logging_logging.Level_Warn
	default:
		return wasi_logging_logging.Level_Error
	}
}

func optional(text *string) witTypes.Option[string] {
	if text == nil {
		return witTypes.None[string]()
	}
	return witTypes.Some(*text)
}

func optionalPath(path string) witTypes.Option[string] {
	if path == "" {
		return witTypes.None[string]()
	}
	return witTypes.Some(path)
}

func clientOf(client sporegate_gateway_types.Client) Client {
	return Client{
		ID:          client.Id,
		ConnectPath: client.ConnectPath,
		Username:    client.Username.SomeOr(""),
		Anonymous:   client.Username.IsNone(),
		Roles:       client.Roles,
	}
}

type clientsAndCursor = witTypes.Tuple2[[]sporegate_gateway_types.Client, witTypes.Option[string]]

func pageOf(result witTypes.Result[clientsAndCursor, sporegate_gateway_types.Error]) (page, error) {
	if result.IsErr() {
		return page{}, errorOf(result.Err())
	}
	got := result.Ok()
	clients := make([]Client, len(got.F0))
	for i, client := range got.F0 {
		clients[i] = clientOf(client)
	}
	if got.F1.IsNone() {
		return page{clients: clients}, nil
	}
	next := got.F1.Some()
	return page{clients, &next}, nil
}

func done(result witTypes.Result[witTypes.Unit, sporegate_gateway_types.Error]) error {
	if result.IsErr() {
		return errorOf(result.Err())
	}
	return nil
}

func errorOf(err sporegate_gateway_types.Error) *Error {
	switch err.Tag() {
	case sporegate_gateway_types.Error_NotFound:
		return ErrNotFound
	case sporegate_gateway_types.Error_Closed:
		return ErrClosed
	case sporegate_gateway_types.Error_QueueFull:
		return ErrQueueFull
	case sporegate_gateway_types.Error_TooLarge:
		return tooLargeFor(err.TooLarge())
	case sporegate_gateway_types.Error_Denied:
		return &Error{denied, err.Denied()}
	case sporegate_gateway_types.Error_InvalidArgument:
		return &Error{invalidArgument, err.InvalidArgument()}
	case sporegate_gateway_types.Error_LimitExceeded:
		return &Error{limitExceeded, err.LimitExceeded()}
	default:
		return &Error{other, err.Other()}
	}
}

func payloadOf(message Message) sporegate_gateway_types.Payload {
	if message.isBinary {
		return sporegate_gateway_types.MakePayloadBinary(message.bytes)
	}
	return sporegate_gateway_types.MakePayloadText(message.text)
}

func messageOf(payload sporegate_gateway_types.Payload) Message {
	if payload.Tag() == sporegate_gateway_types.Payload_Binary {
		return Binary(payload.Binary())
	}
	return Text(payload.Text())
}

func audienceOf(audience Audience) sporegate_gateway_clients.Audience {
	switch audience.kind {
	case onPath:
		return sporegate_gateway_clients.MakeAudiencePath(audience.name)
	case ofUser:
		return sporegate_gateway_clients.MakeAudienceUser(audience.name)
	case withRole:
		return sporegate_gateway_clients.MakeAudienceRole(audience.name)
	default:
		return sporegate_gateway_clients.MakeAudienceIds(audience.ids)
	}
}

func testOf(test test) sporegate_gateway_listeners.ContentTest {
	switch test.kind {
	case isText:
		return sporegate_gateway_listeners.MakeContentTestIsText()
	case isBinary:
		return sporegate_gateway_listeners.MakeContentTestIsBinary()
	case textEquals:
		return sporegate_gateway_listeners.MakeContentTestTextEquals(test.text)
	case textPrefix:
		return sporegate_gateway_listeners.MakeContentTestTextPrefix(test.text)
	case textContains:
		return sporegate_gateway_listeners.MakeContentTestTextContains(test.text)
	case textRegex:
		return sporegate_gateway_listeners.MakeContentTestTextRegex(test.text)
	case binaryPrefix:
		return sporegate_gateway_listeners.MakeContentTestBinaryPrefix(test.bytes)
	default:
		match := sporegate_gateway_listeners.JsonMatch{Pointer: test.text, Test: jsonTestOf(test)}
		return sporegate_gateway_listeners.MakeContentTestJson(match)
	}
}

func jsonTestOf(test test) sporegate_gateway_listeners.JsonTest {
	switch test.kind {
	case jsonExists:
		return sporegate_gateway_listeners.MakeJsonTestExists()
	case jsonEquals:
		return sporegate_gateway_listeners.MakeJsonTestEquals(test.choices[0])
	default:
		return sporegate_gateway_listeners.MakeJsonTestOneOf(test.choices)
	}
}
