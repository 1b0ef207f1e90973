//! Which messages a listener takes. A matcher only describes; the gateway evaluates it.

use serde_json::Value;

use crate::{ContentTest, Error, JsonMatch, JsonTest, MessageMatcher, Result, listeners};

impl MessageMatcher {
    /// Every message on the paths granted to this module.
    pub fn any() -> Self {
        Self { path: None, content: Vec::new(), roles: Vec::new() }
    }

    /// Messages of clients on a path: `/rooms/{room}/*` has literal segments, `{name}` for one
    /// segment, and a final `*` for the rest.
    pub fn path(pattern: impl Into<String>) -> Self {
        Self { path: Some(pattern.into()), ..Self::any() }
    }

    /// And the content passes this test too.
    pub fn content(mut self, test: ContentTest) -> Self {
        self.content.push(test);
        self
    }

    /// And the message is JSON whose part at `pointer` (RFC 6901, e.g. `/type`) equals `value`.
    pub fn json_equals(self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        let test = JsonTest::Equals(value.into().to_string());
        self.content(ContentTest::Json(JsonMatch { pointer: pointer.into(), test }))
    }

    /// And the client has this role, or another one named so.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Adds a listener for these messages under `name` (1-64 of `[a-z0-9-]`), with priority 0.
    /// [`listeners::add_message_listener`] takes another priority.
    ///
    /// # Errors
    /// As [`listeners::add_message_listener`].
    pub fn listen(&self, name: &str) -> Result<(), Error> {
        listeners::add_message_listener(name, self, 0)
    }
}

/// Adds a disconnect listener under `name`, for clients on `path` or on all granted paths.
///
/// # Errors
/// As [`listeners::add_disconnect_listener`].
pub fn listen_for_disconnects(name: &str, path: Option<&str>) -> Result<(), Error> {
    listeners::add_disconnect_listener(name, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_add_up() {
        let matcher = MessageMatcher::path("/chat/{room}")
            .json_equals("/type", "say")
            .content(ContentTest::IsText)
            .role("talker");
        assert_eq!(matcher.path.as_deref(), Some("/chat/{room}"));
        let test = JsonTest::Equals(r#""say""#.to_owned());
        let json = ContentTest::Json(JsonMatch { pointer: "/type".to_owned(), test });
        assert_eq!(matcher.content, vec![json, ContentTest::IsText]);
        assert_eq!(matcher.roles, ["talker"]);
    }
}
