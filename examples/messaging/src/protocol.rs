//! The messages of the protocol. Whatever is published is passed on as it was written.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a client asks for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request<'a> {
    #[serde(borrow)]
    message_id: &'a RawValue,
    pub(crate) command: Command,
    #[serde(borrow, default)]
    pub(crate) topic: Cow<'a, str>,
    #[serde(borrow, default = "null")]
    message: &'a RawValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Command {
    Subscribe,
    Unsubscribe,
    Publish,
}

/// What the client that asked gets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub(crate) enum Answer<'a> {
    #[serde(rename_all = "camelCase")]
    Success { message_id: &'a RawValue, success: bool },
    #[serde(rename_all = "camelCase")]
    Error { message_id: &'a RawValue, error: bool, message: String },
}

/// What the clients that subscribed get.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery<'a> {
    remote_message: bool,
    subscription_pattern: &'a str,
    topic: &'a str,
    message: &'a RawValue,
}

impl<'a> Request<'a> {
    /// Anything else than a request with an id and a known command is not for us.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let request: Self = serde_json::from_str(text).ok()?;
        (!matches!(request.message_id.get(), "null" | "\"\"")).then_some(request)
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(request: &Request<'a>, done: bool) -> Self {
        let message_id = request.message_id;
        if done {
            return Self::Success { message_id, success: true };
        }
        let doing = match request.command {
            Command::Subscribe => "Subscribing to",
            Command::Unsubscribe => "Unsubscribing from",
            Command::Publish => "Publishing message to",
        };
        let message = format!("{doing} topic {} failed", request.topic);
        Self::Error { message_id, error: true, message }
    }
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(request: &'a Request<'a>, pattern: &'a str) -> Self {
        Self {
            remote_message: true,
            subscription_pattern: pattern,
            topic: &request.topic,
            message: request.message,
        }
    }
}

fn null() -> &'static RawValue {
    RawValue::NULL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &str, done: bool) -> String {
        let request = Request::parse(request).unwrap();
        serde_json::to_string(&Answer::new(&request, done)).unwrap()
    }

    #[test]
    fn a_request_without_an_id_or_a_known_command_is_none() {
        for text in [
            "keepalive",
            "{}",
            "[]",
            r#"{"command":"subscribe","topic":"a"}"#,
            r#"{"messageId":null,"command":"subscribe","topic":"a"}"#,
            r#"{"messageId":"","command":"subscribe","topic":"a"}"#,
            r#"{"messageId":"1","topic":"a"}"#,
            r#"{"messageId":"1","command":"dance","topic":"a"}"#,
        ] {
            assert!(Request::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn answers_carry_the_id_as_it_was() {
        let request = r#"{"messageId":"ABC_1","command":"subscribe","topic":"a/b"}"#;
        assert_eq!(answer(request, true), r#"{"messageId":"ABC_1","success":true}"#);
        let request = r#"{"messageId":7,"command":"publish","topic":"a/b"}"#;
        assert_eq!(answer(request, true), r#"{"messageId":7,"success":true}"#);
    }

    #[test]
    fn errors_say_what_failed() {
        for (command, text) in [
            ("subscribe", "Subscribing to topic a/# failed"),
            ("unsubscribe", "Unsubscribing from topic a/# failed"),
            ("publish", "Publishing message to topic a/# failed"),
        ] {
            let request = format!(r##"{{"messageId":"1","command":"{command}","topic":"a/#"}}"##);
            let expected = format!(r#"{{"messageId":"1","error":true,"message":"{text}"}}"#);
            assert_eq!(answer(&request, false), expected);
        }
    }

    #[test]
    fn a_message_is_delivered_as_it_was_written() {
        let text =
            r#"{"messageId":"1","command":"publish","topic":"a/b","message":{"x":1.0,"y":[null]}}"#;
        let request = Request::parse(text).unwrap();
        let delivery = serde_json::to_string(&Delivery::new(&request, "a/+")).unwrap();
        assert_eq!(
            delivery,
            r#"{"remoteMessage":true,"subscriptionPattern":"a/+","topic":"a/b","message":{"x":1.0,"y":[null]}}"#
        );
    }

    #[test]
    fn a_message_may_be_null_or_missing() {
        for message in [r#","message":null"#, ""] {
            let text = format!(r#"{{"messageId":"1","command":"publish","topic":"a"{message}}}"#);
            let request = Request::parse(&text).unwrap();
            let delivery = serde_json::to_string(&Delivery::new(&request, "a")).unwrap();
            assert!(delivery.ends_with(r#""message":null}"#), "{delivery}");
        }
    }
}
