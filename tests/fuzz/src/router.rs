//! Which messages are for which listeners. However many listeners there are, the index over all of
//! them finds each message's exactly as if each listener were alone, and alone it is found as the
//! words of the interface say, by an evaluator that knows no index.
//!
//! ```text
//! listener PRIORITY GRANT..    then its parts, by their names in the interface:
//! path PATTERN    role NAME    text-equals TEXT    exists POINTER    one-of POINTER VALUE<tab>VALUE
//! disconnect GRANT..           of which only `path` counts
//! client PATH ROLE..           who sends each of the messages
//! text TEXT    binary BYTES    a message
//! ```

use std::sync::Arc;

use regex_automata::nfa::thompson::pikevm::PikeVM;
use sporegate::path::{ConnectPath, PathPattern, PathSet};
use sporegate::router::{
    Content, ContentTest, DisconnectRoute, JsonMatch, JsonTest, MAX_REGEX_TEXT_BYTES, Matcher,
    MatcherError, MatcherSpec, Route, Router,
};

use super::json::{self, Part};
use super::lines::{lines, text, words};

const MAX_LISTENERS: usize = 40;
const MAX_CLIENTS: usize = 4;
const MAX_MESSAGES: usize = 12;
/// They take long to compile.
const MAX_REGEXES: usize = 4;

#[derive(Default)]
struct Scene {
    listeners: Vec<Listener>,
    disconnects: Vec<Listener>,
    clients: Vec<(ConnectPath, Vec<String>)>,
    messages: Vec<Message>,
}

#[derive(Clone, Default)]
struct Listener {
    priority: i32,
    grants: Arc<PathSet>,
    spec: MatcherSpec,
}

enum Message {
    Text(String),
    Binary(Vec<u8>),
}

/// A listener that was not refused. The target of its route is its number.
struct Registered {
    route: Route<usize>,
    alone: Router<usize>,
    /// Those of its content tests, in their order.
    regexes: Vec<PikeVM>,
}

pub fn check(data: &[u8]) {
    let scene = Scene::read(data);
    let numbered = scene.listeners.iter().enumerate();
    let mut all: Vec<_> =
        numbered.filter_map(|(number, listener)| Registered::new(number, listener)).collect();
    let numbered = scene.disconnects.iter().enumerate();
    let mut disconnects: Vec<_> =
        numbered.filter_map(|(number, listener)| disconnect(number, listener)).collect();
    let routes = all.iter().map(|one| one.route.clone()).collect();
    let router = Router::new(routes, disconnects.clone());
    all.sort_by_key(|Registered { route, .. }| {
        (-i64::from(route.priority), Arc::clone(&route.name), Arc::clone(&route.module))
    });
    disconnects.sort_by_key(|route| (Arc::clone(&route.name), Arc::clone(&route.module)));
    let mut kept = Vec::new();
    for (path, roles) in &scene.clients {
        let applies = |grants: &PathSet, pattern: Option<&PathPattern>| {
            grants.contains(path) && pattern.is_none_or(|pattern| pattern.matches(path))
        };
        let told: Vec<_> = router.disconnect_on_path(path).map(|route| route.target).collect();
        let expected: Vec<_> = disconnects
            .iter()
            .filter(|route| applies(&route.grants, route.path.as_ref()))
            .map(|route| route.target)
            .collect();
        assert_eq!(told, expected, "disconnects on {path}");
        let here: Vec<_> = all
            .iter()
            .filter(|Registered { route, .. }| applies(&route.grants, route.matcher.path()))
            .collect();
        kept.push(router.on_path(path).unwrap());
        let together = kept.last().and_then(|kept| kept.get()).unwrap();
        let listed: Vec<_> = together.iter().map(|route| route.target).collect();
        let expected: Vec<_> = here.iter().map(|one| one.route.target).collect();
        assert_eq!(listed, expected, "routes on {path}");
        for content in scene.messages.iter().map(Message::content) {
            let expected: Vec<_> =
                here.iter().filter(|one| one.takes(path, roles, content)).collect();
            let expected: Vec<_> = expected.iter().map(|one| one.route.target).collect();
            let found: Vec<_> = together.find(roles, content).map(|route| route.target).collect();
            assert_eq!(found, expected, "{content:?} as {roles:?}");
        }
    }
    router.retire();
    assert!(kept.iter().all(|routes| routes.get().is_none()));
    assert!(scene.clients.iter().all(|(path, _)| router.on_path(path).is_none()));
}

impl Registered {
    fn new(number: usize, listener: &Listener) -> Option<Self> {
        let Listener { priority, grants, spec } = listener;
        let matcher = match Matcher::compile(spec.clone()) {
            Ok(matcher) => Arc::new(matcher),
            Err(error) => {
                check_error(&error, spec);
                return None;
            }
        };
        assert!(matcher.held_bytes() >= operand_bytes(spec), "{spec:?}");
        let route = Route {
            target: number,
            grants: Arc::clone(grants),
            matcher,
            priority: *priority,
            name: format!("l{}", number % 3).into(),
            module: format!("m{number:02}").into(),
        };
        let regexes = spec.content.iter().filter_map(|test| match test {
            ContentTest::TextRegex(regex) => Some(PikeVM::new(regex).unwrap()),
            _ => None,
        });
        let regexes = regexes.collect();
        Some(Self { alone: Router::new(vec![route.clone()], vec![]), route, regexes })
    }

    /// Whether the listener alone gets a message, which must be what its matcher says.
    fn takes(&self, path: &ConnectPath, roles: &[String], content: Content<'_>) -> bool {
        let alone = self.alone.on_path(path).unwrap();
        let found = alone.get().unwrap().find(roles, content).len() == 1;
        let spec = self.route.matcher.spec();
        if let Some(wanted) = wants(spec, &self.regexes, roles, content) {
            assert_eq!(found, wanted, "{spec:?} {content:?} as {roles:?}");
        }
        found
    }
}

fn disconnect(number: usize, listener: &Listener) -> Option<DisconnectRoute<usize>> {
    let path = listener.spec.path.as_deref();
    Some(DisconnectRoute {
        target: number,
        grants: Arc::clone(&listener.grants),
        path: path.map(PathPattern::parse).transpose().ok()?,
        name: format!("d{}", number % 3).into(),
        module: format!("m{number:02}").into(),
    })
}

/// A matcher is refused in few words, and for a part that it has.
fn check_error(error: &MatcherError, spec: &MatcherSpec) {
    assert!((1..4 * 1024).contains(&error.to_string().len()), "{error}");
    match error {
        MatcherError::Test { index, name, .. } => {
            assert_eq!(spec.content[*index].name(), *name);
        }
        MatcherError::BadRole { index } => assert!(*index < spec.roles.len()),
        MatcherError::Path(_) => assert!(spec.path.is_some()),
        MatcherError::TooManyTests { .. }
        | MatcherError::Contradiction { .. }
        | MatcherError::TooManyRoles { .. } => {}
        MatcherError::GivenUp => panic!("nobody was in a hurry"),
    }
}

/// Bytes that a matcher brings with it.
fn operand_bytes(spec: &MatcherSpec) -> usize {
    let of_test = |test: &ContentTest| match test {
        ContentTest::IsText | ContentTest::IsBinary => 0,
        ContentTest::TextEquals(text)
        | ContentTest::TextPrefix(text)
        | ContentTest::TextContains(text)
        | ContentTest::TextRegex(text) => text.len(),
        ContentTest::BinaryPrefix(bytes) => bytes.len(),
        ContentTest::Json(JsonMatch { pointer, test }) => {
            pointer.len()
                + match test {
                    JsonTest::Exists => 0,
                    JsonTest::Equals(value) => value.len(),
                    JsonTest::OneOf(values) => values.iter().map(String::len).sum(),
                }
        }
    };
    let path = spec.path.as_ref().map_or(0, String::len);
    let roles: usize = spec.roles.iter().map(String::len).sum();
    path + roles + spec.content.iter().map(of_test).sum::<usize>()
}

/// Whether a message is wanted, straight from the words of the interface. None where the oracle
/// does not know.
fn wants(
    spec: &MatcherSpec,
    regexes: &[PikeVM],
    roles: &[String],
    content: Content<'_>,
) -> Option<bool> {
    if !spec.roles.is_empty() && !spec.roles.iter().any(|role| roles.contains(role)) {
        return Some(false);
    }
    let mut regexes = regexes.iter();
    let mut all = true;
    for test in &spec.content {
        all &= match (test, content) {
            (ContentTest::IsBinary, Content::Binary(_))
            | (ContentTest::IsText, Content::Text(_)) => true,
            (ContentTest::BinaryPrefix(prefix), Content::Binary(bytes)) => {
                bytes.starts_with(prefix)
            }
            (ContentTest::TextEquals(expected), Content::Text(text)) => text == expected,
            (ContentTest::TextPrefix(prefix), Content::Text(text)) => text.starts_with(prefix),
            (ContentTest::TextContains(part), Content::Text(text)) => text.contains(part),
            (ContentTest::TextRegex(_), Content::Text(text)) => {
                let regex = regexes.next()?;
                text.len() <= MAX_REGEX_TEXT_BYTES
                    && regex.is_match(&mut regex.create_cache(), text)
            }
            (ContentTest::Json(JsonMatch { pointer, test }), Content::Text(text)) => {
                match (json::part(text, pointer), test) {
                    (Part::Unclear, _) => return None,
                    (Part::NotThere, _) => false,
                    (Part::There(_), JsonTest::Exists) => true,
                    (Part::There(part), JsonTest::Equals(value)) => json::same(part, value),
                    (Part::There(part), JsonTest::OneOf(values)) => {
                        values.iter().any(|value| json::same(part, value))
                    }
                }
            }
            _ => false,
        };
    }
    Some(all)
}

impl Scene {
    fn read(data: &[u8]) -> Self {
        let mut scene = Self::default();
        let mut regexes = 0;
        let mut disconnects = false;
        for (word, rest) in lines(data) {
            match word {
                "listener" if scene.listeners.len() < MAX_LISTENERS => {
                    disconnects = false;
                    scene.listeners.push(Listener::read(rest));
                    continue;
                }
                "disconnect" if scene.disconnects.len() < MAX_LISTENERS => {
                    disconnects = true;
                    scene.disconnects.push(Listener::read(rest));
                    continue;
                }
                "client" if scene.clients.len() < MAX_CLIENTS => {
                    let mut words = words(rest).into_iter();
                    let path = words.next().and_then(|path| ConnectPath::parse(&path).ok());
                    scene.clients.extend(path.map(|path| (path, words.collect())));
                    continue;
                }
                "text" if scene.messages.len() < MAX_MESSAGES => {
                    scene.messages.push(Message::Text(text(rest)));
                    continue;
                }
                "binary" if scene.messages.len() < MAX_MESSAGES => {
                    scene.messages.push(Message::Binary(rest.to_owned()));
                    continue;
                }
                _ => {}
            }
            regexes += usize::from(word == "text-regex");
            let all = if disconnects { &mut scene.disconnects } else { &mut scene.listeners };
            let Some(Listener { spec, .. }) = all.last_mut() else { continue };
            match word {
                "path" => spec.path = Some(text(rest)),
                "role" => spec.roles.push(text(rest)),
                "text-regex" if regexes > MAX_REGEXES => {}
                _ => spec.content.extend(content_test(word, rest)),
            }
        }
        scene
    }
}

impl Listener {
    fn read(rest: &[u8]) -> Self {
        let mut words = words(rest).into_iter().peekable();
        let priority = words.next_if(|word| !word.starts_with('/'));
        let grants = words.filter_map(|pattern| PathPattern::parse(&pattern).ok()).collect();
        let priority = priority.and_then(|word| word.parse().ok()).unwrap_or_default();
        Self { priority, grants: Arc::new(grants), spec: MatcherSpec::default() }
    }
}

impl Message {
    fn content(&self) -> Content<'_> {
        match self {
            Self::Text(text) => Content::Text(text),
            Self::Binary(bytes) => Content::Binary(bytes),
        }
    }
}

fn content_test(word: &str, rest: &[u8]) -> Option<ContentTest> {
    let operand = text(rest);
    let (pointer, values) = operand.split_once(' ').unwrap_or((&operand, ""));
    let json = |test| ContentTest::Json(JsonMatch { pointer: pointer.to_owned(), test });
    Some(match word {
        "is-text" => ContentTest::IsText,
        "is-binary" => ContentTest::IsBinary,
        "text-equals" => ContentTest::TextEquals(operand),
        "text-prefix" => ContentTest::TextPrefix(operand),
        "text-contains" => ContentTest::TextContains(operand),
        "text-regex" => ContentTest::TextRegex(operand),
        "binary-prefix" => ContentTest::BinaryPrefix(rest.to_owned()),
        "exists" => json(JsonTest::Exists),
        "equals" => json(JsonTest::Equals(values.to_owned())),
        "one-of" => json(JsonTest::OneOf(values.split('\t').map(str::to_owned).collect())),
        _ => return None,
    })
}
