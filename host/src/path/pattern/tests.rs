//! Tests of path patterns: a table for each rule, and properties that hold for all paths.

use super::*;
use proptest::prelude::*;

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text).unwrap()
}

fn path(text: &str) -> ConnectPath {
    ConnectPath::parse(text).unwrap()
}

#[test]
fn a_pattern_matches_whole_paths_and_captures_in_order() {
    type Captures = Option<&'static [(&'static str, &'static str)]>;
    let table: &[(&str, &str, Captures)] = &[
        ("/", "/", Some(&[])),
        ("/", "/a", None),
        ("/chat", "/chat", Some(&[])),
        ("/chat", "/Chat", None),
        ("/chat", "/chat/a", None),
        ("/chat/a", "/chat", None),
        ("/chat/*", "/chat", Some(&[("*", "")])),
        ("/chat/*", "/chat/a", Some(&[("*", "a")])),
        ("/chat/*", "/chat/a/b", Some(&[("*", "a/b")])),
        ("/chat/*", "/chatter", None),
        ("/chat/*", "/", None),
        ("/*", "/", Some(&[("*", "")])),
        ("/*", "/a/b/c", Some(&[("*", "a/b/c")])),
        ("/{x}", "/", None),
        ("/{x}", "/a", Some(&[("x", "a")])),
        ("/{x}", "/a/b", None),
        ("/rooms/{room}/*", "/rooms", None),
        ("/rooms/{room}/*", "/rooms/1", Some(&[("room", "1"), ("*", "")])),
        ("/rooms/{room}/*", "/rooms/1/a/b", Some(&[("room", "1"), ("*", "a/b")])),
        ("/{a}/x/{b-2}", "/1/x/2", Some(&[("a", "1"), ("b-2", "2")])),
        ("/{a}/x/{b}", "/1/y/2", None),
        ("/a b/€", "/a%20b/%E2%82%AC", Some(&[])),
        ("/50%", "/50%25", Some(&[])),
        ("/%41", "/A", None),
    ];
    for (text, connect, captures) in table {
        let (pattern, path) = (pattern(text), path(connect));
        assert_eq!(pattern.matches(&path), captures.is_some(), "{text} {connect}");
        assert_eq!(pattern.captures(&path).as_deref(), *captures, "{text} {connect}");
    }
}

#[test]
fn an_error_says_what_where_and_how_to_mend() {
    let table = [
        ("", r#"path pattern "": it must start with `/`"#),
        ("chat", r#"path pattern "chat": it must start with `/`"#),
        ("//", r#"path pattern "//": segment 1 is empty; write a single `/`"#),
        ("/a//b", r#"path pattern "/a//b": segment 2 is empty; write a single `/`"#),
        (
            "/a/..",
            r#"path pattern "/a/..": segment 2 is `.` or `..`; write the path without relative segments"#,
        ),
        ("/a\\b", r#"path pattern "/a\\b": segment 1 holds a backslash; use `/` between segments"#),
        ("/a\n", r#"path pattern "/a\n": segment 1 holds the control character U+000A; remove it"#),
        (
            "/*/a",
            r#"path pattern "/*/a": segment 1 is `*`, which must be the last; use a name in braces for one segment"#,
        ),
        (
            "/a*",
            r#"path pattern "/a*": segment 1 mixes text with `*`; a name in braces or `*` is a whole segment, as in `/rooms/{room}/*`"#,
        ),
        ("/{a}/{a}", r#"path pattern "/{a}/{a}": segment 2 repeats a name; give each its own"#),
        (
            "/{1}",
            r#"path pattern "/{1}": segment 1 has a bad name; use a letter or `_`, then letters, digits, `_` or `-`"#,
        ),
    ];
    for (text, message) in table {
        assert_eq!(PathPattern::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn names_and_wildcards_are_whole_segments() {
    for text in ["/**", "/a{b}", "/{a}b", "/{a", "/a}", "/x*y"] {
        let fault = PathPattern::parse(text).unwrap_err().fault;
        assert!(matches!(fault, PatternFault::Partial { number: 1, .. }), "{text}: {fault}");
    }
    for text in ["/{}", "/{a b}", "/{-a}", "/{ä}", "/{a}}", "/{*}", "/{a{b}"] {
        let fault = PathPattern::parse(text).unwrap_err().fault;
        assert_eq!(fault, PatternFault::BadName { number: 1 }, "{text}");
    }
    for text in ["/{_}", "/{a-b_C9}", "/{A}/{a}", "/{a}/{b}/*"] {
        assert!(PathPattern::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn length_and_depth_have_limits_and_a_long_pattern_is_not_quoted_whole() {
    assert!(PathPattern::parse(&"/a".repeat(MAX_PATH_SEGMENTS)).is_ok());
    let fault = PathPattern::parse(&"/a".repeat(MAX_PATH_SEGMENTS + 1)).unwrap_err().fault;
    assert_eq!(fault, PatternFault::TooManySegments);
    let long = format!("/{}", "ä".repeat(MAX_PATH_BYTES));
    let error = PathPattern::parse(&long).unwrap_err();
    assert_eq!(error.fault, PatternFault::TooLong { bytes: 2 * MAX_PATH_BYTES + 1 });
    assert!(error.to_string().len() < 300);
}

#[test]
fn one_trailing_slash_is_removed_and_a_plain_path_is_exact() {
    assert_eq!(pattern("/chat/"), pattern("/chat"));
    assert_eq!(pattern("/chat/*/").as_str(), "/chat/*");
    assert!(pattern("/").is_exact() && pattern("/a/b").is_exact());
    assert!(!pattern("/{a}").is_exact() && !pattern("/*").is_exact());
    assert_eq!(
        pattern("/a/{b}/*").segments(),
        [Segment::Literal("a".into()), Segment::Param("b".into()), Segment::Rest]
    );
}

#[test]
fn it_reads_from_a_string_with_the_reason_on_failure() {
    assert_eq!(serde_json::from_str::<PathPattern>(r#""/a/*""#).unwrap(), pattern("/a/*"));
    let error = serde_json::from_str::<PathPattern>(r#""/a*""#).unwrap_err().to_string();
    assert!(error.contains("segment 1 mixes text with `*`"), "{error}");
}

#[test]
fn covers_and_overlaps_by_table() {
    // (a, b, a covers b, b covers a, overlap)
    let table = [
        ("/", "/", true, true, true),
        ("/*", "/", true, false, true),
        ("/*", "/*", true, true, true),
        ("/*", "/{x}/b", true, false, true),
        ("/a/*", "/a", true, false, true),
        ("/a/*", "/b", false, false, false),
        ("/{x}", "/{y}", true, true, true),
        ("/{x}", "/a", true, false, true),
        ("/{x}", "/*", false, true, true),
        ("/{x}/*", "/*", false, true, true),
        ("/{x}/b", "/a/{y}", false, false, true),
        ("/{x}/b", "/a/{y}/c", false, false, false),
        ("/{x}/*", "/a/*", true, false, true),
        ("/a/{x}/*", "/a/*", false, true, true),
    ];
    for (a, b, a_covers_b, b_covers_a, overlap) in table {
        let (left, right) = (pattern(a), pattern(b));
        assert_eq!(left.covers(&right), a_covers_b, "{a} covers {b}");
        assert_eq!(right.covers(&left), b_covers_a, "{b} covers {a}");
        assert_eq!(left.overlaps(&right), overlap, "{a} overlaps {b}");
        assert_eq!(right.overlaps(&left), overlap, "{b} overlaps {a}");
    }
}

/// Patterns of at most three segments over two literals.
fn patterns() -> impl Strategy<Value = PathPattern> {
    let segment = prop::sample::select(vec!["a", "b", "{}"]);
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(segments, open)| {
        let mut text = String::new();
        for (i, segment) in segments.iter().enumerate() {
            text += "/";
            text += &segment.replace("{}", &format!("{{p{i}}}"));
        }
        text += if open || text.is_empty() { "/" } else { "" };
        pattern(&(text + if open { "*" } else { "" }))
    })
}

/// Every path of at most four segments over the patterns' two literals and one more: enough to
/// tell any two of these patterns apart.
fn all_paths() -> Vec<ConnectPath> {
    let mut paths = vec![String::new()];
    let mut last = paths.clone();
    for _ in 0..4 {
        last = last.iter().flat_map(|p| ["a", "b", "c"].map(|s| format!("{p}/{s}"))).collect();
        paths.extend(last.iter().cloned());
    }
    paths.iter().map(|text| path(if text.is_empty() { "/" } else { text })).collect()
}

proptest! {
    #[test]
    fn covers_and_overlaps_are_what_trying_every_path_says(a in patterns(), b in patterns()) {
        let (mut covers, mut overlaps) = (true, false);
        for path in all_paths() {
            covers &= !b.matches(&path) || a.matches(&path);
            overlaps |= a.matches(&path) && b.matches(&path);
        }
        prop_assert_eq!(a.covers(&b), covers, "{} covers {}", a, b);
        prop_assert_eq!(a.overlaps(&b), overlaps, "{} overlaps {}", a, b);
    }

    #[test]
    fn the_meet_of_two_shapes_holds_just_the_common_paths(a in patterns(), b in patterns()) {
        let (a_shape, b_shape) = (a.shape(), b.shape());
        let meet = a_shape.meet(&b_shape);
        for path in all_paths() {
            let this = PathPattern::from(&path);
            let common = meet.as_ref().is_some_and(|meet| meet.covers(&this.shape()));
            prop_assert_eq!(common, a.matches(&path) && b.matches(&path), "{} {} {}", a, b, path);
        }
    }

    #[test]
    fn captures_put_back_into_the_pattern_give_the_path(p in patterns(), raw in "(/[abc]){1,4}") {
        let path = path(&raw);
        if let Some(captures) = p.captures(&path) {
            let mut text = p.as_str().to_owned();
            for (name, value) in captures {
                let hole = if name == "*" { "*".to_owned() } else { format!("{{{name}}}") };
                text = text.replace(&hole, value);
            }
            prop_assert_eq!(self::path(&text), path);
        }
    }

    #[test]
    fn the_text_of_any_connect_path_is_a_pattern_for_just_that_path(
        raw in "(/([a-c.%?]|%25|%41|€){1,3}){1,3}", other in "(/[a-c]){1,3}",
    ) {
        if let (Ok(path), Ok(other)) = (ConnectPath::parse(&raw), ConnectPath::parse(&other)) {
            let exact = pattern(path.as_str());
            prop_assert_eq!(&exact, &PathPattern::from(&path));
            prop_assert!(exact.is_exact() && exact.matches(&path));
            prop_assert_eq!(exact.matches(&other), path == other);
        }
    }
}
