//! What came in: the content of a message, and answers to whom it came from.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::{Error, MessageEvent, Payload, Result};

impl MessageEvent {
    /// The text of a text message.
    pub fn text(&self) -> Option<&str> {
        match &self.message {
            Payload::Text(text) => Some(text),
            Payload::Binary(_) => None,
        }
    }

    /// The bytes of a binary message.
    pub fn binary(&self) -> Option<&[u8]> {
        match &self.message {
            Payload::Text(_) => None,
            Payload::Binary(bytes) => Some(bytes),
        }
    }

    /// The text read as JSON of type `T`, which may borrow from it.
    ///
    /// # Errors
    /// If the message is binary, is not JSON, or does not fit `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        match &self.message {
            Payload::Text(text) => serde_json::from_str(text),
            Payload::Binary(_) => {
                Err(serde_json::Error::custom("the message is binary, not JSON text"))
            }
        }
    }

    /// What the path pattern's `{name}` stands for in the client's path; `*` for the rest.
    pub fn path_param(&self, name: &str) -> Option<&str> {
        let param = self.path_params.iter().find(|(param, _)| param == name);
        param.map(|(_, value)| value.as_str())
    }

    /// Queues a message to the client that this one came from.
    ///
    /// # Errors
    /// As [`clients::send_message`](crate::clients::send_message).
    pub fn reply(&self, message: &Payload) -> Result<(), Error> {
        self.client.send(message)
    }

    /// The same with a value as JSON text.
    ///
    /// # Errors
    /// As [`reply`](Self::reply); `InvalidArgument` if JSON cannot hold the value.
    pub fn reply_json<T: Serialize + ?Sized>(&self, message: &T) -> Result<(), Error> {
        self.client.send_json(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    fn event(message: Payload) -> MessageEvent {
        MessageEvent {
            listener: "chat".to_owned(),
            client: Client {
                id: "c1".to_owned(),
                connect_path: "/chat/tea".to_owned(),
                username: None,
                roles: Vec::new(),
            },
            message,
            path_params: vec![("room".to_owned(), "tea".to_owned())],
            sequence: 1,
            received_at_ms: 0,
            traceparent: None,
        }
    }

    #[test]
    fn a_message_is_text_or_binary() {
        let text = event(Payload::from("hi"));
        assert_eq!((text.text(), text.binary()), (Some("hi"), None));
        let binary = event(Payload::from(vec![1, 2]));
        assert_eq!((binary.text(), binary.binary()), (None, Some(&[1, 2][..])));
    }

    #[test]
    fn json_borrows_from_the_text() {
        #[derive(Deserialize)]
        struct Say<'a> {
            text: &'a str,
        }
        let say = event(Payload::from(r#"{"text":"tea?"}"#));
        assert_eq!(say.json::<Say<'_>>().unwrap().text, "tea?");
    }

    #[test]
    fn json_refuses_binary_and_tells_where_text_goes_wrong() {
        let binary = event(Payload::from(b"{}".to_vec()));
        let error = binary.json::<serde_json::Value>().unwrap_err();
        assert_eq!(error.to_string(), "the message is binary, not JSON text");
        let error = event(Payload::from("{")).json::<serde_json::Value>().unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[test]
    fn a_path_param_is_found_by_name() {
        let event = event(Payload::from(""));
        assert_eq!((event.path_param("room"), event.path_param("user")), (Some("tea"), None));
    }
}
