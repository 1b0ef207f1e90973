//! What the probe has seen, as JSON.

use serde_json::{Value, json};
use sporegate_guest::{Client, MessageEvent, Payload};

pub(crate) fn client(client: &Client) -> Value {
    json!({
        "id": client.id,
        "path": client.connect_path,
        "username": client.username,
        "roles": client.roles,
    })
}

/// `{"listener":NAME,"text":TEXT}` or `{"listener":NAME,"binary":[BYTES]}`.
pub(crate) fn message(event: &MessageEvent) -> Value {
    match &event.message {
        Payload::Text(text) => json!({ "listener": event.listener, "text": text }),
        Payload::Binary(bytes) => json!({ "listener": event.listener, "binary": bytes }),
    }
}

pub(crate) fn event(event: &MessageEvent) -> Value {
    json!({
        "listener": event.listener,
        "client": client(&event.client),
        "path-params": event.path_params,
        "sequence": event.sequence,
        "received-at-ms": event.received_at_ms,
        "traceparent": event.traceparent,
    })
}

pub(crate) fn page((clients, cursor): (Vec<Client>, Option<String>)) -> Value {
    json!({ "clients": clients.iter().map(client).collect::<Vec<_>>(), "cursor": cursor })
}

pub(crate) fn error(command: &str, code: &str, detail: &str) -> Value {
    json!({ "re": command, "error": { "code": code, "detail": detail } })
}
