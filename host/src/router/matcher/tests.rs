//! Tests of matchers: every limit, and every error with how to mend it.

use super::*;

fn content(test: ContentTest) -> MatcherSpec {
    MatcherSpec { content: vec![test], ..MatcherSpec::default() }
}

fn json(pointer: &str, test: JsonTest) -> MatcherSpec {
    content(ContentTest::Json(JsonMatch { pointer: pointer.into(), test }))
}

fn error(spec: MatcherSpec) -> String {
    Matcher::compile(spec).unwrap_err().to_string()
}

fn equals(value: &str) -> JsonTest {
    JsonTest::Equals(value.into())
}

#[test]
fn an_error_names_the_part_and_how_to_mend_it() {
    let table = [
        (
            MatcherSpec { path: Some("chat".into()), ..MatcherSpec::default() },
            r#"path pattern "chat": it must start with `/`"#,
        ),
        (
            json("type", JsonTest::Exists),
            "content[0] (json): the pointer must be empty (the whole message) or start with \
             `/`, as in `/type` (RFC 6901)",
        ),
        (
            json("/type", equals("join")),
            "content[0] (json): the value of `equals` is not JSON; a string needs its quotes, \
             as in `\"join\"`",
        ),
        (json("/type", equals("{")), "content[0] (json): the value of `equals` is not JSON"),
        (
            json("/type", JsonTest::OneOf(vec![])),
            "content[0] (json): `one-of` is empty and can never hold; name a value, or use \
             `exists`",
        ),
        (
            json("/type", JsonTest::OneOf(vec!["1".into(), "\"\\ud800\"".into()])),
            "content[0] (json): value 1 of `one-of` holds half of a surrogate pair or a \
             number beyond any range, which equal nothing",
        ),
        (
            MatcherSpec { roles: vec!["a".into(), String::new()], ..MatcherSpec::default() },
            "roles[1] must have 1 to 256 bytes",
        ),
        (
            MatcherSpec {
                content: vec![ContentTest::IsBinary, ContentTest::TextPrefix("a".into())],
                ..MatcherSpec::default()
            },
            "content tests is-binary and text-prefix can never hold together; add a listener \
             for each",
        ),
    ];
    for (spec, message) in table {
        assert_eq!(error(spec), message);
    }
}

#[test]
fn every_part_has_a_limit_and_may_reach_it() {
    let long = |n| "x".repeat(n);
    let tests = |n| MatcherSpec { content: vec![ContentTest::IsText; n], ..MatcherSpec::default() };
    let roles = |n| MatcherSpec { roles: vec!["r".into(); n], ..MatcherSpec::default() };
    let role = |n| MatcherSpec { roles: vec![long(n)], ..MatcherSpec::default() };
    let one_of = |n| json("", JsonTest::OneOf(vec!["1".into(); n]));
    let value = |n: usize| json("", equals(&format!("\"{}\"", long(n - 2))));
    let nested = |n: usize| json("", equals(&("[".repeat(n) + &"]".repeat(n))));
    let regex = |n| content(ContentTest::TextRegex(long(n)));
    let table: Vec<(MatcherSpec, MatcherSpec, &str)> = vec![
        (tests(16), tests(17), "content has 17 tests; at most 16 are allowed"),
        (roles(64), roles(65), "roles has 65 entries; at most 64 are allowed"),
        (role(256), role(257), "roles[0] must have 1 to 256 bytes"),
        (one_of(64), one_of(65), "`one-of` has 65 values; at most 64 are allowed"),
        (value(4096), value(4097), "has 4097 bytes; at most 4096 are allowed"),
        (nested(16), nested(17), "is nested deeper than 16 levels"),
        (regex(1024), regex(1025), "has 1025 bytes; at most 1024 are allowed"),
        (
            content(ContentTest::TextRegex("[a-z]{200}".into())),
            content(ContentTest::TextRegex("\\w{20}".into())),
            "more than 65536 bytes when compiled; use shorter repetitions",
        ),
        (
            content(ContentTest::TextContains(long(4096))),
            content(ContentTest::TextContains(long(4097))),
            "has 4097 bytes; at most 4096 are allowed",
        ),
        (
            content(ContentTest::BinaryPrefix(vec![0; 4096])),
            content(ContentTest::BinaryPrefix(vec![0; 4097])),
            "has 4097 bytes; at most 4096 are allowed",
        ),
    ];
    for (largest, too_large, message) in table {
        assert!(Matcher::compile(largest).is_ok(), "{message}");
        let error = error(too_large);
        assert!(error.contains(message), "{error} / {message}");
    }
}

#[test]
fn a_regular_expression_is_linear_and_its_error_is_shown() {
    for pattern in ["(", "(a)\\1", "(?=a)", "a{2,1}"] {
        let error = error(content(ContentTest::TextRegex(pattern.into())));
        assert!(error.starts_with("content[0] (text-regex): "), "{error}");
    }
}

#[test]
fn it_asks_before_each_test_whether_to_go_on() {
    let content = vec![ContentTest::TextRegex("x".into()); 16];
    let asked = std::cell::Cell::new(0);
    let go_on = || asked.replace(asked.get() + 1) < 3;
    let spec = MatcherSpec { content, ..MatcherSpec::default() };
    assert_eq!(Matcher::compile_while(spec, go_on).unwrap_err(), MatcherError::GivenUp);
    assert_eq!(asked.get(), 4, "three were compiled");
}

#[test]
fn every_part_is_told_in_what_a_matcher_takes() {
    let held = |spec: MatcherSpec| Matcher::compile(spec).unwrap().held_bytes();
    let long = |n| "x".repeat(n);
    let roles = |n| MatcherSpec { roles: vec![long(n)], ..MatcherSpec::default() };
    let path = |n| MatcherSpec { path: Some(format!("/{}", long(n))), ..MatcherSpec::default() };
    let value = |n| json("/a", JsonTest::OneOf(vec![format!("\"{}\"", long(n)); 2]));
    let pointer = |n| json(&format!("/{}", long(n)), JsonTest::Exists);
    let table: [(&dyn Fn(usize) -> MatcherSpec, usize); 9] = [
        (&roles, 1),
        (&path, 1),
        (&value, 2),
        (&pointer, 1),
        (&|n| content(ContentTest::TextEquals(long(n))), 1),
        (&|n| content(ContentTest::TextPrefix(long(n))), 1),
        (&|n| content(ContentTest::TextContains(long(n))), 1),
        (&|n| content(ContentTest::BinaryPrefix(vec![1; n])), 1),
        (&|n| json("", equals(&long(n).replace('x', "1"))), 1),
    ];
    for (number, (spec, times)) in table.into_iter().enumerate() {
        assert_eq!(held(spec(200)) - held(spec(100)), 400 * times, "{number}");
        assert!(held(spec(1)) > 256 * times, "{number}");
    }
}

#[test]
fn a_regular_expression_takes_what_its_engine_says_and_captures_cost_nothing() {
    let held = |pattern: &str| {
        Matcher::compile(content(ContentTest::TextRegex(pattern.into()))).unwrap().held_bytes()
    };
    assert!(held("[a-z]{200}") > held("[a-z]{20}") + 180 * 16);
    assert!(held("x") > REGEX_CACHE_BYTES);
    // An engine for captures alone would take up to a MiB more.
    let (with, without) = (held("^([a-z]{50}|[0-9]{50})$"), held("^(?:[a-z]{50}|[0-9]{50})$"));
    assert!(with <= without + 64, "{with} {without}");
}

#[test]
fn the_tests_tell_the_kind_of_message() {
    for (tests, kind) in [
        (vec![], None),
        (vec![ContentTest::IsBinary], Some(Kind::Binary)),
        (vec![ContentTest::BinaryPrefix(vec![])], Some(Kind::Binary)),
        (vec![ContentTest::TextPrefix(String::new())], Some(Kind::Text)),
        (vec![ContentTest::IsText, ContentTest::TextEquals(String::new())], Some(Kind::Text)),
    ] {
        let spec = MatcherSpec { content: tests, ..MatcherSpec::default() };
        assert_eq!(Matcher::compile(spec).unwrap().kind(), kind);
    }
}

#[test]
fn captures_are_those_of_the_pattern() {
    let path = ConnectPath::parse("/rooms/7/a").unwrap();
    let spec = MatcherSpec { path: Some("/rooms/{room}/*".into()), ..MatcherSpec::default() };
    let matcher = Matcher::compile(spec.clone()).unwrap();
    assert_eq!(matcher.captures(&path), [("room", "7"), ("*", "a")]);
    assert_eq!(matcher.spec(), &spec);
    assert_eq!(Matcher::compile(MatcherSpec::default()).unwrap().captures(&path), []);
}
