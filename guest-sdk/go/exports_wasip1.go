package sporegate

import (
	"time"

	disconnects "sporegate/internal/bindings/listener/exports/export_sporegate_gateway_disconnect_handler"
	lifecycle "sporegate/internal/bindings/listener/exports/export_sporegate_gateway_lifecycle"
	messages "sporegate/internal/bindings/listener/exports/export_sporegate_gateway_message_handler"
	_ "sporegate/internal/bindings/listener/exports/wit_exports"
	"sporegate/internal/bindings/listener/imports/sporegate_gateway_disconnect_handler"
	"sporegate/internal/bindings/listener/imports/sporegate_gateway_message_handler"
	"sporegate/internal/call"
)

func init() {
	lifecycle.Handler = func() error {
		defer call.End()
		return start()
	}
	messages.Handler = func(event sporegate_gateway_message_handler.MessageEvent) (bool, error) {
		defer call.End()
		outcome, err := onMessage(messageEventOf(event))
		return outcome == Stop, err
	}
	disconnects.Handler = func(event sporegate_gateway_disconnect_handler.DisconnectEvent) error {
		defer call.End()
		return onDisconnect(&DisconnectEvent{
			Listener: event.Listener,
			Client:   clientOf(event.Client),
			Code:     event.Code,
			Reason:   event.Reason,
		})
	}
}

func messageEventOf(event sporegate_gateway_message_handler.MessageEvent) *MessageEvent {
	params := make([]pathParam, len(event.PathParams))
	for i, param := range event.PathParams {
		params[i] = pathParam{param.F0, param.F1}
	}
	return &MessageEvent{
		Listener:    event.Listener,
		Client:      clientOf(event.Client),
		Message:     messageOf(event.Message),
		Sequence:    event.Sequence,
		ReceivedAt:  time.UnixMilli(int64(event.ReceivedAtMs)),
		Traceparent: event.Traceparent.SomeOr(""),
		pathParams:  params,
	}
}
