//! What a test can ask for: one flat JSON object. `do` names the command; `obey` says which of the
//! other fields it reads. (One enum of commands would read better, and be thrice the code.)

use serde::Deserialize;
use serde_json::Value;
use sporegate_guest::{
    Audience, ClientId, ContentTest, JsonMatch, JsonTest, MessageEvent, MessageMatcher, Outcome,
    Payload,
};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Command {
    pub(crate) r#do: String,

    /// A client; the sender if not told.
    pub(crate) to: Option<ClientId>,

    /// The message: one of these three.
    pub(crate) text: String,
    binary: Option<Vec<u8>>,
    /// A text of so many bytes.
    fill: Option<usize>,

    /// An audience: one of these four. `path` and `user` are also what queries ask for.
    ids: Option<Vec<ClientId>>,
    pub(crate) path: Option<String>,
    pub(crate) user: Option<String>,
    role: Option<String>,
    pub(crate) except: Vec<ClientId>,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: u32,

    pub(crate) code: u16,
    pub(crate) reason: String,

    /// A listener.
    pub(crate) name: String,
    pub(crate) matcher: Matcher,
    pub(crate) priority: i32,
    /// What this call returns (`stop` if not told), or a listener that is added (`proceed`).
    pub(crate) outcome: Option<Ending>,

    pub(crate) key: String,
    pub(crate) value: Value,

    /// Commands in this one.
    pub(crate) of: Vec<Value>,
    /// How often, or how much.
    pub(crate) count: u64,
    pub(crate) then: Gone,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ending {
    Proceed,
    Stop,
}

/// What disconnects meet from now on.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Gone {
    #[default]
    Report,
    Fail,
    Trap,
}

impl Command {
    pub(crate) fn client(&self, event: &MessageEvent) -> ClientId {
        self.to.clone().unwrap_or_else(|| event.client.id.clone())
    }

    pub(crate) fn payload(&mut self) -> Payload {
        match (self.binary.take(), self.fill) {
            (Some(bytes), _) => Payload::Binary(bytes),
            (None, Some(bytes)) => Payload::Text("x".repeat(bytes)),
            (None, None) => Payload::Text(std::mem::take(&mut self.text)),
        }
    }

    pub(crate) fn audience(&mut self) -> Audience {
        match (self.ids.take(), self.path.take(), self.user.take(), self.role.take()) {
            (Some(ids), ..) => Audience::Ids(ids),
            (None, Some(path), ..) => Audience::Path(path),
            (None, None, Some(user), _) => Audience::User(user),
            (None, None, None, role) => Audience::Role(role.unwrap_or_default()),
        }
    }
}

/// As the interface's `message-matcher`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matcher {
    path: Option<String>,
    #[serde(default)]
    content: Vec<Test>,
    #[serde(default)]
    roles: Vec<String>,
}

/// As `content-test`: `"is-text"`, `{"text-prefix":"x"}`, `{"json":{"pointer":"/a","test":"exists"}}`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Test {
    IsText,
    IsBinary,
    TextEquals(String),
    TextPrefix(String),
    TextContains(String),
    TextRegex(String),
    BinaryPrefix(Vec<u8>),
    Json { pointer: String, test: AtPointer },
}

/// As `json-test`: `"exists"`, `{"equals":"42"}`, `{"one-of":["\"a\"","1"]}`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AtPointer {
    Exists,
    Equals(String),
    OneOf(Vec<String>),
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Proceed => Self::Proceed,
            Ending::Stop => Self::Stop,
        }
    }
}

impl From<Matcher> for MessageMatcher {
    fn from(Matcher { path, content, roles }: Matcher) -> Self {
        Self { path, content: content.into_iter().map(ContentTest::from).collect(), roles }
    }
}

impl From<Test> for ContentTest {
    fn from(test: Test) -> Self {
        match test {
            Test::IsText => Self::IsText,
            Test::IsBinary => Self::IsBinary,
            Test::TextEquals(text) => Self::TextEquals(text),
            Test::TextPrefix(text) => Self::TextPrefix(text),
            Test::TextContains(text) => Self::TextContains(text),
            Test::TextRegex(regex) => Self::TextRegex(regex),
            Test::BinaryPrefix(bytes) => Self::BinaryPrefix(bytes),
            Test::Json { pointer, test } => Self::Json(JsonMatch { pointer, test: test.into() }),
        }
    }
}

impl From<AtPointer> for JsonTest {
    fn from(test: AtPointer) -> Self {
        match test {
            AtPointer::Exists => Self::Exists,
            AtPointer::Equals(json) => Self::Equals(json),
            AtPointer::OneOf(json) => Self::OneOf(json),
        }
    }
}
