//! Tests of the index: what it finds, and how little it does for it.

use super::*;
use crate::router::{ContentTest, JsonMatch, JsonTest, MatcherSpec};

fn json(pointer: &str, value: &str) -> ContentTest {
    let test = JsonTest::Equals(value.into());
    ContentTest::Json(JsonMatch { pointer: pointer.into(), test })
}

fn index(matchers: &[(&[&str], &[ContentTest])]) -> Index {
    let compile = |(roles, content): &(&[&str], &[ContentTest])| {
        let roles = roles.iter().map(|role| role.to_string()).collect();
        let spec = MatcherSpec { path: None, content: content.to_vec(), roles };
        Arc::new(Matcher::compile(spec).unwrap())
    };
    Index::new(&matchers.iter().map(compile).collect::<Vec<_>>())
}

/// The matches, how many candidates there were, and how many nodes were read as JSON.
fn find(index: &Index, roles: &[&str], text: &str) -> (Vec<usize>, usize, u64) {
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    index.find(roles, Content::Text(text), &mut scratch, |position| found.push(position));
    (found, scratch.candidates.len(), scratch.findings.steps())
}

#[test]
fn json_is_not_read_when_no_candidate_needs_it() {
    let message = r#"{"a":1}"#;
    // Found by its prefix, and only then by JSON.
    let by_prefix = index(&[(&[], &[json("/a", "1"), ContentTest::TextPrefix("{\"a".into())])]);
    assert_eq!(find(&by_prefix, &[], message), (vec![0], 1, 2));
    assert_eq!(find(&by_prefix, &[], r#"{"b":1}"#), (vec![], 0, 0));
    // All that are found by JSON ask for a role.
    let by_role = index(&[
        (&["admin"], &[json("/a", "1")]),
        (&["admin", "staff"], &[json("/a", "2")]),
        (&["admin", "staff"], &[json("/a", "3")]),
    ]);
    assert_eq!(find(&by_role, &["user"], message), (vec![], 0, 0));
    assert_eq!(find(&by_role, &["user", "admin"], message).0, [0]);
    // No pointer can lead into such a message.
    let inside = index(&[(&[], &[json("/a", "1")])]);
    assert_eq!(find(&inside, &[], "hello"), (vec![], 0, 0));
    assert_eq!(find(&inside, &[], "[1]"), (vec![], 0, 0));
    assert_eq!(find(&inside, &[], message), (vec![0], 1, 2));
    // No matcher looks at JSON at all.
    let texts = index(&[(&[], &[ContentTest::IsText]), (&[], &[ContentTest::IsBinary])]);
    assert_eq!(find(&texts, &[], message), (vec![0], 2, 0));
}

#[test]
fn a_pointer_is_looked_up_once_for_all_matchers() {
    let tests: Vec<_> = (0..100).map(|i| [json("/a/b", &i.to_string()), json("/c", "1")]).collect();
    let matchers: Vec<(&[&str], &[ContentTest])> =
        tests.iter().map(|t| (&[][..], &t[..])).collect();
    let index = index(&matchers);
    // The root, `/a`, `/a/b` and `/c`.
    assert_eq!(find(&index, &[], r#"{"a":{"b":7},"c":1}"#), (vec![7], 1, 4));
    assert_eq!(find(&index, &[], r#"{"a":{"b":7},"c":2}"#), (vec![], 1, 4));
}

#[test]
fn matchers_are_found_by_what_they_do_not_share() {
    // All share the prefix, the role and `/type`; only `/room` differs.
    let tests: Vec<_> = (0..50)
        .map(|i| {
            let room = format!("\"r{i}\"");
            vec![
                ContentTest::TextPrefix("{".into()),
                json("/type", "\"say\""),
                json("/room", &room),
            ]
        })
        .collect();
    let matchers: Vec<(&[&str], &[ContentTest])> =
        tests.iter().map(|tests| (&["user"][..], &tests[..])).collect();
    let message = r#"{"type":"say","room":"r33"}"#;
    assert_eq!(find(&index(&matchers), &["user"], message), (vec![33], 1, 3));
}

#[test]
fn a_matcher_without_roles_makes_json_read_for_everybody() {
    let [one, two, three] = ["1", "2", "3"].map(|value| [json("/a", value)]);
    let staff: &[&str] = &["admin", "staff"];
    for matchers in [
        [(&[][..], &one[..]), (staff, &two), (staff, &three)],
        [(staff, &two), (staff, &three), (&[], &one)],
        [(staff, &two), (&[], &one), (staff, &three)],
    ] {
        let index = index(&matchers);
        assert_eq!(find(&index, &["guest"], r#"{"a":1}"#).0.len(), 1);
        assert_eq!(find(&index, &["guest"], r#"{"a":2}"#).0.len(), 0);
        assert_eq!(find(&index, staff, r#"{"a":2}"#).0.len(), 1);
    }
}

#[test]
fn matchers_of_many_keys_are_found_by_those_that_are_there() {
    let test = |i| JsonMatch { pointer: format!("/key-{i}"), test: JsonTest::Exists };
    let tests: Vec<_> = (0..100).map(|i| [ContentTest::Json(test(i))]).collect();
    let matchers: Vec<(&[&str], &[ContentTest])> =
        tests.iter().map(|test| (&[][..], &test[..])).collect();
    let index = index(&matchers);
    assert_eq!(find(&index, &[], r#"{"key-9":1,"key-50":null}"#), (vec![9, 50], 2, 3));
}

#[test]
fn a_matcher_with_several_keys_is_found_once() {
    let one_of = JsonTest::OneOf(vec!["1".into(), "1.0".into(), "2".into()]);
    let test = ContentTest::Json(JsonMatch { pointer: "/a".into(), test: one_of });
    let tests = [test];
    let by_json = index(&[(&[], &tests), (&[], &tests)]);
    assert_eq!(find(&by_json, &[], r#"{"a":1}"#).0, [0, 1]);
    let by_role = index(&[(&["a", "b", "a"], &[]), (&["b"], &[])]);
    assert_eq!(find(&by_role, &["a", "b", "b"], "x").0, [0, 1]);
}

#[test]
fn binary_messages_are_never_read_as_json_or_text() {
    let index = index(&[
        (&[], &[json("", "1")]),
        (&[], &[ContentTest::TextPrefix("1".into())]),
        (&[], &[]),
    ]);
    let mut scratch = Scratch::default();
    // What the text before left behind must not show.
    let mut found = Vec::new();
    index.find::<&str>(&[], Content::Text("1"), &mut scratch, |position| found.push(position));
    index.find::<&str>(&[], Content::Binary(b"1"), &mut scratch, |position| found.push(position));
    assert_eq!(found, [0, 1, 2, 2]);
}
