//! The router as a whole, against a naive evaluator that knows no index.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::path::{ConnectPath, PathPattern, PathSet};

fn set(patterns: &[&str]) -> Arc<PathSet> {
    Arc::new(patterns.iter().map(|p| PathPattern::parse(p).unwrap()).collect())
}

fn path(text: &str) -> ConnectPath {
    ConnectPath::parse(text).unwrap()
}

/// A route whose target is its own specification, for the naive evaluator.
fn route(
    grants: &[&str],
    spec: MatcherSpec,
    priority: i32,
    name: &str,
    module: &str,
) -> Route<MatcherSpec> {
    Route {
        target: spec.clone(),
        grants: set(grants),
        matcher: Arc::new(Matcher::compile(spec).unwrap()),
        priority,
        name: name.into(),
        module: module.into(),
    }
}

fn content(content: Vec<ContentTest>) -> MatcherSpec {
    MatcherSpec { content, ..MatcherSpec::default() }
}

fn json(pointer: &str, test: JsonTest) -> ContentTest {
    ContentTest::Json(JsonMatch { pointer: pointer.into(), test })
}

fn equals(pointer: &str, value: &str) -> ContentTest {
    json(pointer, JsonTest::Equals(value.into()))
}

fn found(router: &Router<MatcherSpec>, roles: &[&str], content: Content<'_>) -> Vec<String> {
    let routes = router.on_path(&path("/chat")).unwrap().get().unwrap();
    routes.find(roles, content).map(|route| format!("{}.{}", route.module, route.name)).collect()
}

#[test]
fn routes_are_called_by_priority_then_listener_then_module() {
    let all = MatcherSpec::default;
    let router = Router::new(
        vec![
            route(&["/*"], all(), 0, "b", "m1"),
            route(&["/*"], all(), 0, "a", "m2"),
            route(&["/*"], all(), -5, "a", "m0"),
            route(&["/*"], all(), 0, "a", "m1"),
            route(&["/*"], all(), i32::MAX, "z", "m9"),
            route(&["/*"], all(), i32::MIN, "a", "m1"),
        ],
        vec![],
    );
    let order = ["m9.z", "m1.a", "m2.a", "m1.b", "m0.a", "m1.a"];
    assert_eq!(found(&router, &[], Content::Text("x")), order);
    assert_eq!(found(&router, &[], Content::Binary(b"x")), order);
}

#[test]
fn more_matches_than_fit_without_allocation_are_all_found() {
    let all = (0..3 * Matches::INLINE)
        .map(|i| route(&["/*"], MatcherSpec::default(), 0, &format!("l{i:02}"), "m"));
    let router = Router::new(all.collect(), vec![]);
    let routes = router.on_path(&path("/chat")).unwrap().get().unwrap();
    let mut found = routes.find::<&str>(&[], Content::Text("x"));
    for i in 0..3 * Matches::INLINE {
        assert_eq!(found.len(), 3 * Matches::INLINE - i);
        assert_eq!(*found.next().unwrap().name, *format!("l{i:02}"));
    }
    assert!(found.next().is_none() && found.next().is_none());
}

#[test]
fn each_test_finds_its_messages_and_no_other() {
    let text = Content::Text;
    let table: Vec<(ContentTest, Vec<(Content<'_>, bool)>)> = vec![
        (ContentTest::IsText, vec![(text(""), true), (Content::Binary(b""), false)]),
        (ContentTest::IsBinary, vec![(text(""), false), (Content::Binary(b""), true)]),
        (
            ContentTest::TextEquals("ping".into()),
            vec![
                (text("ping"), true),
                (text("Ping"), false),
                (text("ping "), false),
                (text(""), false),
                (Content::Binary(b"ping"), false),
            ],
        ),
        (
            ContentTest::TextPrefix("/me ".into()),
            vec![
                (text("/me waves"), true),
                (text("/me "), true),
                (text("/me"), false),
                (Content::Binary(b"/me waves"), false),
            ],
        ),
        (ContentTest::TextPrefix(String::new()), vec![(text(""), true), (text("x"), true)]),
        (ContentTest::TextContains("€".into()), vec![(text("10 €"), true), (text("10"), false)]),
        (
            ContentTest::TextRegex("^[0-9]+$".into()),
            vec![(text("123"), true), (text("12a"), false), (Content::Binary(b"1"), false)],
        ),
        (
            ContentTest::BinaryPrefix(vec![0xff, 0]),
            vec![
                (Content::Binary(&[0xff, 0, 1]), true),
                (Content::Binary(&[0xff]), false),
                (text("\u{ff}\0"), false),
            ],
        ),
        (
            json("/a/0", JsonTest::Exists),
            vec![
                (text(r#"{"a":[null]}"#), true),
                (text(r#"{"a":{"0":1}}"#), true),
                (text(r#"{"a":[]}"#), false),
                (text(r#"{"a":[null]"#), false),
                (text("\u{feff}{\"a\":[null]}"), false),
                (Content::Binary(br#"{"a":[null]}"#), false),
            ],
        ),
        (
            equals("", "\"keepalive\""),
            vec![(text(" \"keepalive\" "), true), (text("keepalive"), false)],
        ),
        (
            json("/n", JsonTest::OneOf(vec!["1".into(), "\"a\"".into()])),
            vec![
                (text(r#"{"n":1.0}"#), true),
                (text(r#"{"n":"a"}"#), true),
                (text(r#"{"n":"1"}"#), false),
                (text(r#"{"n":1,"n":2}"#), false),
            ],
        ),
    ];
    for (test, messages) in table {
        let router =
            Router::new(vec![route(&["/*"], content(vec![test.clone()]), 0, "l", "m")], vec![]);
        for (message, matches) in messages {
            let found = found(&router, &[], message);
            assert_eq!(!found.is_empty(), matches, "{test:?} {message:?}");
        }
    }
}

#[test]
fn regular_expressions_look_only_at_texts_up_to_their_limit() {
    let regex = content(vec![ContentTest::TextRegex("x".into())]);
    let router = Router::new(vec![route(&["/*"], regex, 0, "l", "m")], vec![]);
    let longest = "x".repeat(MAX_REGEX_TEXT_BYTES);
    assert_eq!(found(&router, &[], Content::Text(&longest)).len(), 1);
    assert_eq!(found(&router, &[], Content::Text(&(longest + "x"))).len(), 0);
}

#[test]
fn a_client_needs_one_of_the_roles() {
    let spec = |roles: &[&str]| MatcherSpec {
        roles: roles.iter().map(|role| role.to_string()).collect(),
        content: vec![equals("/a", "1")],
        ..MatcherSpec::default()
    };
    let router = Router::new(
        vec![
            route(&["/*"], spec(&["admin", "staff"]), 0, "a", "m"),
            route(&["/*"], spec(&["user"]), 0, "b", "m"),
        ],
        vec![],
    );
    let message = Content::Text(r#"{"a":1}"#);
    let none: [&str; 0] = [];
    assert_eq!(found(&router, &[], message), none);
    assert_eq!(found(&router, &["other"], message), none);
    assert_eq!(found(&router, &["user"], message), ["m.b"]);
    assert_eq!(found(&router, &["staff", "user", "x"], message), ["m.a", "m.b"]);
}

#[test]
fn a_bomb_of_brackets_takes_neither_stack_nor_long() {
    let router = Router::new(
        vec![
            route(&["/*"], content(vec![json("/0/0/0/0/0/0/0/0", JsonTest::Exists)]), 0, "a", "m"),
            route(&["/*"], content(vec![equals("/0/0", "[[1]]")]), 0, "b", "m"),
            route(&["/*"], content(vec![equals("/0", "[[{\"a\":[]}]]")]), 0, "c", "m"),
        ],
        vec![],
    );
    let open = "[".repeat(1 << 20);
    let whole = open.clone() + &"]".repeat(1 << 20);
    let objects = "{\"a\":".repeat(1 << 18) + "1" + &"}".repeat(1 << 18);
    let begin = std::time::Instant::now();
    let small_stack = std::thread::Builder::new().stack_size(128 << 10).spawn(move || {
        let none: [&str; 0] = [];
        assert_eq!(found(&router, &[], Content::Text(&open)), none);
        assert_eq!(found(&router, &[], Content::Text(&whole)), ["m.a"]);
        assert_eq!(found(&router, &[], Content::Text(&objects)), none);
    });
    small_stack.unwrap().join().unwrap();
    // Far below a second when optimised; this is to tell it from anything quadratic.
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

/// Whether a listener wants a message, straight from the words of the interface.
fn wants(spec: &MatcherSpec, roles: &[&str], content: Content<'_>) -> bool {
    let role = spec.roles.is_empty() || spec.roles.iter().any(|r| roles.contains(&r.as_str()));
    role && spec.content.iter().all(|test| passes(test, content))
}

fn passes(test: &ContentTest, content: Content<'_>) -> bool {
    let text = match content {
        Content::Binary(bytes) => {
            return match test {
                ContentTest::IsBinary => true,
                ContentTest::BinaryPrefix(prefix) => bytes.starts_with(prefix),
                _ => false,
            };
        }
        Content::Text(text) => text,
    };
    match test {
        ContentTest::IsText => true,
        ContentTest::TextEquals(expected) => text == expected,
        ContentTest::TextPrefix(prefix) => text.starts_with(prefix),
        ContentTest::TextContains(part) => text.contains(part),
        ContentTest::TextRegex(regex) => {
            regex_automata::meta::Regex::new(regex).unwrap().is_match(text)
        }
        ContentTest::Json(JsonMatch { pointer, test }) => {
            let Ok(message) = serde_json::from_str::<Value>(text) else { return false };
            let Some(part) = message.pointer(pointer) else { return false };
            let same = |text: &String| same(part, &serde_json::from_str(text).unwrap());
            match test {
                JsonTest::Exists => true,
                JsonTest::Equals(text) => same(text),
                JsonTest::OneOf(texts) => texts.iter().any(same),
            }
        }
        ContentTest::IsBinary | ContentTest::BinaryPrefix(_) => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

const VALUES: [&str; 10] = [
    "1",
    "1.0",
    "\"a\"",
    "\"b\"",
    "null",
    "[1]",
    "{}",
    "{\"a\":1}",
    "{\"a\":{\"b\":\"a\"}}",
    "\"\"",
];

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(&VALUES[..]).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "ab", "abc", "b", "{", "{\"a\":", "1", "\"a\""])
        .prop_map(str::to_owned)
}

fn text_test() -> impl Strategy<Value = ContentTest> {
    let pointer = prop::sample::select(vec!["", "/a", "/a/b", "/b", "/a/0", "/0", "/0/a", "/"]);
    let test = prop_oneof![
        Just(JsonTest::Exists),
        value().prop_map(JsonTest::Equals),
        prop::collection::vec(value(), 1..4).prop_map(JsonTest::OneOf),
    ];
    prop_oneof![
        1 => Just(ContentTest::IsText),
        2 => text().prop_map(ContentTest::TextEquals),
        2 => text().prop_map(ContentTest::TextPrefix),
        1 => text().prop_map(ContentTest::TextContains),
        1 => Just(ContentTest::TextRegex("^.b?$".into())),
        6 => (pointer, test).prop_map(|(pointer, test)| json(pointer, test)),
    ]
}

fn tests() -> impl Strategy<Value = Vec<ContentTest>> {
    let binary = prop_oneof![
        Just(ContentTest::IsBinary),
        text().prop_map(|text| ContentTest::BinaryPrefix(text.into_bytes())),
    ];
    prop_oneof![
        5 => prop::collection::vec(text_test(), 0..3),
        1 => prop::collection::vec(binary, 1..3),
    ]
}

fn pattern() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["/*", "/", "/a", "/a/*", "/{x}", "/{x}/b", "/a/{y}", "/b/{y}/*"])
}

fn role() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["admin", "user", "guest"])
}

fn routes() -> impl Strategy<Value = Vec<Route<MatcherSpec>>> {
    let spec = (prop::option::of(pattern()), tests(), prop::collection::vec(role(), 0..2))
        .prop_map(|(path, content, roles)| MatcherSpec {
            path: path.map(str::to_owned),
            content,
            roles: roles.into_iter().map(str::to_owned).collect(),
        });
    let parts = (prop::collection::vec(pattern(), 1..3), spec, -1..2);
    prop::collection::vec(parts, 0..12).prop_map(|routes| {
        let named = routes.into_iter().enumerate();
        named
            .map(|(i, (grants, spec, priority))| {
                route(&grants, spec, priority, &format!("l{}", i % 3), &format!("m{i}"))
            })
            .collect()
    })
}

fn message() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["a", "b", "", "\\u0061", "c"]);
    let json = value().prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|v| format!("[{}]", v.join(" ,"))),
            prop::collection::vec((key.clone(), inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop_oneof![
        6 => json.clone(),
        2 => text(),
        1 => json.prop_map(|text| text + "}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_exactly_what_trying_every_route_finds(
        routes in routes(),
        paths in prop::collection::vec("(/[abc]){0,3}/", 1..4),
        messages in prop::collection::vec((message(), any::<bool>()), 1..6),
        roles in prop::collection::vec(role(), 0..3),
    ) {
        let mut ordered: Vec<_> = routes.clone();
        ordered.sort_by_key(|r| (-i64::from(r.priority), r.name.clone(), r.module.clone()));
        let router = Router::new(routes, vec![]);
        for path in paths.iter().map(|text| path(text)) {
            let applies = |route: &&Route<MatcherSpec>| {
                let pattern = route.target.path.as_deref().map(|p| PathPattern::parse(p).unwrap());
                route.grants.contains(&path) && pattern.is_none_or(|p| p.matches(&path))
            };
            let on_path = router.on_path(&path).unwrap().get().unwrap();
            let expected: Vec<_> = ordered.iter().filter(applies).map(|r| &r.module).collect();
            prop_assert_eq!(on_path.iter().map(|r| &r.module).collect::<Vec<_>>(), expected);
            for (message, is_text) in &messages {
                let content = match is_text {
                    true => Content::Text(message),
                    false => Content::Binary(message.as_bytes()),
                };
                let expected: Vec<_> = ordered
                    .iter()
                    .filter(applies)
                    .filter(|route| wants(&route.target, &roles, content))
                    .map(|route| &route.module)
                    .collect();
                let found: Vec<_> = on_path.find(&roles, content).map(|r| &r.module).collect();
                prop_assert_eq!(found, expected, "{:?} as {:?}", content, roles);
            }
        }
    }
}
