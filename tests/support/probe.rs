//! Talking to the guest `probe`, which does what it is told.

use serde_json::{Value, json};

use super::Client;

impl Client {
    /// Has a command obeyed and returns its value.
    pub async fn ok(&mut self, command: Value) -> Value {
        let mut answer = self.ask(command.clone()).await;
        assert_eq!(answer["re"], command["do"], "{command} was answered with {answer}");
        assert!(answer["error"].is_null(), "{command} failed: {answer}");
        answer["ok"].take()
    }

    /// Has a command refused and returns code and detail of the error.
    pub async fn refused(&mut self, command: Value) -> (String, String) {
        let answer = self.ask(command.clone()).await;
        assert_eq!(answer["re"], command["do"], "{command} was answered with {answer}");
        error(&answer).unwrap_or_else(|| panic!("{command} was obeyed: {answer}"))
    }

    /// The public id of this client, as listeners see it.
    pub async fn id(&mut self) -> String {
        let event = self.ok(json!({"do": "whoami"})).await;
        event["client"]["id"].as_str().unwrap().to_owned()
    }

    /// The next message, which says who has gone.
    pub async fn gone(&mut self) -> Value {
        let mut news = self.json().await;
        assert!(news["gone"].is_object(), "expected a farewell, got {news}");
        news["gone"].take()
    }
}

/// Code and detail of the error in an answer, if it is one.
pub fn error(answer: &Value) -> Option<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let error = &answer["error"];
    (!error.is_null()).then(|| (text(&error["code"]), text(&error["detail"])))
}
